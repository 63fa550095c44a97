//! Who comes to the door: asks, and waits for answers. Once the process at the other side is gone it comes back to whoever
//! has the workers next, and asks again what was not answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use self::asked::{Asked, Piece};
use self::coming::{Coming, NotLetIn};
use super::socket;
use crate::bus::BusState;

mod asked;
mod coming;

/// Questions that wait to be sent; more wait with those who ask.
const UNSENT: usize = 256;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Nobody was asked.
    #[error("the process that has the workers cannot be reached: {0}")]
    NotSent(String),
    /// Whoever was asked is gone, and it cannot be asked again.
    #[error("the process that has the workers was gone before it answered; it may still have taken effect")]
    Lost,
    /// It was asked, and has not answered in time.
    #[error("the process that has the workers has not answered in time; it may still take effect")]
    TooLate,
}

/// Why nobody is at the door, or lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoEntry {
    /// There is no door, or nobody behind it.
    #[error("nobody answers at its socket")]
    Nobody,
    /// Somebody is there, and it is no use to come again.
    #[error("{0}")]
    Refused(String),
}

/// A way to whoever has the workers. Clones share one connection, which is driven by a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct DoorClient {
    asked: mpsc::Sender<Asked>,
    state: watch::Receiver<BusState>,
    changed: watch::Receiver<u64>,
}

impl DoorClient {
    /// Goes to the door of `data_dir`. Blocks until it is let in, for seconds at most.
    ///
    /// # Errors
    /// [`NoEntry`].
    pub(crate) fn enter(data_dir: &Path) -> Result<Self, NoEntry> {
        let stream = socket::connect(data_dir).map_err(|_| NoEntry::Nobody)?;
        let (asked, questions) = mpsc::channel(UNSENT);
        let (told, state) = watch::channel(BusState::Up);
        let (changes, changed) = watch::channel(0);
        // Not one of tokio's: whoever comes may be on a runtime, where those must not be waited for.
        let (let_in, is_in) = std::sync::mpsc::sync_channel(1);
        let data_dir: PathBuf = data_dir.to_owned();
        let thread = std::thread::Builder::new().name("skstore-door".to_owned());
        let unusable =
            |error: std::io::Error| NoEntry::Refused(format!("no thread can wait for it: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
        let driven = thread.spawn(move || {
            runtime.block_on(Coming::new(data_dir, questions, told, changes).stay(stream, let_in));
        });
        driven.map_err(unusable)?;
        match is_in.recv() {
            Ok(Ok(())) => Ok(Self { asked, state, changed }),
            Ok(Err(NotLetIn::Gone(_))) | Err(_) => Err(NoEntry::Nobody),
            Ok(Err(NotLetIn::Refused(why))) => Err(NoEntry::Refused(why)),
        }
    }

    /// Whether somebody is there.
    pub(crate) fn state(&self) -> watch::Receiver<BusState> {
        self.state.clone()
    }

    /// Counts what it was told of changes of the view.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Asks, also somebody else if the one who was asked is gone, for as long as `within`: what is asked must do no more the
    /// second time.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        within: Duration,
    ) -> Result<T, Unanswered> {
        self.put(request, true, within, |(): ()| {}).await
    }

    /// Asks for what comes in several parts, each within `within` of the one before; `each` hears them in their order. It is
    /// asked once: somebody else would tell of what is left.
    pub(crate) async fn ask_for_parts<P: DeserializeOwned, T: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        within: Duration,
        each: impl FnMut(P),
    ) -> Result<T, Unanswered> {
        self.put(request, false, within, each).await
    }

    async fn put<P: DeserializeOwned, T: DeserializeOwned>(
        &self,
        request: &impl Serialize,
        is_repeatable: bool,
        within: Duration,
        mut each: impl FnMut(P),
    ) -> Result<T, Unanswered> {
        let request = serde_json::value::to_raw_value(request);
        let request = request.map_err(|error| Unanswered::NotSent(error.to_string()))?;
        let (answers, mut pieces) = mpsc::unbounded_channel();
        let was_sent = Arc::new(AtomicBool::new(false));
        let asked = Asked { request, is_repeatable, was_sent: Arc::clone(&was_sent), answers };
        let unanswered = || {
            if was_sent.load(Ordering::Acquire) { Unanswered::TooLate } else { self.not_sent() }
        };
        let mut until = Instant::now() + within;
        match timeout_at(until, self.asked.send(asked)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(self.not_sent()),
        }
        loop {
            let piece = timeout_at(until, pieces.recv()).await.map_err(|_| unanswered())?;
            match piece {
                Some(Piece::Part(part)) => each(understood(&part)?),
                Some(Piece::Last(answer)) => return understood(&answer),
                Some(Piece::Refused(why)) => return Err(Unanswered::NotSent(why)),
                Some(Piece::Lost) | None => return Err(Unanswered::Lost),
            }
            until = Instant::now() + within;
        }
    }

    fn not_sent(&self) -> Unanswered {
        Unanswered::NotSent(match &*self.state.borrow() {
            BusState::Lost { cause, .. } => cause.clone(),
            BusState::Up => "it takes no more questions".to_owned(),
        })
    }
}

fn understood<T: DeserializeOwned>(answer: &RawValue) -> Result<T, Unanswered> {
    serde_json::from_str(answer.get())
        .map_err(|error| Unanswered::NotSent(format!("its answer cannot be read: {error}")))
}
