//! What a breaker tells of its calls with each heartbeat, so that whoever hears it can record them.
//!
//! Calls, of which there may be a thousand a second, travel as rows of numbers; everything else is rare and travels by name.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::journal::{CallEnded, Entry, micros};
use super::{Breaker, Image};
use crate::charges::NoAnswer;
use crate::time::Timestamp;

/// How far back what is told reaches: three heartbeats, so that two of them may be lost.
pub const TOLD_FOR: Duration = Duration::from_secs(3);
/// Most entries that are told at once, within [`MAX_TOLD_BYTES`]: what a desk at its limit does in a second. The newest are told; whoever
/// records sees from their numbers how many are missing.
pub const MAX_TOLD: usize = 1000;

/// Most bytes of what is told at once: a heartbeat may have 64 KiB, and its snapshot of the largest window takes 20 of them.
pub const MAX_TOLD_BYTES: usize = 40 * 1024;

/// The newest entries of a breaker, and where it stands after them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// When this breaker began, by its worker's clock: another one begins to count anew.
    pub began_at: Timestamp,
    /// The number of the first entry.
    pub first: u64,
    /// The entries, the oldest first.
    #[serde(with = "rows")]
    pub entries: Vec<Entry>,
    /// Where it stands after the last of them.
    pub image: Image,
}

impl Breaker {
    /// What it tells at `now`, which began at `began_at`.
    pub fn tell(&mut self, began_at: Timestamp, now: Duration) -> Told {
        self.poll(now);
        let since_us = micros(now.saturating_sub(TOLD_FOR));
        let (first, entries) = self.journal_mut().tell(since_us, MAX_TOLD, MAX_TOLD_BYTES);
        Told { began_at, first, entries, image: self.image(now) }
    }
}

/// What is told by a heartbeat, if it can be understood: a newer version may say it otherwise, and its heartbeat counts all the
/// same.
///
/// # Errors
/// When it is not even JSON.
pub fn if_understood<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Box<Told>>, D::Error> {
    let told = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(told).ok())
}

/// Entries as they travel.
mod rows {
    use super::{CallEnded, Deserialize, Deserializer, Entry, NoAnswer, Serialize, Serializer};

    /// Numbers of a call. The last one is left out where it is 0.
    const LONGEST: usize = 7;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Row {
        /// When it ended; how long before that it had its first permit and how long it took, in microseconds; entries since that
        /// permit; charges that were ok and that failed; whether it was a probe, and why it failed.
        Call(Vec<u64>),
        Named(Entry),
    }

    pub(super) fn serialize<S: Serializer>(entries: &[Entry], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(entries.iter().map(|entry| match entry {
            Entry::Call(call) => Row::Call(packed(call)),
            entry => Row::Named(entry.clone()),
        }))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<Entry>, D::Error> {
        let rows = Vec::<Row>::deserialize(from)?;
        let entry = |row| match row {
            Row::Call(numbers) => unpacked(&numbers).map(Entry::Call),
            Row::Named(entry) => Some(entry),
        };
        let entries: Option<Vec<Entry>> = rows.into_iter().map(entry).collect();
        entries.ok_or_else(|| serde::de::Error::custom("a row of numbers is none of a call"))
    }

    fn packed(call: &CallEnded) -> Vec<u64> {
        let CallEnded { after, given_us, ended_us, took_us, ok, failed, probe, why } = *call;
        let why = why.and_then(|why| NoAnswer::ALL.iter().position(|known| *known == why));
        let how = u64::from(probe) + 2 * why.map_or(0, |at| at as u64 + 1);
        let mut numbers = vec![
            ended_us,
            ended_us.saturating_sub(given_us),
            took_us,
            after,
            u64::from(ok),
            u64::from(failed),
            how,
        ];
        if how == 0 {
            numbers.pop();
        }
        numbers
    }

    fn unpacked(numbers: &[u64]) -> Option<CallEnded> {
        let &[ended_us, waited_us, took_us, after, ok, failed, ref how @ ..] = numbers else { return None };
        if numbers.len() > LONGEST {
            return None;
        }
        let how = how.first().copied().unwrap_or(0);
        let why = match how / 2 {
            0 => None,
            at => Some(*NoAnswer::ALL.get(usize::try_from(at - 1).ok()?)?),
        };
        Some(CallEnded {
            after,
            given_us: ended_us.checked_sub(waited_us)?,
            ended_us,
            took_us,
            ok: u32::try_from(ok).ok()?,
            failed: u32::try_from(failed).ok()?,
            probe: how % 2 == 1,
            why,
        })
    }
}
