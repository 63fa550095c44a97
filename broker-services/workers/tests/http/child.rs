//! `skstore-worker gateway` as a process of its own, with all the workers in it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
    _data: TempDir,
}

impl Gateway {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore-worker"));
        command.arg("gateway").arg("--data-dir").arg(data.path());
        for setting in ["gateway.listen=127.0.0.1:0"].iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
        let address = loop {
            let line = log.next().expect("it listens").expect("a line");
            let said = line.split("listening for HTTP").nth(1).and_then(|rest| rest.split("address=").nth(1));
            if let Some(address) = said.and_then(|address| address.trim().parse().ok()) {
                break address;
            }
        };
        let said = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in log.map_while(Result::ok) {
                kept.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        Self { address, child, log: said, _data: data }
    }

    /// What it has logged since it listens.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it is there")
    }

    /// Asks, and returns all that is answered.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> String {
        let mut stream = self.connect().await;
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply).await;
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// Waits until orders can be taken.
    pub(crate) async fn ready(&self) {
        while !self.ask("GET /products/10", "", "").await.starts_with("HTTP/1.1 200") {}
    }

    /// Has it end in good order.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("it can be told");
        assert!(told.success(), "it has ended already");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // One that has ended already is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
