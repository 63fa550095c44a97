//! RabbitMQ, by itself or as a node of a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ground::{
    Certificate, RABBITMQ_SERVER, accepts, answers, free_ports, install_missing, temporary, wait_until,
};
use super::group::Group;

const CTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// A RabbitMQ broker of one's own, with the management plugin.
#[derive(Debug)]
pub(crate) struct Rabbit {
    directory: PathBuf,
    node: String,
    amqp_port: u16,
    api_port: u16,
    distribution_port: u16,
    epmd_port: u16,
    // A node of another one's cluster shares that one's.
    mapper: Option<PortMapper>,
    broker: Group,
    /// Without it, connections are not encrypted.
    certificate: Option<Certificate>,
    /// Settings beside those that say where it listens.
    settings: &'static str,
}

/// Where a broker has its queues, messages and users, in its directory.
const DATA: &str = "mnesia";

/// What the broker of the compose file is set to.
const SHIPPED_SETTINGS: &str = include_str!("../../../config/docker/rabbitmq.conf");

impl Rabbit {
    /// Starts one, installing RabbitMQ if need be.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(None, "")
    }

    /// Starts one with the settings of the compose file's.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_as_shipped() -> Result<Self, String> {
        Self::start_with(None, SHIPPED_SETTINGS)
    }

    /// Starts one that takes encrypted connections only.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_encrypted(certificate: &Path, key: &Path) -> Result<Self, String> {
        let certificate = Certificate { certificate: certificate.to_owned(), key: key.to_owned() };
        Self::start_with(Some(certificate), "")
    }

    /// Starts another node of this one's cluster. It must end before this one is dropped, which has the port mapper of all.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_node(&self) -> Result<Self, String> {
        let mut node = Self::new(self.epmd_port, None, None, self.settings)?;
        // Who has the same cookie belongs together.
        let cookie = |of: &Self| of.directory.join(".erlang.cookie");
        fs::copy(cookie(self), cookie(&node))
            .map_err(|error| format!("{}: {error}", cookie(self).display()))?;
        node.restart()?;
        node.ctl(&["stop_app"])?;
        node.ctl(&["join_cluster", &self.node])?;
        node.ctl(&["start_app"])?;
        Ok(node)
    }

    /// Its name in a cluster.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Ends it in good order.
    pub(crate) fn stop(&mut self) {
        self.broker.end("TERM");
    }

    fn start_with(certificate: Option<Certificate>, settings: &'static str) -> Result<Self, String> {
        install_missing()?;
        let mapper = PortMapper::start()?;
        let mut rabbit = Self::new(mapper.port, Some(mapper), certificate, settings)?;
        rabbit.restart()?;
        Ok(rabbit)
    }

    /// One that is not started yet.
    fn new(
        epmd_port: u16,
        mapper: Option<PortMapper>,
        certificate: Option<Certificate>,
        settings: &'static str,
    ) -> Result<Self, String> {
        let [amqp_port, api_port, distribution_port] = free_ports()?;
        let rabbit = Self {
            directory: temporary("rabbitmq")?,
            node: format!("skstore-{amqp_port}@localhost"),
            amqp_port,
            api_port,
            distribution_port,
            epmd_port,
            mapper,
            broker: Group::none(),
            certificate,
            settings,
        };
        rabbit.configure().map_err(|error| format!("{}: {error}", rabbit.directory.display()))?;
        Ok(rabbit)
    }

    /// Starts it again after [`Self::kill`], with what it had on disk.
    ///
    /// # Errors
    /// A sentence that says where its log is.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        let mut command = self.command(RABBITMQ_SERVER);
        self.broker = Group::spawn(&mut command, &self.directory, "broker.log")?;
        let (port, api, log) = (self.amqp_port, self.api_port, self.directory.join("log"));
        let encrypted = self.certificate.is_some();
        let speaks = || if encrypted { accepts(port) } else { speaks_amqp(port) };
        wait_until("RabbitMQ", || speaks() && accepts(api))
            .map_err(|why| format!("{why}; its log is in {}", log.display()))
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.broker.end("KILL");
    }

    /// Ends it as a power cut does that takes its disk along, and starts it again with nothing at all: it is a new one, at
    /// the same ports and with the same user.
    ///
    /// # Errors
    /// A sentence that says what could not be removed, or where its log is.
    pub(crate) fn wipe(&mut self) -> Result<(), String> {
        self.kill();
        let data = self.directory.join(DATA);
        fs::remove_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
        self.restart()
    }

    /// `amqp://…` or `amqps://…`, for `bus.url`.
    pub(crate) fn amqp_url(&self) -> String {
        let scheme = if self.certificate.is_some() { "amqps" } else { "amqp" };
        format!("{scheme}://guest:guest@127.0.0.1:{}", self.amqp_port)
    }

    /// The same, with the hosts of all `others` as well.
    pub(crate) fn amqp_url_with(&self, others: &[Self]) -> String {
        let hosts = others.iter().map(|other| format!(",127.0.0.1:{}", other.amqp_port));
        self.amqp_url() + &hosts.collect::<String>()
    }

    /// `http://…` of the management plugin.
    pub(crate) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api_port)
    }

    /// Where `amqp://` connects to.
    pub(crate) fn amqp_port(&self) -> u16 {
        self.amqp_port
    }

    /// Where the management plugin listens.
    pub(crate) fn api_port(&self) -> u16 {
        self.api_port
    }

    /// Runs `rabbitmqctl`.
    ///
    /// # Errors
    /// What it said.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(CTL).args(arguments).output();
        let output = output.map_err(|error| format!("{CTL}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(format!("rabbitmqctl {}: {said}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
    }

    fn configure(&self) -> std::io::Result<()> {
        let port = self.amqp_port;
        let listener = match &self.certificate {
            None => format!("listeners.tcp.default = 127.0.0.1:{port}"),
            Some(Certificate { certificate, key }) => format!(
                "listeners.tcp = none\nlisteners.ssl.default = 127.0.0.1:{port}\nssl_options.certfile = {}\n\
                 ssl_options.keyfile = {}\nssl_options.verify = verify_none",
                certificate.display(),
                key.display()
            ),
        };
        let settings = format!(
            "{listener}\ndefault_user_tags.administrator = true\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n{}",
            self.api_port, self.settings
        );
        fs::write(self.directory.join("rabbitmq.conf"), settings)?;
        fs::write(self.directory.join("enabled_plugins"), "[rabbitmq_management].\n")
    }

    /// A program of RabbitMQ that knows this broker and nothing of the machine's own.
    fn command(&self, program: &str) -> Command {
        let here = |name: &str| self.directory.join(name);
        let mut command = Command::new(program);
        command
            .current_dir(&self.directory)
            .env("HOME", &self.directory)
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_NODENAME", &self.node)
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_CONFIG_FILE", here("rabbitmq"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", here("advanced"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", here("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", here(DATA))
            .env("RABBITMQ_LOG_BASE", here("log"))
            .env("RABBITMQ_PID_FILE", here("pid"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", here("config"))
            .env("RABBITMQ_SCHEMA_DIR", here("schema"))
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.broker.end("TERM");
        drop(self.mapper.take());
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Erlang's port mapper. A broker starts one as a daemon that outlives it, unless there is one.
#[derive(Debug)]
struct PortMapper {
    directory: PathBuf,
    port: u16,
    server: Group,
}

impl PortMapper {
    fn start() -> Result<Self, String> {
        let directory = temporary("epmd")?;
        let [port] = free_ports()?;
        let mut command = Command::new("epmd");
        command.args(["-address", "127.0.0.1", "-port", &port.to_string()]);
        let server = Group::spawn(&mut command, &directory, "epmd.log")?;
        wait_until("Erlang's port mapper", || accepts(port))?;
        Ok(Self { directory, port, server })
    }
}

impl Drop for PortMapper {
    fn drop(&mut self) {
        self.server.end("TERM");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Whether a broker greets those who greet it: it accepts connections for some time before it does.
fn speaks_amqp(port: u16) -> bool {
    /// The first byte of a method frame.
    const METHOD: &[u8] = &[1];
    answers(port, b"AMQP\x00\x00\x09\x01", METHOD)
}
