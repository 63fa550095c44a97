//! How far the clocks of the other workers are from this one's, as their heartbeats show.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use skstore_domain::signals::{Beat, MAX_CLOCK_SKEW_MS};
use skstore_domain::time::Timestamp;
use tokio::time::Instant;

/// Heartbeats that are gone by. The one that was fastest here says most: the others were on their way for longer, which looks
/// like a clock that is behind.
const BEATS: usize = 5;
/// What comes sooner after the one before was kept up on its way: it says nothing of a clock.
const MIN_APART: Duration = Duration::from_millis(500);
/// An instance that was not heard of for so long is gone.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// The clocks of the instances that were heard.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    heard: BTreeMap<String, Heard>,
}

#[derive(Debug)]
struct Heard {
    at: Instant,
    ahead_ms: VecDeque<i64>,
    is_told: bool,
}

impl Clocks {
    /// Enters a heartbeat that has come just now, at `now` by this clock, and adds to it what it shows: how far its clock is
    /// from that of `us`, and where that is too far, a sentence.
    pub(super) fn compare(&mut self, beat: &mut Beat, us: &str, now: Timestamp) {
        let arrived = Instant::now();
        self.heard.retain(|_, heard| heard.at + FORGET_AFTER > arrived);
        let first = || Heard { at: arrived, ahead_ms: VecDeque::new(), is_told: false };
        let heard = self.heard.entry(beat.instance.clone()).or_insert_with(first);
        let is_kept_up = !heard.ahead_ms.is_empty() && arrived < heard.at + MIN_APART;
        heard.at = arrived;
        if !is_kept_up {
            heard.ahead_ms.push_back(beat.at.0.saturating_sub(now.0));
        }
        while heard.ahead_ms.len() > BEATS {
            heard.ahead_ms.pop_front();
        }
        let Some(ahead) = heard.ahead_ms.iter().max().copied().filter(|_| heard.ahead_ms.len() == BEATS)
        else {
            return;
        };
        beat.clock_ahead_ms = Some(ahead);
        let is_skewed = ahead.unsigned_abs() > MAX_CLOCK_SKEW_MS;
        if is_skewed {
            let sentence = sentence(beat, us, ahead, now);
            if !heard.is_told {
                tracing::warn!(instance = beat.instance, "{sentence}");
            }
            beat.warnings.push(sentence);
        }
        heard.is_told = is_skewed;
    }
}

/// What a person is to know of it.
fn sentence(beat: &Beat, us: &str, ahead_ms: i64, now: Timestamp) -> String {
    let seconds = Duration::from_millis(ahead_ms.unsigned_abs()).as_secs_f64();
    let direction = if ahead_ms > 0 { "ahead of" } else { "behind" };
    format!(
        "its clock is {seconds:.1} s {direction} that of {us}: it says {} when it is {now} there. Nothing goes wrong by that but \
         the times that people see; have the machines keep time (NTP)",
        beat.at
    )
}

#[cfg(test)]
mod tests {
    use skstore_domain::signals::Service;

    use super::*;

    fn beat(at: i64) -> Beat {
        serde_json::from_value(serde_json::json!({
            "service": Service::Order, "instance": "order-1", "version": "1", "started_at": Timestamp(0),
            "at": Timestamp(at), "ready": true, "last_error": null, "handled": 0, "per_second": 0, "in_flight": 0,
            "unsent": 0, "fault": null, "breaker": null, "rebuilding": null,
        }))
        .expect("a heartbeat")
    }

    /// Hears a beat each second that is `on_its_way` for so many milliseconds, of a clock that is `ahead`.
    async fn hear(ahead: i64, on_its_way: &[i64]) -> Beat {
        let mut clocks = Clocks::default();
        let mut last = beat(0);
        for (second, late) in (1..).zip(on_its_way) {
            tokio::time::advance(Duration::from_secs(1)).await;
            let now = Timestamp(1_000_000 + second * 1_000);
            last = beat(now.0 + ahead - late);
            clocks.compare(&mut last, "myinfo-1", now);
        }
        last
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_is_told_by_the_heartbeat_that_was_fastest() {
        let table: [(i64, &[i64], Option<i64>, bool); 6] = [
            (0, &[3, 3, 3, 3], None, false),
            (0, &[3, 1, 2_000, 3, 3], Some(-1), false),
            (2_000, &[3, 1, 800, 3, 3], Some(1_999), true),
            (-300_000, &[3, 1, 800, 3, 3], Some(-300_001), true),
            (400, &[0; 5], Some(400), false),
            (-400, &[0; 9], Some(-400), false),
        ];
        for (ahead, on_its_way, expected, is_told) in table {
            let told = hear(ahead, on_its_way).await;
            assert_eq!(told.clock_ahead_ms, expected, "{ahead} ms ahead, on its way for {on_its_way:?}");
            assert_eq!(!told.warnings.is_empty(), is_told, "{ahead} ms ahead: {:?}", told.warnings);
        }
        let told = hear(2_000, &[0; 5]).await.warnings.concat();
        assert!(told.contains("2.0 s ahead of that of myinfo-1") && told.contains("NTP"), "{told}");
    }
}
