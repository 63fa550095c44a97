//! Private RabbitMQ, Redis and PostgreSQL servers: on free ports, in a temporary directory, gone when they are dropped, or when the
//! process that started them ends in whatever way. Nothing that runs on the machine already is touched.
//!
//! Tests that kill and restart a broker include this file as a module of theirs, so it needs the standard library only.

#![allow(dead_code, reason = "each of those who include it uses a part")]

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where Debian's package puts RabbitMQ's own scripts; those in the path insist on its system user.
const RABBITMQ_SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const RABBITMQCTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
const REDIS_SERVER: &str = "/usr/bin/redis-server";
/// Where it puts each version of PostgreSQL, and as whom that runs where it would be root, which it refuses.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
const POSTGRES_USER: &str = "postgres";
/// What is needed here and by the tests: a file of it, and Debian's package.
const PARTS: [(&str, &str); 6] = [
    (RABBITMQ_SERVER, "rabbitmq-server"),
    (REDIS_SERVER, "redis-server"),
    (POSTGRES_VERSIONS, "postgresql"),
    // Makes certificates for the tests.
    ("/usr/bin/openssl", "openssl"),
    // A client that is not ours, for the tests.
    ("/usr/lib/python3/dist-packages/pika/__init__.py", "python3-pika"),
    // Installs what Debian has no package of.
    ("/usr/lib/python3/dist-packages/pip/__init__.py", "python3-pip"),
];
/// How long another installation on this machine is waited for.
const APT_LOCK_SECONDS: u32 = 300;
/// How long a server may take to start: RabbitMQ takes 5 s on an idle machine.
const START_WITHIN: Duration = Duration::from_secs(90);
/// How long it may take to end when asked to, before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// Databases of a Redis: tests that run at the same time have one each.
const DATABASES: &str = "64";
/// How often it is looked whether it has started or ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A RabbitMQ broker of one's own, with the management plugin.
#[derive(Debug)]
pub(crate) struct Rabbit {
    directory: PathBuf,
    node: String,
    amqp_port: u16,
    api_port: u16,
    distribution_port: u16,
    epmd_port: u16,
    epmd: Group,
    broker: Group,
    /// Without it, connections are not encrypted.
    certificate: Option<Certificate>,
    /// Settings beside those that say where it listens.
    settings: &'static str,
}

/// Where a broker has its queues, messages and users, in its directory.
const DATA: &str = "mnesia";

/// What the broker of the compose file is set to.
const SHIPPED_SETTINGS: &str = include_str!("../../config/docker/rabbitmq.conf");

/// A server's own certificate and its key: files in PEM.
#[derive(Debug, Clone)]
struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
}

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

    fn start_with(certificate: Option<Certificate>, settings: &'static str) -> Result<Self, String> {
        install_missing()?;
        let directory = temporary("rabbitmq")?;
        let [amqp_port, api_port, distribution_port, epmd_port] = free_ports()?;
        let node = format!("skstore-{amqp_port}@localhost");
        // A broker starts the port mapper as a daemon that outlives it, unless there is one.
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
        let epmd = Group::spawn(&mut epmd, &directory, "epmd.log")?;
        wait_until("Erlang's port mapper", || accepts(epmd_port))?;
        let broker = Group::none();
        let mut rabbit = Self {
            directory,
            node,
            amqp_port,
            api_port,
            distribution_port,
            epmd_port,
            epmd,
            broker,
            certificate,
            settings,
        };
        rabbit.configure().map_err(|error| format!("{}: {error}", rabbit.directory.display()))?;
        rabbit.restart()?;
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
        let output = self.command(RABBITMQCTL).args(arguments).output();
        let output = output.map_err(|error| format!("{RABBITMQCTL}: {error}"))?;
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
            "{listener}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {}\n{}",
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
        self.epmd.end("TERM");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A Redis server of one's own, that keeps nothing.
#[derive(Debug)]
pub(crate) struct Redis {
    directory: PathBuf,
    port: u16,
    server: Group,
    /// Without it, connections are not encrypted.
    certificate: Option<Certificate>,
}

impl Redis {
    /// Starts one, installing Redis if need be.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(None)
    }

    /// Starts one that takes encrypted connections only.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_encrypted(certificate: &Path, key: &Path) -> Result<Self, String> {
        Self::start_with(Some(Certificate { certificate: certificate.to_owned(), key: key.to_owned() }))
    }

    fn start_with(certificate: Option<Certificate>) -> Result<Self, String> {
        install_missing()?;
        let directory = temporary("redis")?;
        let [port] = free_ports()?;
        let mut redis = Self { directory, port, server: Group::none(), certificate };
        redis.restart()?;
        Ok(redis)
    }

    /// Starts it again after [`Self::kill`], empty.
    ///
    /// # Errors
    /// A sentence that says where its log is.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        let mut command = Command::new(REDIS_SERVER);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--databases", DATABASES]);
        let port = self.port.to_string();
        match &self.certificate {
            None => command.args(["--port", &port]),
            Some(Certificate { certificate, key }) => command
                .args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no", "--tls-cert-file"])
                .arg(certificate)
                .arg("--tls-key-file")
                .arg(key),
        };
        command.arg("--dir").arg(&self.directory);
        self.server = Group::spawn(&mut command, &self.directory, "redis.log")?;
        let encrypted = self.certificate.is_some();
        let speaks = || if encrypted { accepts(self.port) } else { self.answers("PING", "+PONG") };
        wait_until("Redis", speaks)
            .map_err(|why| format!("{why}; its log is in {}", self.directory.display()))
    }

    /// Whether it answers `command`, in one line, with what begins with `answer`, in the words of its protocol.
    pub(crate) fn answers(&self, command: &str, answer: &str) -> bool {
        answers(self.port, format!("{command}\r\n").as_bytes(), answer.as_bytes())
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.server.end("KILL");
    }

    /// `redis://…` or `rediss://…`, for `view.url`.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.server.end("TERM");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A PostgreSQL server of one's own.
#[derive(Debug)]
pub(crate) struct Postgres {
    directory: PathBuf,
    programs: PathBuf,
    /// Whom it runs as, if not as this process: user and group.
    runs_as: Option<(u32, u32)>,
    port: u16,
    server: Group,
    /// Settings beside those that say where it listens.
    settings: Vec<&'static str>,
}

impl Postgres {
    /// Starts one that is safe from everything but a crash of the machine, installing PostgreSQL if need be.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(&["fsync=off"])
    }

    /// Starts one that waits for the disk.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_durable() -> Result<Self, String> {
        Self::start_with(&[])
    }

    /// Starts one with more settings, such as `max_connections=200`.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_with(settings: &[&'static str]) -> Result<Self, String> {
        install_missing()?;
        let programs = postgres_programs()?;
        let directory = temporary("postgres")?;
        let [port] = free_ports()?;
        let (server, settings) = (Group::none(), settings.to_vec());
        let mut postgres = Self { runs_as: None, directory, programs, port, server, settings };
        postgres.initialize()?;
        postgres.restart()?;
        Ok(postgres)
    }

    fn initialize(&mut self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.directory.display());
        self.runs_as = postgres_user()?;
        // Anything but a password that somebody could use elsewhere.
        let password = self.directory.join("password");
        fs::write(&password, "desk").map_err(failed)?;
        if let Some((user, group)) = self.runs_as {
            for path in [&self.directory, &password] {
                std::os::unix::fs::chown(path, Some(user), Some(group)).map_err(failed)?;
            }
        }
        let mut command = self.command("initdb");
        command.args(["--username", "desk", "--auth", "scram-sha-256", "--pwfile"]).arg(&password);
        command.args(["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--pgdata"]).arg(self.data());
        let output = command.output().map_err(failed)?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("initdb: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Starts a standby of this one, which then waits with each commit until the standby has it on disk.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn standby(&self) -> Result<Self, String> {
        let directory = temporary("standby")?;
        let [port] = free_ports()?;
        let (programs, settings) = (self.programs.clone(), self.settings.clone());
        let mut standby =
            Self { runs_as: self.runs_as, directory, programs, port, server: Group::none(), settings };
        let failed = |error: std::io::Error| format!("{}: {error}", standby.directory.display());
        if let Some((user, group)) = standby.runs_as {
            std::os::unix::fs::chown(&standby.directory, Some(user), Some(group)).map_err(failed)?;
        }
        let mut command = standby.command("pg_basebackup");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "desk", "--checkpoint", "fast"]);
        command.args(["--write-recovery-conf", "--no-sync", "--pgdata"]).arg(standby.data());
        let output = command.env("PGPASSWORD", "desk").output().map_err(failed)?;
        if !output.status.success() {
            return Err(format!("pg_basebackup: {}", String::from_utf8_lossy(&output.stderr)));
        }
        standby.restart()?;
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql("SELECT pg_reload_conf()")?;
        wait_until("the standby", || {
            let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
            self.sql(follows).is_ok_and(|count| count.trim() == "1")
        })?;
        Ok(standby)
    }

    /// Has this standby take the place of its primary, which must be gone.
    ///
    /// # Errors
    /// What it said.
    pub(crate) fn promote(&self) -> Result<(), String> {
        self.sql("ALTER SYSTEM RESET synchronous_standby_names")?;
        self.sql("SELECT pg_promote()").map(drop)
    }

    /// Starts it again after [`Self::kill`] or [`Self::shut_down_at_once`], with what it had committed.
    ///
    /// # Errors
    /// A sentence that says where its log is.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        let log = self.directory.join("postgres.log");
        let started = Instant::now();
        // The last of its processes may still be ending, and keeps a new one out.
        while started.elapsed() < START_WITHIN {
            let mut command = self.command("postgres");
            command.arg("-D").arg(self.data()).args([
                "-h",
                "127.0.0.1",
                "-k",
                "",
                "-p",
                &self.port.to_string(),
            ]);
            for setting in &self.settings {
                command.args(["-c", setting]);
            }
            self.server = Group::spawn(&mut command, &self.directory, "postgres.log")?;
            while !self.server.has_ended() && started.elapsed() < START_WITHIN {
                if self.is_ready() {
                    return Ok(());
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
        Err(format!(
            "PostgreSQL did not start within {} s; its log is {}",
            START_WITHIN.as_secs(),
            log.display()
        ))
    }

    fn is_ready(&self) -> bool {
        let mut command = self.command("pg_isready");
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.status().is_ok_and(|status| status.success())
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.server.end("KILL");
    }

    /// Ends it without a goodbye: what was committed is found again in its log.
    pub(crate) fn shut_down_at_once(&mut self) {
        self.server.end("QUIT");
    }

    /// Sends its first process a signal; its others go on.
    pub(crate) fn send(&self, signal: &str) {
        self.server.send(signal);
    }

    /// `postgres://…`, for a store's URL, to which a schema is to be added (`?schema=NAME`).
    pub(crate) fn url(&self) -> String {
        format!("postgres://desk:desk@127.0.0.1:{}/postgres", self.port)
    }

    /// The same, for whichever of this one and its standby takes writes.
    pub(crate) fn url_with(&self, standby: &Self) -> String {
        format!("postgres://desk:desk@127.0.0.1:{},127.0.0.1:{}/postgres", self.port, standby.port)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs `sql`, and returns what it selects: a line for each row, with `|` between columns.
    ///
    /// # Errors
    /// What it said.
    pub(crate) fn sql(&self, sql: &str) -> Result<String, String> {
        let mut command = self.command("psql");
        command.args(["-X", "-A", "-t", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "desk"]);
        command.args(["-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", sql]).env("PGPASSWORD", "desk");
        let output = command.output().map_err(|error| format!("psql: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("{sql}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// A program of PostgreSQL, run as whom it must be.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.directory).stdin(Stdio::null());
        if let Some((user, group)) = self.runs_as {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Without waiting for those who are connected.
        self.server.end("INT");
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The directory of the newest version's programs.
fn postgres_programs() -> Result<PathBuf, String> {
    let versions =
        fs::read_dir(POSTGRES_VERSIONS).map_err(|error| format!("{POSTGRES_VERSIONS}: {error}"))?;
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let programs = versions
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("bin/postgres").is_file())
        .max_by_key(|path| version(path))
        .ok_or_else(|| format!("there is no PostgreSQL in {POSTGRES_VERSIONS}"))?;
    Ok(programs.join("bin"))
}

/// Whom PostgreSQL is to run as where this process is root.
fn postgres_user() -> Result<Option<(u32, u32)>, String> {
    let number = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if number(&["-u"]) != Some(0) {
        return Ok(None);
    }
    let (user, group) = (number(&["-u", POSTGRES_USER]), number(&["-g", POSTGRES_USER]));
    user.zip(group)
        .map(Some)
        .ok_or_else(|| format!("there is no user '{POSTGRES_USER}' to run PostgreSQL as"))
}

/// A process and those it has started: a process group. It ends with the process that started it, however that ends.
#[derive(Debug)]
pub(crate) struct Group(Option<Running>);

#[derive(Debug)]
struct Running {
    leader: Child,
    /// Waits for the end of its input, which is ours, then does away with the group and its directory. In a group of
    /// its own, as Ctrl-C reaches all of ours.
    watchdog: Child,
}

/// What the watchdog does, in any shell. Its arguments: the process group and the directory.
const WATCH: &str = r#"read -r _; kill -KILL "-$1"; rm -rf -- "$2""#;

impl Group {
    const fn none() -> Self {
        Self(None)
    }

    /// Starts `command`, which works in `directory` and adds its output to the file `log` there.
    ///
    /// # Errors
    /// A sentence that names the program.
    pub(crate) fn spawn(command: &mut Command, directory: &Path, log: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", command.get_program().to_string_lossy());
        let output =
            fs::File::options().create(true).append(true).open(directory.join(log)).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let spawned = command
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn();
        let mut leader =
            spawned.map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCH, "watchdog", &leader.id().to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self(Some(Running { leader, watchdog }))),
            Err(error) => {
                // Nothing may be left that nobody watches.
                let _ = leader.kill();
                Err(format!("sh: {error}"))
            }
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|running| !matches!(running.leader.try_wait(), Ok(None)))
    }

    /// Sends `signal` to all of it.
    pub(crate) fn send(&self, signal: &str) {
        if let Some(running) = &self.0 {
            send(running.leader.id(), signal);
        }
    }

    /// Sends `signal` to all of it and waits for its end, at last killing it.
    pub(crate) fn end(&mut self, signal: &str) {
        let Some(Running { mut leader, mut watchdog }) = self.0.take() else { return };
        // First, so that it does not take away the directory.
        let _ = watchdog.kill();
        let _ = watchdog.wait();
        send(leader.id(), signal);
        let started = Instant::now();
        while matches!(leader.try_wait(), Ok(None)) && started.elapsed() < STOP_WITHIN {
            std::thread::sleep(LOOK_EVERY);
        }
        // What its leader has left behind, and the leader if it did not listen.
        send(leader.id(), "KILL");
        let _ = leader.wait();
    }
}

/// A group that is gone already is no failure.
fn send(group: u32, signal: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{signal}"), "--", &format!("-{group}")])
        .stderr(Stdio::null())
        .status();
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end("TERM");
    }
}

/// Makes sure that all parts are there, installing Debian's packages of those that are missing if that is possible.
///
/// # Errors
/// A sentence that says what to install.
pub(crate) fn install_missing() -> Result<(), String> {
    let missing = || -> Vec<&str> {
        PARTS.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect()
    };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let remedy = format!(
        "The tests and servers need Debian's packages {0}. Install them as root: apt-get install -y {1}",
        packages.join(", "),
        packages.join(" ")
    );
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        return Err(remedy);
    }
    let lock = format!("DPkg::Lock::Timeout={APT_LOCK_SECONDS}");
    let install = [&["install", "-y", "--no-install-recommends"], packages.as_slice()].concat();
    for arguments in [&["update"], install.as_slice()] {
        let installed = Command::new("apt-get")
            .args(["-o", &lock])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // The packages would start servers for the whole machine.
            .env("RUNLEVEL", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            return Err(format!("apt-get {} failed. {remedy}", arguments.join(" ")));
        }
    }
    if missing().is_empty() { Ok(()) } else { Err(remedy) }
}

/// A directory that nobody else uses, for `what`.
///
/// # Errors
/// A sentence that names it.
pub(crate) fn temporary(what: &str) -> Result<PathBuf, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("skstore-{what}-{}-{count}", std::process::id()));
    // What a killed run has left would be taken for this one's data.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// Ports that nobody listens on. Somebody may take one before it is used; then the server says so and fails.
///
/// # Errors
/// A sentence where there is none.
pub(crate) fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT], String> {
    let mut listeners = Vec::new();
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no free port: {error}"))?;
        *port = listener.local_addr().map_err(|error| format!("no free port: {error}"))?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

fn wait_until(what: &str, condition: impl Fn() -> bool) -> Result<(), String> {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > START_WITHIN {
            return Err(format!("{what} did not start within {} s", START_WITHIN.as_secs()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn accepts(port: u16) -> bool {
    connect(port).is_some()
}

/// Whether a broker greets those who greet it: it accepts connections for some time before it does.
fn speaks_amqp(port: u16) -> bool {
    /// The first byte of a method frame.
    const METHOD: &[u8] = &[1];
    answers(port, b"AMQP\x00\x00\x09\x01", METHOD)
}

fn answers(port: u16, question: &[u8], answer: &[u8]) -> bool {
    let Some(mut stream) = connect(port) else { return false };
    let mut heard = vec![0; answer.len()];
    stream.write_all(question).is_ok() && stream.read_exact(&mut heard).is_ok() && heard == answer
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_and_its_directory_end_with_the_process_that_started_them() {
        let directory = temporary("abandoned").expect("a directory");
        let mut group = Group::spawn(Command::new("sleep").arg("600"), &directory, "log").expect("a group");
        // As the system does to what belonged to a process that has ended.
        drop(group.0.as_mut().and_then(|running| running.watchdog.stdin.take()));
        let started = Instant::now();
        while directory.exists() || !group.has_ended() {
            assert!(started.elapsed() < STOP_WITHIN, "it goes on");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
