//! `skstore-worker` with `health.listen`, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use skstore_domain::commands::Place;
use skstore_domain::ids::ItemId;
use skstore_workers::config::{Config, Sources};
use skstore_workers::process::Process;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Worker {
    address: SocketAddr,
    child: Child,
    data: TempDir,
}

impl Worker {
    pub(crate) fn start(services: &[&str], settings: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut command = command(services, data.path());
        for setting in ["health.listen=127.0.0.1:0"].iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log")).lines();
        let address = loop {
            let line = log.next().expect("it listens").expect("a line");
            let said = line.split("/metrics over HTTP").nth(1).and_then(|rest| rest.split("address=").nth(1));
            if let Some(address) = said.and_then(|address| address.trim().parse().ok()) {
                break address;
            }
        };
        // It goes on writing.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Self { address, child, data }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// The status and the body of what it answers to a request line.
    pub(crate) async fn ask(&self, line: &str) -> (u16, String) {
        let mut stream = self.connect().await;
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.expect("it answers");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path}")).await
    }

    /// Places an order through the door of its data directory.
    pub(crate) async fn place(&self) {
        let flags = vec![("data_dir".to_owned(), self.data.path().display().to_string())];
        let config = Config::load(&Sources { flags, ..Sources::default() }).expect("settings");
        let process = Process::start(&config).expect("a way to the workers");
        let desk = process.desk().await.expect("a desk");
        let item_id = ItemId::new("10").expect("a name");
        let place = Place { item_id, qty: 1, customer: None, order_id: None, unit_price: None };
        let answer = desk.place(&place).await.expect("an answer");
        assert!(answer.ok, "{answer:?}");
    }

    /// How `skstore-worker health` ends.
    pub(crate) fn health(&self, flags: &[&str]) -> ExitStatus {
        let mut command = command(&["health", "order"], self.data.path());
        command.args(flags).stderr(Stdio::null()).status().expect("it runs")
    }
}

fn command(words: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore-worker"));
    command.args(words).arg("--data-dir").arg(data);
    command
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended already is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
