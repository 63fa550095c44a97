//! Who stands behind the door: lets in those who come, and answers from the desk that it stands in front of.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use self::visit::{Shown, Visit};
use super::readiness::Readiness;
use crate::bus::Bus;
use crate::clock::Ids;
use crate::desk::Desk;
use crate::door::socket;
use crate::view::View;

mod answering;
mod visit;

/// Processes that are let in at once; more wait outside. Far more than one person opens, and each costs two buffers.
const VISITORS: usize = 256;
/// How long those who are answered just now are waited for when this process ends: as long as an answer takes that is not
/// late.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);
/// How long is waited before it is tried again to let somebody in when the system had no means for it.
const NO_MEANS: Duration = Duration::from_millis(100);

/// A door that is open. Closing it is taking leave of all who are in; dropping it does the same.
#[derive(Debug)]
pub(crate) struct Door {
    leaving: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What is behind a door.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    pub(crate) bus: Bus,
    pub(crate) view: View,
    pub(crate) ids: Ids,
    pub(crate) readiness: Readiness,
}

impl Door {
    /// Opens the door of `data_dir`, which the caller has locked.
    ///
    /// # Errors
    /// When there can be no socket, or no thread.
    pub(crate) fn open(data_dir: &Path, behind: Behind) -> Result<Self, String> {
        let listener = socket::listen(data_dir).map_err(|error| error.to_string())?;
        let (leaving, left) = watch::channel(false);
        // Not one of tokio's: whoever opens it may be on a runtime, where those must not be waited for.
        let (opened, is_open) = mpsc::sync_channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let data_dir: PathBuf = data_dir.to_owned();
        let stand = move || {
            runtime.block_on(async {
                let listener = match UnixListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return drop(opened.send(Err(error.to_string()))),
                };
                let Behind { bus, view, ids, readiness } = behind;
                match Desk::open(&bus, view, ids).await {
                    Ok(desk) => {
                        let _ = opened.send(Ok(()));
                        let shown = Arc::new(Shown { desk, readiness });
                        stand_at(&listener, shown, left, &data_dir).await;
                    }
                    Err(error) => drop(opened.send(Err(error.to_string()))),
                }
            });
        };
        let thread = std::thread::Builder::new().name("skstore-socket".to_owned()).spawn(stand);
        let thread = thread.map_err(|error| error.to_string())?;
        match is_open.recv() {
            Ok(Ok(())) => Ok(Self { leaving, thread: Some(thread) }),
            Ok(Err(why)) => Err(why),
            Err(_) => Err("its thread panicked".to_owned()),
        }
    }

    /// Lets nobody in any more, answers what is being answered, and says goodbye.
    pub(crate) fn close(&mut self) {
        self.leaving.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the data directory's socket panicked");
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

async fn stand_at(
    listener: &UnixListener,
    shown: Arc<Shown>,
    mut leaving: watch::Receiver<bool>,
    data_dir: &Path,
) {
    let places = Arc::new(Semaphore::new(VISITORS));
    let mut visits = JoinSet::new();
    loop {
        // Those who come while all places are taken wait in the system's queue.
        let come = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let came = tokio::select! {
            biased;
            _ = leaving.wait_for(|leaving| *leaving) => break,
            Some(_) = visits.join_next() => continue,
            (place, came) = come => came.map(|(stream, _)| (stream, place)),
        };
        match came {
            Ok((stream, place)) => {
                let visit = Visit::new(Arc::clone(&shown), leaving.clone());
                visits.spawn(async move {
                    visit.receive(stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "nobody is let in at the data directory's socket");
                tokio::time::sleep(NO_MEANS).await;
            }
        }
    }
    socket::remove(data_dir);
    let all_gone = async { while visits.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LEAVES_WITHIN, all_gone).await;
}
