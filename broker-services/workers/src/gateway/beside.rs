//! A gateway beside something else in a process, a dashboard: on a thread of its own, which neither waits for the other.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::server::{Gateway, ListenError};
use crate::clock::Stopwatch;
use crate::config::GatewayConfig;
use crate::process::Approach;

/// Why there is no gateway beside.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There can be no thread for it.
    #[error("there can be no thread for the gateway: {0}")]
    Thread(std::io::Error),
    /// Its thread ended before it listened.
    #[error("the thread of the gateway panicked")]
    Panicked,
}

impl BesideError {
    /// Whether somebody listens there already: another dashboard with the same settings, for one.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Listen(ListenError::Address { cause, .. }) if cause.kind() == std::io::ErrorKind::AddrInUse)
    }
}

/// A gateway that serves until it is stopped or dropped.
#[derive(Debug)]
pub struct Beside {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    address: SocketAddr,
}

impl Beside {
    /// Has one listen as `settings` have it, which takes at most `drain` to finish what is in flight when it is stopped.
    ///
    /// # Errors
    /// [`BesideError`], a sentence for a person.
    pub fn start(settings: &GatewayConfig, approach: Approach, drain: Duration) -> Result<Self, BesideError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(BesideError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let (opened, is_open) = mpsc::sync_channel(1);
        let settings = settings.clone();
        let serve = move || {
            runtime.block_on(async {
                let listening = Gateway::listen(&settings, approach.attach().await).await;
                let listening = listening.and_then(|gateway| match gateway.address() {
                    Ok(address) => Ok((gateway, address)),
                    Err(cause) => Err(ListenError::Address { at: settings.listen(), cause }),
                });
                match listening {
                    Ok((gateway, address)) => {
                        // Whoever starts it waits for this.
                        let _ = opened.send(Ok(address));
                        gateway.serve(async { drop(stopped.await) }, drain).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("skstore-gateway".to_owned()).spawn(serve);
        let thread = Some(thread.map_err(BesideError::Thread)?);
        let address = is_open.recv().map_err(|_| BesideError::Panicked)??;
        Ok(Self { stop: Some(stop), thread, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has it finish what is in flight. How long that took.
    pub fn stop(mut self) -> Duration {
        let began = Stopwatch::start();
        self.end();
        began.elapsed()
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the gateway panicked");
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.end();
    }
}
