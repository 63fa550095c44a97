//! Whoever came to the door of a process that has the workers takes them over once that one is gone, so that nobody who is
//! left behind is without a desk.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::error::StartError;
use crate::bus::BusState;

/// How long is waited until it is tried to have the workers, each time: a few of these are what a desk is away for.
const TRY_EVERY: Duration = Duration::from_millis(20);
/// How long is waited after the workers did not start for another reason than that somebody else has them.
const TRY_LATER: Duration = Duration::from_secs(1);

/// A thread that waits to have the workers, and then has them. Dropping it ends both.
#[derive(Debug)]
pub(super) struct Successor {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Successor {
    /// Waits until `others` are lost, then starts what `start` starts, unless others were faster. What was started is
    /// dropped when the successor is.
    pub(super) fn wait<T>(
        others: watch::Receiver<BusState>,
        start: impl Fn() -> Result<T, StartError> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let is_over = move |pause| stopped.recv_timeout(pause) != Err(mpsc::RecvTimeoutError::Timeout);
        let take_over = move || {
            let mut pause = TRY_EVERY;
            while !is_over(std::mem::replace(&mut pause, TRY_EVERY)) {
                if *others.borrow() == BusState::Up {
                    continue;
                }
                match start() {
                    Ok(started) => {
                        tracing::info!("this process has the workers from now on");
                        while !is_over(TRY_LATER) {}
                        drop(started);
                        return;
                    }
                    Err(StartError::Held { .. }) => {}
                    Err(error) => {
                        tracing::error!(%error, "nobody has the workers, and they do not start here");
                        pause = TRY_LATER;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("skstore-successor".to_owned()).spawn(take_over)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that takes the workers over panicked");
        }
    }
}
