//! PostgreSQL, by itself or with a standby.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::ground::{
    LOOK_EVERY, POSTGRES_VERSIONS, START_WITHIN, free_ports, install_missing, temporary, wait_until,
};
use super::group::Group;

/// As whom it runs where it would be root, which it refuses.
const USER: &str = "postgres";

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
    let (user, group) = (number(&["-u", USER]), number(&["-g", USER]));
    user.zip(group).map(Some).ok_or_else(|| format!("there is no user '{USER}' to run PostgreSQL as"))
}
