//! Unlogged and transient: heartbeats, breaker changes, and the operator's wishes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::books::Books;
use crate::breaker::{BreakerMode, BreakerSnapshot, BreakerState, Told, Why, if_understood};
use crate::checkpoint::LogHead;
use crate::events::Source;
use crate::faults::Fault;
use crate::order::Awaited;
use crate::time::Timestamp;
use crate::words::words;

words! {
    /// The workers.
    Service {
        /// Takes orders and has them paid.
        Order = "order",
        /// Keeps the money.
        Deposit = "deposit",
        /// Keeps the stock.
        Item = "item",
        /// Keeps the view.
        MyInfo = "myinfo",
    }
}

impl From<Source> for Service {
    fn from(source: Source) -> Self {
        match source {
            Source::Order => Self::Order,
            Source::Deposit => Self::Deposit,
            Source::Item => Self::Item,
        }
    }
}

impl Service {
    /// Whose log it keeps; MyInfo has none.
    #[must_use]
    pub const fn source(self) -> Option<Source> {
        match self {
            Self::Order => Some(Source::Order),
            Self::Deposit => Some(Source::Deposit),
            Self::Item => Some(Source::Item),
            Self::MyInfo => None,
        }
    }
}

/// A worker that has not been heard of for this long is silent: several of its heartbeats, which come every second, were
/// missed.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);

/// `service.beat`: a worker is alive, and how it does. Sent every second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Which worker.
    pub service: Service,
    /// Which process of it: `order-0193…`.
    pub instance: String,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When this was sent, by its own clock.
    pub at: Timestamp,
    /// How many it has sent, this one included: what tells an older one, whatever became of the clock. 0 from versions that did
    /// not count.
    #[serde(default)]
    pub number: u64,
    /// By how many milliseconds its clock is ahead of MyInfo's, below 0 behind it; MyInfo adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
    /// Whether it takes work.
    pub ready: bool,
    /// Why it takes none now. What is over stands in `past`.
    pub last_error: Option<String>,
    /// Messages handled since it started.
    pub handled: u64,
    /// Messages handled in the last second.
    pub per_second: u64,
    /// Messages it has in hand.
    pub in_flight: u64,
    /// Events committed and not yet confirmed by the bus.
    pub unsent: u64,
    /// An injected fault, as [`Fault`] is written.
    pub fault: Option<String>,
    /// In how many milliseconds that heals by itself; nothing if it was there from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_left_ms: Option<u64>,
    /// Whether faults may be injected into it. Versions that did not tell it took them.
    #[serde(default = "yes")]
    pub takes_faults: bool,
    /// Order's breaker, as it is now.
    pub breaker: Option<BreakerSnapshot>,
    /// MyInfo's rebuild of the view, in percent, while one runs.
    pub rebuilding: Option<u8>,
    /// Whose logs that rebuild has not heard to their end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unheard: Vec<Service>,
    /// What it answers to its callers. Not from workers of versions that did not tell it, nor from MyInfo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswersTold>,
    /// What its log comes to, as far as it was read. Not from MyInfo, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books: Option<Books>,
    /// Which log it has, and how far that goes. Not from MyInfo, nor from versions that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogHead>,
    /// What a person has to put right although it takes work, in sentences: a policy of the broker that overrules a
    /// promise, something that it may not declare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What was wrong lately and is over, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    /// Orders that wait for long, by what they wait for, as far as this process of Order has found them. Not from versions
    /// that had a sentence about them among the warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Wait>,
    /// The newest calls of Order's breaker, and where it stands after them, for whoever records them. Not from versions that did
    /// not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    pub calls: Option<Box<Told>>,
}

const fn yes() -> bool {
    true
}

/// Orders that wait for the same, each for more than ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// For what.
    pub what: Awaited,
    /// How many.
    pub count: u64,
    /// Since when the oldest of them does.
    pub since: Timestamp,
    /// How often that one was told again.
    pub told_again: u32,
}

/// Clocks that differ by more are to be put right: people would read times that cannot be. Less is the difference between one
/// message and the next.
pub const MAX_CLOCK_SKEW_MS: u64 = 500;

impl Beat {
    /// Whether it was sent after `last`, another one of the same instance.
    #[must_use]
    pub const fn is_after(&self, last: &Self) -> bool {
        if self.number > 0 && last.number > 0 {
            return self.number > last.number;
        }
        self.at.0 > last.at.0
    }
}

/// Something that was wrong, and is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When it was seen last.
    pub at: Timestamp,
    /// What it was, in a sentence.
    pub what: String,
}

/// Most entries of what is over: a person wants to know what happened, not how often.
pub const MAX_PAST: usize = 4;
/// How long it is told what is over: whoever comes back from lunch still sees what happened meanwhile.
pub const PAST_FOR: Duration = Duration::from_secs(3600);

/// Enters `newer` into what is over: in the order of time, each sentence once, no more than [`MAX_PAST`] of them.
pub fn remember(past: &mut Vec<Past>, newer: Past) {
    past.retain(|entry| entry.what != newer.what || entry.at > newer.at);
    if past.iter().all(|entry| entry.what != newer.what) {
        let at = past.partition_point(|entry| entry.at <= newer.at);
        past.insert(at, newer);
    }
    let surplus = past.len().saturating_sub(MAX_PAST);
    past.drain(..surplus);
}

/// How a worker answers its callers. Replays are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersTold {
    /// Answers since it started.
    pub answered: u64,
    /// Those among them that said no.
    pub refused: u64,
    /// Answers in the last second.
    pub per_second: u64,
    /// Refusals in the last second.
    pub refused_per_second: u64,
    /// Half of the answers of the last ten seconds took no longer than this, in microseconds.
    pub p50_us: Option<u64>,
    /// All but a hundredth of them took no longer than this, in microseconds.
    pub p99_us: Option<u64>,
}

/// `breaker.changed`: the breaker of one order worker went from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BreakerChanged {
    /// The process, as its heartbeats name it.
    pub instance: String,
    /// The time of it.
    pub at: Timestamp,
    /// From.
    pub from: BreakerState,
    /// To.
    pub to: BreakerState,
    /// Why, in English, for logs and for programs that know no other reasons.
    pub why: String,
    /// Why, as something that can be said in any language. Not from versions that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Why::if_understood")]
    pub reason: Option<Why>,
    /// The breaker just after it, with the window that decided it.
    pub breaker: BreakerSnapshot,
}

/// `skstore.control`: what an operator wants of every instance, or of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do")]
pub enum Control {
    /// Hold the breaker open or closed, or let it decide again.
    #[serde(rename = "breaker.force")]
    ForceBreaker {
        /// Only this instance; all of them if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<String>,
        /// What it shall do.
        mode: BreakerMode,
    },
    /// Make a service misbehave, to see what the others make of it. Obeyed only where the settings allow it, and a fault is
    /// over by itself after its time.
    #[serde(rename = "fault.set")]
    SetFault {
        /// The service.
        service: Service,
        /// Only this instance; all of the service if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<String>,
        /// How it misbehaves.
        fault: Fault,
        /// For how many milliseconds at most; [`FAULT_FOR`](crate::faults::FAULT_FOR) if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// Have a worker die in the midst of what it does, as by a kill; where the settings allow it.
    #[serde(rename = "worker.crash")]
    Crash {
        /// The service.
        service: Service,
        /// Only this instance; all of the service if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance: Option<String>,
    },
    /// Build the view anew from the services' logs. While that is being done, one more wish changes nothing.
    #[serde(rename = "view.rebuild")]
    RebuildView,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_without_what_newer_versions_tell_is_read_and_tells_no_more_than_there_is() {
        let old = r#"{"service":"order","instance":"order-1","version":"0.1.0","started_at":"2026-11-28T14:23:16.411Z",
            "at":"2026-11-28T14:23:17.411Z","ready":true,"last_error":null,"handled":1,"per_second":1,"in_flight":0,
            "unsent":0,"fault":null,"breaker":null,"rebuilding":null}"#;
        let mut beat: Beat = serde_json::from_str(old).unwrap();
        assert_eq!(beat.waits, []);
        assert!(!serde_json::to_string(&beat).unwrap().contains("waits"));
        assert_eq!(beat.calls, None);
        let newer = old.replace("\"ready\":", "\"calls\":{\"of_a_newer_version\":[1]},\"ready\":");
        assert_eq!(serde_json::from_str::<Beat>(&newer).unwrap(), beat, "its calls are told otherwise");
        beat.waits = vec![Wait { what: Awaited::Delivery, count: 2, since: Timestamp(0), told_again: 3 }];
        let told = serde_json::to_value(&beat).unwrap();
        let since = "1970-01-01T00:00:00.000Z";
        let wait = serde_json::json!({"what": "delivery", "count": 2, "since": since, "told_again": 3});
        assert_eq!(told["waits"], serde_json::json!([wait]));
        assert_eq!(serde_json::from_value::<Beat>(told).unwrap(), beat);
    }

    #[test]
    fn what_is_over_is_told_once_each_and_the_oldest_is_forgotten() {
        let entry = |at: i64, what: &str| Past { at: Timestamp(at), what: what.to_owned() };
        let mut past = Vec::new();
        for (at, what) in [(1, "a"), (2, "b"), (3, "a"), (2, "a"), (0, "c")] {
            remember(&mut past, entry(at, what));
        }
        assert_eq!(past, [entry(0, "c"), entry(2, "b"), entry(3, "a")]);
        for at in 4..20 {
            remember(&mut past, entry(at, &format!("d{at}")));
        }
        assert_eq!(past.len(), MAX_PAST);
        assert_eq!(past.last(), Some(&entry(19, "d19")));
    }
}
