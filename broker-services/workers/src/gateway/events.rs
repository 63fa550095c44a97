//! The events of the view's feed as they happen, for those who keep listening: server-sent events.
//!
//! The place of an event is its number in the feed and its id. Numbers alone would not do: a view that was built anew counts
//! from 1 again. Who comes back with a place that the feed does not have any more is told that something is missing.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::json;
use skstore_domain::myinfo::FeedEntry;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connections::Connection;
use crate::view::{Changes, FEED_ENTRIES, View, ViewError};

/// Those who listen at once. Each has a connection of its own, and others need some.
pub(super) const MAX_READERS: usize = 64;
/// Events that are held for one who listens, at most: some 150 KiB. The others wait in the feed.
const EVENTS_AT_ONCE: usize = 500;
/// How long nothing is said where nothing happens: less than what lies between lets connections be idle.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// How long one may listen until it has to come back, with a token that is still good.
const LISTENS_FOR: Duration = Duration::from_secs(600);
/// When to come back, in ms: at once, but not all in the same moment of a restart.
const COME_BACK_MS: u32 = 2000;
/// How long is waited until a view that cannot be reached is read again.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Where in the feed somebody is: after this event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Before all that the feed has.
    Oldest,
    /// Before the first of all.
    Start,
    At {
        number: u64,
        id: String,
    },
}

impl Place {
    /// As it was told; `0` is before all that the feed has.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            None if text == "0" => Some(Self::Oldest),
            Some((number, id)) if !id.is_empty() => number
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .map(|number| Self::At { number, id: id.to_owned() }),
            _ => None,
        }
    }

    /// After the newest event that there is.
    pub(super) async fn newest(view: &View) -> Result<Self, ViewError> {
        let (mut entries, number) = view.feed(0, 1).await?;
        Ok(entries.pop().map_or(Self::Start, |entry| Self::At { number, id: entry.id }))
    }

    const fn number(&self) -> u64 {
        match self {
            Self::Oldest | Self::Start => 0,
            Self::At { number, .. } => *number,
        }
    }
}

/// What comes after a place.
struct Found {
    /// Whether some of it is not there any more.
    has_gap: bool,
    /// The number of the first of the entries.
    first: u64,
    entries: Vec<FeedEntry>,
}

/// Reads what comes after `place`.
async fn read(view: &View, place: &Place) -> Result<Found, ViewError> {
    // With the event of the place itself, by which it is seen whether it is still that.
    let (mut entries, newest) = view.feed(place.number().saturating_sub(1), FEED_ENTRIES).await?;
    let first = |entries: &[FeedEntry], newest: u64| (newest + 1).saturating_sub(entries.len() as u64);
    let at = first(&entries, newest);
    match place {
        Place::Oldest => return Ok(Found { has_gap: false, first: at, entries }),
        Place::Start if at <= 1 => return Ok(Found { has_gap: false, first: at, entries }),
        Place::At { number, id } if at == *number && entries.first().is_some_and(|entry| entry.id == *id) => {
            entries.remove(0);
            return Ok(Found { has_gap: false, first: at + 1, entries });
        }
        Place::Start | Place::At { .. } => {}
    }
    let (entries, newest) = view.feed(0, FEED_ENTRIES).await?;
    Ok(Found { has_gap: true, first: first(&entries, newest), entries })
}

/// Somebody who listens.
struct Reader {
    view: View,
    changes: Changes,
    place: Place,
    connection: Connection,
    ends_at: Instant,
    _seat: OwnedSemaphorePermit,
}

/// What is told on `connection` of what comes after `place`, until it or the gateway ends.
pub(super) fn body(view: &View, place: Place, connection: Connection, seat: OwnedSemaphorePermit) -> Body {
    let (changes, ends_at) = (view.changes(), Instant::now() + LISTENS_FOR);
    let reader = Reader { view: view.clone(), changes, place, connection, ends_at, _seat: seat };
    let hello = stream::once(async { told(format!("retry: {COME_BACK_MS}\n\n")) });
    Body::from_stream(stream::StreamExt::chain(hello, stream::unfold(reader, Reader::next)))
}

fn told(text: String) -> Result<Bytes, Infallible> {
    Ok(text.into())
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let (connection, ends_at) = (self.connection.clone(), self.ends_at);
        let text = tokio::select! {
            biased;
            () = connection.stopped() => return None,
            () = sleep_until(ends_at) => return None,
            text = self.news() => text,
        };
        Some((told(text), self))
    }

    /// The next events, or a sign of life.
    async fn news(&mut self) -> String {
        let news = async {
            loop {
                match read(&self.view, &self.place).await {
                    Ok(found) if found.has_gap || !found.entries.is_empty() => return found,
                    Ok(_) => self.changes.changed().await,
                    // It heals by itself, and whoever listens need not come back for it.
                    Err(_) => sleep(READ_AGAIN_AFTER).await,
                }
            }
        };
        match timeout(HEARTBEAT_EVERY, news).await {
            Ok(found) => self.tell(found),
            Err(_) => ":\n\n".to_owned(),
        }
    }

    fn tell(&mut self, Found { has_gap, first, entries }: Found) -> String {
        let mut text = String::new();
        if has_gap {
            let lost = json!({ "after": self.place.number(), "continues_with": first });
            // A text takes whatever is written.
            let _ = write!(text, "event: gap\ndata: {lost}\n\n");
            self.place = Place::Oldest;
        }
        for (number, entry) in (first..).zip(entries).take(EVENTS_AT_ONCE) {
            let _ = write!(text, "id: {number}.{}\ndata: {}\n\n", entry.id, json!(entry));
            self.place = Place::At { number, id: entry.id };
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::events::{EventKind, OrderKind};
    use skstore_domain::myinfo::ViewWrite;
    use skstore_domain::time::Timestamp;

    use super::*;
    use crate::config::ViewUrl;

    fn happened(number: usize) -> ViewWrite {
        ViewWrite::Feed(FeedEntry {
            id: format!("order/o/{number}"),
            kind: EventKind::Order(OrderKind::Placed),
            subject: "o".to_owned(),
            at: Timestamp(0),
            customer: None,
            amount: None,
            reason: None,
        })
    }

    #[tokio::test]
    async fn what_the_feed_has_forgotten_is_told_as_a_gap_and_nothing_else_is() {
        let view = View::open(&ViewUrl::Embedded, 10).unwrap();
        view.begin_rebuild().await.unwrap();
        let at = |number: u64| Place::At { number, id: format!("order/o/{number}") };
        let found = async |place: &Place| {
            let Found { has_gap, first, entries } = read(&view, place).await.unwrap();
            (has_gap, first, entries.len())
        };
        assert_eq!(found(&Place::Start).await, (false, 1, 0), "nothing has happened yet");
        let writes: Vec<ViewWrite> = (1..=FEED_ENTRIES + 5).map(happened).collect();
        view.apply(&writes).await.unwrap();
        let last = FEED_ENTRIES as u64 + 5;
        for (place, expected) in [
            (Place::Oldest, (false, 6, FEED_ENTRIES)),
            (Place::Start, (true, 6, FEED_ENTRIES)),
            (at(5), (true, 6, FEED_ENTRIES)),
            (at(6), (false, 7, FEED_ENTRIES - 1)),
            (at(last - 1), (false, last, 1)),
            (at(last), (false, last + 1, 0)),
            (at(last + 1), (true, 6, FEED_ENTRIES)),
            (Place::At { number: last, id: "other".to_owned() }, (true, 6, FEED_ENTRIES)),
        ] {
            assert_eq!(found(&place).await, expected, "{place:?}");
        }
        assert_eq!(Place::newest(&view).await.unwrap(), at(last));
    }

    #[test]
    fn a_place_is_what_was_told_and_nothing_else() {
        let at = Place::At { number: 7, id: "order-1/2.5".to_owned() };
        assert_eq!(Place::parse("7.order-1/2.5"), Some(at));
        assert_eq!(Place::parse("0"), Some(Place::Oldest));
        for wrong in ["", "7", "7.", "-1.x", "0.x", "x.y", "99999999999999999999.x"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
