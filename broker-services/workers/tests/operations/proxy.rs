//! A way to a server that can be cut in the middle.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Hands on connections to a server, until it is dropped. Tasks of the test's runtime do it.
pub(crate) struct Proxy {
    at: SocketAddr,
    connections: watch::Sender<usize>,
    /// How often it was cut.
    cuts: watch::Sender<usize>,
    /// What the server takes for connections that stand.
    held: Arc<Mutex<Vec<TcpStream>>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens at `at`, and connects to `to`.
    pub(crate) async fn start(at: &str, to: &str) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (connections, cuts, held) = (watch::channel(0).0, watch::channel(0).0, Arc::default());
        let accepting = tokio::spawn(accept(
            listener,
            to.to_owned(),
            connections.clone(),
            cuts.clone(),
            Arc::clone(&held),
        ));
        Self { at, connections, cuts, held, accepting }
    }

    /// Where it listens, with brackets around an address of version 6.
    pub(crate) fn at(&self) -> String {
        self.at.to_string()
    }

    /// How many have come so far.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    /// Ends all connections for those who have made them. The server's side of each stays open, and silent.
    pub(crate) fn cut_this_side(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_this_side();
        self.held.lock().unwrap().clear();
    }
}

async fn accept(
    listener: TcpListener,
    to: String,
    connections: watch::Sender<usize>,
    cuts: watch::Sender<usize>,
    held: Arc<Mutex<Vec<TcpStream>>>,
) {
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        connections.send_modify(|count| *count += 1);
        let (to, held, mut cuts) = (to.clone(), Arc::clone(&held), cuts.subscribe());
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect(to).await else { return };
            let is_cut = tokio::select! {
                // Either side may end it.
                _ = copy_bidirectional(&mut client, &mut server) => false,
                _ = cuts.changed() => true,
            };
            if is_cut {
                held.lock().unwrap().push(server);
            }
        });
    }
}
