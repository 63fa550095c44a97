//! Records a breaker for the runner, and tells how that goes: the outside of the recording in the tab of health.

use std::path::PathBuf;

use skstore_workers::desk::view::View;
use tokio::sync::watch;

use super::reading::{READ_WITHIN, cause, late};
use super::screens::health::recording::state::{Ended, News, Trouble};
use crate::recording::{Recording, Seen, newest};

/// A recording that somebody can end.
#[derive(Debug)]
pub(super) struct Recorder {
    stopped: watch::Sender<bool>,
    news: watch::Receiver<Option<News>>,
}

/// What is recorded, and where.
#[derive(Debug)]
pub(super) struct Wish {
    /// Whose breaker.
    pub(super) instance: String,
    /// The directory of recordings.
    pub(super) directory: PathBuf,
    /// What the file is called there, if nothing else is.
    pub(super) name: String,
}

impl Recorder {
    /// A recording of what `view` tells, and what has to be waited for to have it done. The last news come from there. Where it
    /// is dropped instead, the file is ended in good order.
    pub(super) fn start(view: View, wish: Wish) -> (Self, impl Future<Output = News>) {
        let (stopped, is_stopped) = watch::channel(false);
        let (told, news) = watch::channel(None);
        (Self { stopped, news }, record(view, wish, is_stopped, told))
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// The next news of it. Cancel-safe.
    pub(super) async fn news(&mut self) -> News {
        loop {
            if self.news.changed().await.is_err() {
                // The last ones come from elsewhere.
                std::future::pending::<()>().await;
            }
            if let Some(news) = self.news.borrow_and_update().clone() {
                return news;
            }
        }
    }
}

async fn record(
    view: View,
    wish: Wish,
    mut stopped: watch::Receiver<bool>,
    told: watch::Sender<Option<News>>,
) -> News {
    let begun = begin(&view, wish).await;
    let mut recording = match begun {
        Ok(recording) => recording,
        Err(trouble) => return News::Failed(trouble),
    };
    told.send_replace(Some(News::Seen(recording.recorded().calls)));
    let tell = |seen| {
        // That nothing is heard any more follows from the time.
        if let Seen::Heard(recorded) = seen {
            told.send_replace(Some(News::Seen(recorded.calls)));
        }
    };
    let followed = tokio::select! {
        biased;
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
        followed = recording.follow(&view, tell) => followed,
    };
    let (path, is_full) = (recording.path().to_owned(), recording.is_full());
    let recorded = match followed {
        Ok(()) => recording.finish(&view).await,
        Err(error) => Err(error),
    };
    match recorded {
        Ok(recorded) => News::Ended(Ended { path, calls: recorded.calls, is_full }),
        Err(error) => News::Failed(Trouble::File(error)),
    }
}

async fn begin(view: &View, wish: Wish) -> Result<Recording, Trouble> {
    let read = tokio::time::timeout(READ_WITHIN, newest(view, &wish.instance)).await;
    let beat = read.unwrap_or_else(|_| Err(late())).map_err(|error| Trouble::View(cause(error)))?;
    let beat = beat.filter(|beat| beat.calls.is_some()).ok_or(Trouble::NotTold)?;
    // What is told of it is to be understood from any directory.
    let directory = std::path::absolute(&wish.directory).unwrap_or(wish.directory);
    Recording::begin_in(&directory, &wish.name, &beat).map_err(Trouble::File)
}
