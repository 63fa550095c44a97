//! Tells readers that something has changed, whoever changed it.
//!
//! Every script that changes something enters it into the stream `changes`, which keeps the last one. A writer
//! hears the entry's id from its own script; everybody else waits for the next entry. Ids only grow, so a change
//! that was missed while the connection was away is noticed when it is back, and none is told twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::server::Server;

/// How long Redis holds an answer back while nothing changes; then it is asked again, which proves that the
/// connection lives.
const HOLD: Duration = Duration::from_secs(2);
/// How much later than that the answer may come.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Between two tries to connect: short enough to be back at once, and there is but one such task a process.
const RETRY_AFTER: Duration = Duration::from_millis(250);

/// The id of an entry of a stream: milliseconds of the server's clock, and a number within them.
type ChangeId = (u64, u64);

/// Streams and what is new in each: the entries with their ids and fields.
type Streams = Vec<(String, Vec<Entry>)>;
type Entry = (String, Vec<String>);

/// The last change that is known of.
#[derive(Debug)]
pub(super) struct Told {
    last: Mutex<ChangeId>,
    changed: watch::Sender<u64>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { last: Mutex::new((0, 0)), changed: watch::Sender::new(0) }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Wakes the readers if this change is later than the last one.
    pub(super) fn tell(&self, id: &str) {
        self.tell_if(id, |last, id| id > last);
    }

    fn tell_if(&self, id: &str, is_news: impl Fn(ChangeId, ChangeId) -> bool) {
        let Some(id) = parse(id) else { return };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if is_news(*last, id) {
            *last = id;
            self.changed.send_modify(|count| *count += 1);
        }
    }

    /// Wakes the readers, whatever the last change was.
    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn last(&self) -> String {
        let (ms, number) = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{ms}-{number}")
    }
}

/// Listens to others' changes for as long as the runtime lives.
pub(super) async fn listen(server: Server, stream: String, told: Arc<Told>) {
    loop {
        if let Ok(connection) = server.connect().await {
            let end = follow(connection, &stream, &told).await;
            tracing::debug!(?end, "no longer told of changes; connecting again");
            // Whoever shows the view looks now, and finds that it cannot be reached.
            told.wake();
        }
        sleep(RETRY_AFTER).await;
    }
}

/// Listens until the connection fails. None when Redis did not answer in time.
async fn follow(mut connection: MultiplexedConnection, stream: &str, told: &Told) -> Option<RedisResult<()>> {
    let hold_ms = u64::try_from(HOLD.as_millis()).unwrap_or(u64::MAX);
    loop {
        let mut wait = redis::cmd("XREAD");
        wait.arg("BLOCK").arg(hold_ms).arg("STREAMS").arg(stream).arg(told.last());
        let answer = timeout(HOLD + ANSWER_WITHIN, wait.query_async::<Option<Streams>>(&mut connection));
        match answer.await {
            Ok(Ok(Some(streams))) => {
                for (id, _) in streams.iter().flat_map(|(_, entries)| entries) {
                    told.tell(id);
                }
            }
            // Nothing new, unless another Redis, whose clock is behind, took the place of the last one.
            Ok(Ok(None)) => {
                let mut newest = redis::cmd("XREVRANGE");
                newest.arg(stream).arg("+").arg("-").arg("COUNT").arg(1);
                match timeout(ANSWER_WITHIN, newest.query_async::<Vec<Entry>>(&mut connection)).await {
                    Ok(Ok(entries)) => {
                        for (id, _) in entries {
                            told.tell_if(&id, |last, id| id != last);
                        }
                    }
                    Ok(Err(error)) => return Some(Err(error)),
                    Err(_) => return None,
                }
            }
            Ok(Err(error)) => return Some(Err(error)),
            Err(_) => return None,
        }
    }
}

fn parse(id: &str) -> Option<ChangeId> {
    let (ms, number) = id.split_once('-')?;
    Some((ms.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_an_older_one_not_at_all() {
        let told = Told::new();
        let mut changes = told.subscribe();
        for (id, is_news) in
            [("5-1", true), ("5-1", false), ("4-9", false), ("5-2", true), ("6-0", true), ("", false)]
        {
            told.tell(id);
            assert_eq!(changes.has_changed().unwrap(), is_news, "{id:?}");
            changes.mark_unchanged();
            changes.borrow_and_update();
        }
        assert_eq!(told.last(), "6-0");
    }
}
