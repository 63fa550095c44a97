//! Redis, by itself, or followed by others that Sentinels may put in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ground::{
    Certificate, REDIS_SERVER, accepts, answers, free_ports, install_missing, says, temporary, wait_until,
};
use super::group::Group;

/// Databases of a Redis: tests that run at the same time have one each.
const DATABASES: &str = "64";

/// A Redis server of one's own, that keeps nothing.
#[derive(Debug)]
pub(crate) struct Redis {
    directory: PathBuf,
    port: u16,
    server: Group,
    /// Without it, connections are not encrypted.
    certificate: Option<Certificate>,
    /// The port of the one that it followed when it was started first.
    follows: Option<u16>,
}

impl Redis {
    /// Starts one, installing Redis if need be.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start() -> Result<Self, String> {
        Self::start_with(None, None)
    }

    /// Starts one that has what this one has, and may take its place. Returns once it has.
    ///
    /// # Errors
    /// A sentence that says where its log is.
    pub(crate) fn start_replica(&self) -> Result<Self, String> {
        let replica = Self::start_with(None, Some(self.port))?;
        wait_until("the replica", || replica.says("INFO replication", "master_link_status:up"))?;
        Ok(replica)
    }

    /// Starts one that takes encrypted connections only.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(crate) fn start_encrypted(certificate: &Path, key: &Path) -> Result<Self, String> {
        let certificate = Certificate { certificate: certificate.to_owned(), key: key.to_owned() };
        Self::start_with(Some(certificate), None)
    }

    fn start_with(certificate: Option<Certificate>, follows: Option<u16>) -> Result<Self, String> {
        install_missing()?;
        let directory = temporary("redis")?;
        let [port] = free_ports()?;
        let mut redis = Self { directory, port, server: Group::none(), certificate, follows };
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
        if let Some(port) = self.follows {
            command.args(["--replicaof", "127.0.0.1", &port.to_string(), "--repl-diskless-sync-delay", "0"]);
        }
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

    /// Whether it says `part` somewhere in its answer to `command`.
    pub(crate) fn says(&self, command: &str, part: &str) -> bool {
        says(self.port, command, part)
    }

    /// Sends it a signal: STOP pauses it, CONT has it go on.
    pub(crate) fn send(&self, signal: &str) {
        self.server.send(signal);
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

/// By which name the Sentinels know the Redis that takes writes.
const NAME: &str = "desk";
/// How long a Redis may be silent until a Sentinel calls it away, in milliseconds.
const DOWN_AFTER_MILLIS: u32 = 1_000;
/// How long a Sentinel leaves another one alone that puts a replica in its place, in milliseconds.
const FAILOVER_MILLIS: u32 = 4_000;

/// Three Sentinels, two of whom agree that a Redis is away.
#[derive(Debug)]
pub(crate) struct Sentinels {
    directories: Vec<PathBuf>,
    ports: [u16; 3],
    servers: Vec<Group>,
}

impl Sentinels {
    /// Starts them. Returns once they know each other and the replicas of `redis`, of which there are so many.
    ///
    /// # Errors
    /// A sentence that says what they wait for.
    pub(crate) fn start(redis: &Redis, replicas: usize) -> Result<Self, String> {
        let mut sentinels = Self { directories: Vec::new(), ports: free_ports()?, servers: Vec::new() };
        for port in sentinels.ports {
            let directory = temporary("sentinel")?;
            // A Sentinel writes down what it knows in its settings.
            let settings = directory.join("sentinel.conf");
            let text = format!(
                "bind 127.0.0.1\nport {port}\nsentinel monitor {NAME} 127.0.0.1 {} 2\n\
                 sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MILLIS}\n\
                 sentinel failover-timeout {NAME} {FAILOVER_MILLIS}\n",
                redis.port
            );
            std::fs::write(&settings, text).map_err(|error| format!("{}: {error}", settings.display()))?;
            let mut command = Command::new(REDIS_SERVER);
            command.arg(&settings).args(["--sentinel", "--dir"]).arg(&directory);
            sentinels.servers.push(Group::spawn(&mut command, &directory, "sentinel.log")?);
            sentinels.directories.push(directory);
        }
        sentinels.agree(replicas)?;
        Ok(sentinels)
    }

    /// Waits until all of them know of so many replicas, and of each other.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn agree(&self, replicas: usize) -> Result<(), String> {
        let quorum = format!("SENTINEL CKQUORUM {NAME}");
        let know = format!("SENTINEL REPLICAS {NAME}");
        let is_up = format!("*{replicas}\r");
        wait_until("an agreement of the Sentinels", || {
            self.ports.iter().all(|port| {
                says(*port, &quorum, "+OK 3 usable")
                    && says(*port, &know, &is_up)
                    && !says(*port, &know, "s_down")
                    && !says(*port, &know, "disconnected")
            })
        })
    }

    /// `redis+sentinel://…`, for `view.url`.
    pub(crate) fn url(&self) -> String {
        let hosts = self.ports.map(|port| format!("127.0.0.1:{port}"));
        format!("redis+sentinel://{}/{NAME}", hosts.join(","))
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for server in &mut self.servers {
            server.end("TERM");
        }
        for directory in &self.directories {
            let _ = fs::remove_dir_all(directory);
        }
    }
}
