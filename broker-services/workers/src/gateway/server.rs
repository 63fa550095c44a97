//! The gateway's socket: connections within their bounds, and the end of them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::admission::Gatekeeper;
use super::connections::{Connection, Connections};
use super::document;
use super::patient::Patient;
use super::request::Behind;
use super::routes::{self, Routes};
use super::tokens::{TokenFile, TokensError};
use crate::clock::Stopwatch;
use crate::config::GatewayConfig;
use crate::desk::Desk;
use crate::figures::Requests;

/// How long the head of a request may take, and a connection may be idle: a person's slowest line, many times over.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection is used before it is asked to end with its request: with [`LAST_REQUEST_WITHIN`], how long one
/// lasts whose client takes one byte after the other. What is told again and again has a bound of its own.
const CONNECTION_FOR: Duration = Duration::from_secs(60);
/// How long the last request of a connection may take: longer than a body and an answer together.
const LAST_REQUEST_WITHIN: Duration = Duration::from_secs(20);
/// The largest head of a request, in bytes: the line and the headers of any client there is, several times over.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Most headers of a request, likewise.
const MAX_HEADERS: usize = 64;
/// How long is waited after a connection could not be accepted, for lack of files as a rule.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A gateway that listens. Serve it until it shall stop.
#[derive(Debug)]
pub struct Gateway {
    listener: TcpListener,
    routes: Arc<Routes>,
    requests: Arc<Requests>,
}

/// Why a gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The file of tokens is wrong.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// It knows nobody by name, and everybody could come.
    #[error("without tokens (gateway.tokens) it may not listen at {0}, which other machines reach")]
    Open(SocketAddr),
    /// The system does not let it listen there.
    #[error("cannot listen at gateway.listen, {at}: {cause}; is another gateway running?")]
    Address {
        /// Where.
        at: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl Gateway {
    /// Listens as `settings` have it, for `desk`.
    ///
    /// # Errors
    /// [`ListenError`], a sentence for a person.
    pub async fn listen(settings: &GatewayConfig, desk: Desk) -> Result<Self, ListenError> {
        let at = settings.listen();
        let tokens = settings.tokens().map(TokenFile::open).transpose()?;
        if tokens.is_none() && !at.ip().is_loopback() {
            return Err(ListenError::Open(at));
        }
        let listener = TcpListener::bind(at).await.map_err(|cause| ListenError::Address { at, cause })?;
        let operations = routes::operations();
        let behind = Behind::new(desk, document::of(&operations));
        let keeper = Arc::new(Gatekeeper::new(tokens, settings.rate_per_s));
        let requests = Arc::default();
        Ok(Self { listener, routes: Arc::new(Routes::of(operations, behind, keeper)), requests })
    }

    /// Where it listens, with its port.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it has answered, for whoever watches it.
    #[must_use]
    pub fn requests(&self) -> Arc<Requests> {
        Arc::clone(&self.requests)
    }

    /// Serves until `stop` is there; then takes nothing more, and finishes what is in flight for at most `drain`.
    pub async fn serve(self, stop: impl Future<Output = ()>, drain: Duration) {
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::select! {
            biased;
            () = stop => {}
            () = accept(&self.listener, (&self.routes, &self.requests), &stopped, &mut connections) => {}
        }
        drop(self.listener);
        stopping.send_replace(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        if timeout(drain, finished).await.is_err() {
            tracing::warn!("requests were in flight for longer than the drain deadline, and are cut off");
        }
    }
}

/// Accepts connections for as long as it is let.
async fn accept(
    listener: &TcpListener,
    (routes, requests): (&Arc<Routes>, &Arc<Requests>),
    stopped: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let all = Connections::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) => {
                let room = all.room().await;
                let connection = Connection::new(peer.ip().to_canonical(), &all, stopped.clone());
                let (routes, requests) = (Arc::clone(routes), Arc::clone(requests));
                connections.spawn(async move {
                    let _room = room;
                    serve_one(stream, (routes, requests), connection).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                all.cut_longest_waiting();
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Serves one connection to its end.
async fn serve_one(
    stream: TcpStream,
    (routes, requests): (Arc<Routes>, Arc<Requests>),
    connection: Connection,
) {
    // Answers are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let its = connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, requests, connection) = (Arc::clone(&routes), Arc::clone(&requests), its.clone());
        async move {
            let began = Stopwatch::start();
            connection.waits_for_client();
            let answer = routes.answer(request, &connection).await;
            requests.answered(answer.status().as_u16(), began.elapsed());
            connection.waits_for_client();
            Ok::<_, Infallible>(answer)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        // What a client does wrong is its own matter.
        _ = served.as_mut() => return,
        () = connection.cut() => return,
        () = connection.stopped() => {}
        () = sleep(CONNECTION_FOR) => {}
    }
    served.as_mut().graceful_shutdown();
    let cut = async {
        sleep(LAST_REQUEST_WITHIN).await;
        if connection.is_streaming() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = served => {}
        () = connection.cut() => {}
        () = cut => {}
    }
}
