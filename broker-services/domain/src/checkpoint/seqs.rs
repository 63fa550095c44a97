//! Numbers of log entries, as ranges: a log that is heard in order is one range, however long it is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ranges kept: what is out of order is on its way, in a few messages. Where there are more, the highest are forgotten,
/// and what was in them is asked for again.
pub const MAX_RANGES: usize = 1_000;

/// Numbers of log entries, from 1 on. As text, which is their JSON: `1-812,815,817-819`; nothing for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seqs {
    /// First and last of each range. Between two of them at least one number is missing.
    ranges: BTreeMap<i64, i64>,
}

impl Seqs {
    /// Those from `first` to `last`, both included; none if `first` is after `last`. There are none below 1.
    #[must_use]
    pub fn range(first: i64, last: i64) -> Self {
        let mut seqs = Self::default();
        seqs.insert(first, last);
        seqs
    }

    /// Adds those from `first` to `last`.
    pub fn insert(&mut self, first: i64, last: i64) {
        let (mut first, mut last) = (first.max(1), last);
        if first > last {
            return;
        }
        // All that overlap or touch it become one with it.
        while let Some((&low, &high)) = self.ranges.range(..=last.saturating_add(1)).next_back()
            && high >= first - 1
        {
            (first, last) = (first.min(low), last.max(high));
            self.ranges.remove(&low);
        }
        self.ranges.insert(first, last);
        while self.ranges.len() > MAX_RANGES {
            self.ranges.pop_last();
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: &Self) {
        for (first, last) in &others.ranges {
            self.insert(*first, *last);
        }
    }

    /// The first of those from 1 to `last` that are not among them: from, to.
    #[must_use]
    pub fn first_missing(&self, last: i64) -> Option<(i64, i64)> {
        let mut ranges = self.ranges.iter();
        let (from, next) = match ranges.next() {
            Some((&1, &high)) => (high.saturating_add(1), ranges.next().map(|(low, _)| *low)),
            first => (1, first.map(|(low, _)| *low)),
        };
        let to = next.map_or(last, |next| last.min(next - 1));
        (from <= to).then_some((from, to))
    }

    /// How many of those from 1 to `last` are not among them.
    #[must_use]
    pub fn missing(&self, last: i64) -> u64 {
        let there = self.ranges.range(..=last).map(|(low, high)| (*high).min(last) - low + 1).sum::<i64>();
        u64::try_from(last.saturating_sub(there)).unwrap_or(0)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let lengths = self.ranges.iter().map(|(low, high)| high.abs_diff(*low).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// The highest of them.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.ranges.last_key_value().map(|(_, last)| *last)
    }
}

impl FromIterator<i64> for Seqs {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Self {
        let mut seqs = Self::default();
        numbers.into_iter().for_each(|seq| seqs.insert(seq, seq));
        seqs
    }
}

impl fmt::Display for Seqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// A text that is no list of numbers and ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no list of log entries like 1-812,815")]
pub struct BadSeqs {
    /// It.
    pub text: String,
}

impl FromStr for Seqs {
    type Err = BadSeqs;

    fn from_str(text: &str) -> Result<Self, BadSeqs> {
        let mut seqs = Self::default();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) if 1 <= first && first <= last => seqs.insert(first, last),
                _ => return Err(BadSeqs { text: text.to_owned() }),
            }
        }
        Ok(seqs)
    }
}

impl Serialize for Seqs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seqs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
