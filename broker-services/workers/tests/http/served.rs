//! A gateway in front of a desk in this process, asked over plain sockets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use skstore_workers::config::{Config, Sources};
use skstore_workers::gateway::Gateway;
use skstore_workers::process::Process;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a test waits for something that must happen: far beyond what it takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const JSON: &str = "Content-Type: application/json\r\n";
/// How long requests in flight may take when it is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) served: JoinHandle<()>,
    pub(crate) process: Process,
    data: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

impl Served {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With settings of its own.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let flags = [
            ("data_dir", data.path().to_str().expect("a name")),
            ("payment.timeout_ms", "9000"),
            ("gateway.listen", "127.0.0.1:0"),
        ];
        let flags = flags.iter().chain(settings).map(|(key, value)| ((*key).into(), (*value).into()));
        let config = Config::load(&Sources { flags: flags.collect(), ..Sources::default() });
        let config = config.expect("a configuration");
        let process = Process::start(&config).expect("the workers start");
        let desk = process.desk().await.expect("a desk");
        process.ready().await;
        process.settle().await;
        let gateway = Gateway::listen(&config.gateway, desk).await.expect("it listens");
        let address = gateway.address().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let until = async { drop(stopped.await) };
        let served = tokio::spawn(gateway.serve(until, DRAIN));
        Self { address, stop: Some(stop), served, process, data }
    }

    /// A file in its data directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it is there")
    }

    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let exchange = async {
            let mut stream = self.connect().await;
            stream.write_all(request).await.expect("it reads");
            let mut reply = Vec::new();
            // A connection that is cut off has said what it had to say.
            let _ = stream.read_to_end(&mut reply).await;
            String::from_utf8_lossy(&reply).into_owned()
        };
        timeout(PATIENCE, exchange).await.expect("it answers and closes")
    }

    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> Reply {
        let host = if headers.contains("Host: ") { "" } else { "Host: localhost:8080\r\n" };
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let reply = self.raw(request.as_bytes()).await;
        let (head, body) =
            reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply to {line}: {reply}"));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        Reply { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    pub(crate) async fn post(&self, path: &str, headers: &str, body: &Value) -> Reply {
        self.ask(&format!("POST {path}"), &format!("{JSON}{headers}"), &body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), "", "").await
    }
}
