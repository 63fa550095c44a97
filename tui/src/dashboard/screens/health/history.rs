//! What the charts show: a point for every second that was looked at, for as long as the longest range.

use std::collections::VecDeque;
use std::time::Duration;

use skstore_domain::books::Sums;
use skstore_domain::signals::{Beat, Service};
use skstore_domain::time::Timestamp;

/// How far back a chart looks, by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// A minute.
    Minute,
    /// Five minutes.
    #[default]
    FiveMinutes,
    /// Half an hour.
    HalfHour,
    /// Two hours.
    TwoHours,
}

impl Range {
    /// All of them, in the order in which a key steps through them.
    pub const ALL: &'static [Self] = &[Self::Minute, Self::FiveMinutes, Self::HalfHour, Self::TwoHours];

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::HalfHour => 1800,
            Self::TwoHours => 7200,
        })
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Minute => Self::FiveMinutes,
            Self::FiveMinutes => Self::HalfHour,
            Self::HalfHour => Self::TwoHours,
            Self::TwoHours => Self::Minute,
        }
    }
}

/// Points that are kept: two hours, some 300 KiB.
const POINTS: usize = 7200;

/// A second, over all order workers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    /// Which, since 1970.
    pub second: i64,
    /// Orders taken.
    pub orders: Option<f64>,
    /// Half of the answers came within this many milliseconds, of the slowest worker.
    pub p50_ms: Option<f64>,
    /// All but a hundredth of them, likewise.
    pub p99_ms: Option<f64>,
    /// Refusals.
    pub refused: Option<f64>,
}

/// Which curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Orders in a second.
    Orders,
    /// Milliseconds that half of the answers take.
    P50,
    /// Milliseconds that nearly all of them take.
    P99,
    /// Refusals in a second.
    Refused,
}

impl Point {
    /// Its value on a curve.
    #[must_use]
    pub const fn on(&self, curve: Curve) -> Option<f64> {
        match curve {
            Curve::Orders => self.orders,
            Curve::P50 => self.p50_ms,
            Curve::P99 => self.p99_ms,
            Curve::Refused => self.refused,
        }
    }
}

/// The points, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    points: VecDeque<Point>,
    /// Orders in the log, and when they were counted.
    counted: Option<(u64, Timestamp)>,
    /// Orders in a second, as of the last two counts.
    rate: Option<f64>,
}

impl History {
    /// The order workers said this, and it is `now`. Beats that are older than `fresh` say nothing of now.
    pub fn heard(&mut self, beats: &[Beat], now: Timestamp, fresh: Duration) {
        let is_fresh = |beat: &&Beat| beat.service == Service::Order && now.since(beat.at) <= fresh;
        let answers = || beats.iter().filter(is_fresh).filter_map(|beat| beat.answers.as_ref());
        if answers().next().is_none() {
            self.rate = None;
            return;
        }
        self.count(beats.iter().filter(is_fresh));
        let slowest = |micros: Option<u64>| micros.map(|micros| micros as f64 / 1000.0);
        let point = Point {
            second: now.0.div_euclid(1000),
            orders: self.rate,
            p50_ms: slowest(answers().filter_map(|answers| answers.p50_us).max()),
            p99_ms: slowest(answers().filter_map(|answers| answers.p99_us).max()),
            refused: Some(answers().map(|answers| answers.refused_per_second as f64).sum()),
        };
        match self.points.back_mut() {
            Some(last) if last.second >= point.second => *last = Point { second: last.second, ..point },
            Some(_) | None => self.points.push_back(point),
        }
        if self.points.len() > POINTS {
            self.points.pop_front();
        }
    }

    /// How many orders came since the last count. All order workers share one log, which each of them reads: the
    /// count that is furthest is the newest.
    fn count<'a>(&mut self, beats: impl Iterator<Item = &'a Beat>) {
        let counts = beats.filter_map(|beat| match beat.books.as_ref()?.sums {
            Sums::Orders { orders, .. } => Some((orders, beat.books.as_ref()?.at)),
            Sums::Money { .. } | Sums::Stock { .. } => None,
        });
        let Some(newest) = counts.max() else { return };
        match self.counted {
            Some((orders, at)) if newest.1 > at && newest.0 >= orders => {
                let seconds = newest.1.since(at).as_secs_f64();
                self.rate = Some((newest.0 - orders) as f64 / seconds);
                self.counted = Some(newest);
            }
            // It is the same one still.
            Some((orders, at)) if (orders, at) == newest => {}
            // The first one, or that of another log.
            Some(_) | None => {
                self.counted = Some(newest);
                self.rate = None;
            }
        }
    }

    /// The newest point, if it is of the last seconds.
    #[must_use]
    pub fn newest(&self) -> Option<&Point> {
        self.points.back()
    }

    /// A curve over the last `range`, in `columns` columns, the newest last: of each column the highest value, since
    /// a peak is what one looks for; nothing where nobody looked.
    #[must_use]
    pub fn columns(&self, curve: Curve, range: Range, now: Timestamp, columns: usize) -> Vec<Option<f64>> {
        let mut shown = vec![None; columns];
        let seconds = i64::try_from(range.length().as_secs()).unwrap_or(i64::MAX);
        let first = now.0.div_euclid(1000) - seconds + 1;
        let width = i64::try_from(columns).unwrap_or(i64::MAX);
        for point in self.points.iter().rev().take_while(|point| point.second >= first) {
            let (into, Some(value)) = (point.second - first, point.on(curve)) else { continue };
            let column = usize::try_from(into.saturating_mul(width) / seconds).unwrap_or(usize::MAX);
            if let Some(shown) = shown.get_mut(column) {
                *shown = Some(shown.unwrap_or(value).max(value));
            }
        }
        fill_between(&mut shown, seconds);
        shown
    }
}

/// With more columns than seconds a point is as wide as its second.
fn fill_between(shown: &mut [Option<f64>], seconds: i64) {
    let seconds = usize::try_from(seconds).unwrap_or(usize::MAX);
    let width = shown.len().div_ceil(seconds);
    let mut last: Option<(f64, usize)> = None;
    for column in shown {
        match (*column, last) {
            (Some(value), _) => last = Some((value, 1)),
            (None, Some((value, wide))) if wide < width => {
                *column = Some(value);
                last = Some((value, wide + 1));
            }
            (None, _) => last = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::books::Books;
    use skstore_domain::signals::AnswersTold;

    use super::*;

    const START: i64 = 1_790_000_000;
    const FRESH: Duration = Duration::from_secs(5);

    fn at(second: i64) -> Timestamp {
        Timestamp((START + second) * 1000)
    }

    fn beat(second: i64, orders: u64, p99_us: u64) -> Beat {
        Beat {
            service: Service::Order,
            instance: "order-1".into(),
            version: "1".into(),
            started_at: at(0),
            at: at(second),
            number: 0,
            clock_ahead_ms: None,
            log: None,
            ready: true,
            last_error: None,
            handled: 0,
            per_second: 0,
            in_flight: 0,
            unsent: 0,
            fault: None,
            fault_left_ms: None,
            takes_faults: true,
            breaker: None,
            rebuilding: None,
            unheard: Vec::new(),
            answers: Some(AnswersTold {
                answered: orders,
                refused: 0,
                per_second: 0,
                refused_per_second: 2,
                p50_us: None,
                p99_us: Some(p99_us),
            }),
            books: Some(Books {
                at: at(second),
                read: 1,
                last: 1,
                sums: Sums::Orders { orders, live: 0, stuck: 0 },
                breach: None,
            }),
            warnings: Vec::new(),
            past: Vec::new(),
            waits: Vec::new(),
            calls: None,
        }
    }

    #[test]
    fn orders_in_a_second_are_what_the_log_grew_by() {
        let mut history = History::default();
        history.heard(&[beat(0, 1000, 5)], at(0), FRESH);
        assert_eq!(history.newest().unwrap().orders, None, "one count tells no rate");
        history.heard(&[beat(2, 1100, 5)], at(2), FRESH);
        assert_eq!(history.newest().unwrap().orders, Some(50.0));
        history.heard(&[beat(2, 1100, 5)], at(3), FRESH);
        assert_eq!(history.newest().unwrap().orders, Some(50.0), "the same count again says the same");
        history.heard(&[beat(4, 7, 5)], at(4), FRESH);
        assert_eq!(history.newest().unwrap().orders, None, "another log");
        // Two workers read one log: the one that is further counts.
        history.heard(&[beat(5, 9, 5), beat(6, 17, 5)], at(6), FRESH);
        assert_eq!(history.newest().unwrap().orders, Some(5.0));
        assert_eq!(history.newest().unwrap().refused, Some(4.0), "refusals of both");
    }

    #[test]
    fn a_column_shows_its_peak_and_a_gap_stays_one() {
        let mut history = History::default();
        for second in (0..60).filter(|second| !(20..40).contains(second)) {
            let micros = if second == 7 { 9_000_000 } else { 1000 };
            history.heard(&[beat(second, 1, micros)], at(second), FRESH);
        }
        let shown = history.columns(Curve::P99, Range::Minute, at(59), 6);
        assert_eq!(shown, [Some(9000.0), Some(1.0), None, None, Some(1.0), Some(1.0)]);
        let wide = history.columns(Curve::P99, Range::Minute, at(59), 120);
        assert_eq!((wide[14], wide[15], wide[16]), (Some(9000.0), Some(9000.0), Some(1.0)));
        assert!(wide[40..80].iter().all(Option::is_none), "{wide:?}");
        assert_eq!(history.columns(Curve::P50, Range::Minute, at(59), 3), [None; 3], "no answer, no time");
        let later = history.columns(Curve::P99, Range::Minute, at(1000), 6);
        assert_eq!(later, [None; 6], "what is older than the range is not shown");
    }

    #[test]
    fn a_silent_worker_says_nothing_of_now_and_the_memory_is_bounded() {
        let mut history = History::default();
        history.heard(&[beat(0, 1, 5)], at(6), FRESH);
        assert_eq!(history.newest(), None);
        for second in 0..9000 {
            history.heard(&[beat(second, 1, 5)], at(second), FRESH);
        }
        assert_eq!(history.points.len(), POINTS);
    }
}
