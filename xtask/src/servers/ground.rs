//! What all of these servers stand on: Debian's packages, directories and ports that nobody else uses, and waiting until they are
//! there.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where Debian's package puts RabbitMQ's own scripts; those in the path insist on its system user.
pub(super) const RABBITMQ_SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
pub(super) const REDIS_SERVER: &str = "/usr/bin/redis-server";
/// Where Debian's package puts each version of PostgreSQL.
pub(super) const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";
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
pub(super) const START_WITHIN: Duration = Duration::from_secs(90);
/// How often it is looked whether it has.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A server's own certificate and its key: files in PEM.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
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

pub(super) fn wait_until(what: &str, condition: impl Fn() -> bool) -> Result<(), String> {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > START_WITHIN {
            return Err(format!("{what} did not start within {} s", START_WITHIN.as_secs()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

pub(super) fn accepts(port: u16) -> bool {
    connect(port).is_some()
}

pub(super) fn answers(port: u16, question: &[u8], answer: &[u8]) -> bool {
    let Some(mut stream) = connect(port) else { return false };
    let mut heard = vec![0; answer.len()];
    stream.write_all(question).is_ok() && stream.read_exact(&mut heard).is_ok() && heard == answer
}

/// Whether the server at `port` has `part` in what it says to `command`, a line of Redis's protocol, within a moment.
pub(super) fn says(port: u16, command: &str, part: &str) -> bool {
    let Some(mut stream) = connect(port) else { return false };
    if stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).is_err() {
        return false;
    }
    let mut said = Vec::new();
    // It ends the connection once it has answered.
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).contains(part)
}

fn connect(port: u16) -> Option<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    Some(stream)
}
