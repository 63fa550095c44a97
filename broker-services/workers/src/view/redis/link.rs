//! The connection to Redis: made when it is needed, dropped when it fails, shared by all threads.
//!
//! One thread of its own drives the connection, so that it belongs to no caller's runtime: each service and the
//! dashboard have runtimes that end, and wait, independently of each other.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, Script, ServerErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use super::server::Server;
use crate::view::ViewError;

/// How long an answer may take. The largest batch of writes takes a tenth of it; together with the time to connect and
/// the longest wait it stays below the six seconds in which a part that returned must be back at work.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// The first wait after a connection could not be made.
const WAIT_FIRST: Duration = Duration::from_millis(50);
/// The longest wait. Callers are refused meanwhile without a try, so that many of them do not hammer a server
/// that is starting.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// One shared connection. Clones share it; any thread with a runtime may use it.
#[derive(Clone)]
pub(super) struct Link(Arc<Shared>);

struct Shared {
    server: Server,
    driver: Handle,
    state: Mutex<State>,
    // Dropped with the last clone, which ends the thread.
    _stop: watch::Sender<()>,
}

enum State {
    Up { connection: MultiplexedConnection, number: u64 },
    Down { number: u64, why: Option<String>, again: Instant, wait: Duration },
}

impl Link {
    /// Starts the thread. Nothing is connected yet.
    pub(super) fn new(server: Server) -> Result<Self, ViewError> {
        let no_thread =
            |error: std::io::Error| ViewError::Lost(format!("its thread does not start: {error}"));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let driver = runtime.handle().clone();
        let (stop, mut stopped) = watch::channel(());
        std::thread::Builder::new()
            .name("skstore-redis".to_owned())
            .spawn(move || {
                // An error says that the last clone of the link is gone, which is all that it waits for.
                let _ = runtime.block_on(stopped.changed());
            })
            .map_err(no_thread)?;
        let state = State::Down { number: 0, why: None, again: Instant::now(), wait: WAIT_FIRST };
        Ok(Self(Arc::new(Shared { server, driver, state: Mutex::new(state), _stop: stop })))
    }

    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// Runs `task` on the link's thread, until that ends with the last clone. The task must hold none.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.driver.spawn(task);
    }

    /// Sends one command and takes its answer. A failed one may have run.
    pub(super) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failed> {
        self.ask(|mut connection| async move { command.query_async(&mut connection).await }).await
    }

    /// Sends several commands in one go and takes their answers.
    pub(super) async fn pipeline<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Failed> {
        self.ask(|mut connection| async move { commands.query_async(&mut connection).await }).await
    }

    /// Runs a script with `call`, which was begun by [`script_call`].
    pub(super) async fn run<T: FromRedisValue>(&self, script: &Script, call: &Cmd) -> Result<T, Failed> {
        self.ask(|connection| evaluate(connection, script, call)).await
    }

    /// Lets `run` use the connection, within [`ANSWER_WITHIN`].
    ///
    /// Whatever fails but for what was found, the connection is not used again: an answer that comes late, a login that
    /// was revoked or a replica that may not write would spoil later calls too.
    async fn ask<T, F>(&self, run: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let (connection, number) = self.connection().await.map_err(Failed::Lost)?;
        let why = match timeout(ANSWER_WITHIN, run(connection)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if is_about_contents(&error) => {
                return Err(Failed::Contents(error.to_string()));
            }
            Ok(Err(error)) => self.server().sentence(&error),
            Err(_) => format!("Redis at {} did not answer within {ANSWER_WITHIN:?}", self.server().place()),
        };
        let mut state = self.0.state.lock().await;
        if let State::Up { number: current, .. } = &*state
            && *current == number
        {
            *state = State::Down { number, why: None, again: Instant::now(), wait: WAIT_FIRST };
        }
        Err(Failed::Lost(why))
    }

    /// The connection and its number, made if there is none; else why there is none.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), String> {
        let mut state = self.0.state.lock().await;
        let (number, wait) = match &*state {
            State::Up { connection, number } => return Ok((connection.clone(), *number)),
            State::Down { why: Some(why), again, .. } if Instant::now() < *again => {
                return Err(why.clone());
            }
            State::Down { number, wait, .. } => (*number + 1, *wait),
        };
        let server = self.0.server.clone();
        match self.0.driver.spawn(async move { server.connect().await }).await {
            Ok(Ok(connection)) => {
                *state = State::Up { connection: connection.clone(), number };
                Ok((connection, number))
            }
            failed => {
                let why = match failed {
                    Ok(Err(why)) => why,
                    _ => {
                        format!("Redis at {} cannot be reached: its thread has ended", self.server().place())
                    }
                };
                let (again, next) = (Instant::now() + wait, (wait * 2).min(MAX_WAIT));
                *state = State::Down { number, why: Some(why.clone()), again, wait: next };
                Err(why)
            }
        }
    }
}

/// Why a call has no answer.
pub(super) enum Failed {
    /// The connection.
    Lost(String),
    /// What it found: Redis' own words.
    Contents(String),
}

/// Whether `error` comes from what a script or command found, not from the connection.
fn is_about_contents(error: &RedisError) -> bool {
    let text = error.to_string();
    // The last is what the client says of a number that is none.
    ["WRONGTYPE", "user_script", "FOREIGN", "Incompatible type"].iter().any(|sign| text.contains(sign))
}

async fn evaluate<T: FromRedisValue>(
    mut connection: MultiplexedConnection,
    script: &Script,
    call: &Cmd,
) -> Result<T, RedisError> {
    match call.query_async(&mut connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            script.load_async(&mut connection).await?;
            call.query_async(&mut connection).await
        }
        answer => answer,
    }
}

/// The beginning of a call of a script whose keys begin with `prefix`.
pub(super) fn script_call(script: &Script, prefix: &str) -> Cmd {
    let mut call = redis::cmd("EVALSHA");
    call.arg(script.get_hash()).arg(0).arg(prefix);
    call
}
