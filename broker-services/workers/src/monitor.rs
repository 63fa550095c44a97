//! What engines and Prometheus ask a process of workers over HTTP: whether it lives, whether it takes work, and its figures.
//!
//! These are three questions on purpose. A worker whose broker, store or view is away lives, and starting it again brings
//! none of them back; so `/livez` looks at nothing but whether its own loops go round. Whether it takes work is `/readyz`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

pub use self::watched::{Watch, Watched};

mod exposition;
mod machine;
mod watched;

/// Connections at once: an engine, a Prometheus or two, and a person.
const MAX_CONNECTIONS: usize = 16;
/// How long one may last. Prometheus asks again on the same one, every 15 s as a rule; whoever is cut off comes back.
const CONNECTION_FOR: Duration = Duration::from_secs(60);
/// How long the head of a request may take.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The largest head of a request, in bytes, which is the least that hyper takes.
const MAX_HEAD_BYTES: usize = 8 * 1024;
/// How long is waited after a connection could not be accepted, for lack of files as a rule.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// It listens, and answers once it is served.
#[derive(Debug)]
pub struct Monitor {
    listener: TcpListener,
    watched: Watched,
}

impl Monitor {
    /// Listens at `at`, to tell of `watched`.
    ///
    /// # Errors
    /// A sentence for a person.
    pub async fn listen(at: SocketAddr, watched: Watched) -> Result<Self, String> {
        let listener = TcpListener::bind(at).await;
        let listener = listener.map_err(|cause| {
            format!("cannot listen at health.listen, {at}: {cause}; does another worker have that port?")
        })?;
        Ok(Self { listener, watched })
    }

    /// Where it listens, with its port.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers for ever. Where more come than there is room for, the oldest connection makes room: an answer takes
    /// milliseconds, so that one has nothing to say.
    pub async fn serve(self) {
        let mut connections: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    connections.retain(|connection| !connection.is_finished());
                    if connections.len() >= MAX_CONNECTIONS
                        && let Some(oldest) = connections.pop_front()
                    {
                        oldest.abort();
                    }
                    // Who is slow is cut off, and what a client does wrong is its own matter.
                    let served = timeout(CONNECTION_FOR, serve_one(stream, self.watched.clone()));
                    connections.push_back(tokio::spawn(served).abort_handle());
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to health.listen cannot be accepted");
                    sleep(ACCEPT_AGAIN_AFTER).await;
                }
            }
        }
    }
}

async fn serve_one(stream: TcpStream, watched: Watched) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let watched = watched.clone();
        async move { Ok::<_, Infallible>(answer(&watched, &request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(watched: &Watched, request: &Request<Incoming>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return told(StatusCode::METHOD_NOT_ALLOWED, &json!({ "status": "only GET is answered here" }));
    }
    match request.uri().path() {
        "/livez" => probed(&watched.hanging(), "alive"),
        "/readyz" => probed(&watched.not_ready().await, "ready"),
        "/metrics" => {
            watched.look_at_queues().await;
            match exposition::text(watched) {
                Ok(text) => response(StatusCode::OK, exposition::MEDIA_TYPE, text),
                Err(error) => {
                    told(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "status": error.to_string() }))
                }
            }
        }
        _ => told(StatusCode::NOT_FOUND, &json!({ "status": "there are /livez, /readyz and /metrics" })),
    }
}

/// That all is well, or what is not.
fn probed(problems: &[String], well: &str) -> Response<Body> {
    if problems.is_empty() {
        told(StatusCode::OK, &json!({ "status": well }))
    } else {
        let status = format!("not {well}");
        told(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": status, "problems": problems }))
    }
}

fn told(status: StatusCode, body: &Value) -> Response<Body> {
    response(status, "application/json", body.to_string())
}

fn response(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
