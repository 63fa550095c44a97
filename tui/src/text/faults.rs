//! Faults that were injected, in words: what a worker does, and for how long it still will.

use std::time::Duration;

use skstore_domain::faults::Fault;
use skstore_domain::signals::{Beat, Service};
use skstore_domain::time::Timestamp;

use super::words::Worded;
use super::{Language, Text, times};

impl Worded for Fault {
    fn text(&self) -> Text {
        match self {
            Self::None => Text::FaultNone,
            Self::Slow { .. } => Text::FaultSlow,
            Self::LostReplies { .. } => Text::FaultLostReplies,
            Self::Stopped => Text::FaultStopped,
        }
    }
}

/// A fault in words, with its number.
#[must_use]
pub fn fault_words(language: Language, fault: Fault) -> String {
    match fault {
        Fault::Slow { ms } => language.fill(Text::SlowBy, &[&ms]),
        Fault::LostReplies { percent } => language.fill(Text::LosesReplies, &[&percent]),
        Fault::None | Fault::Stopped => language.get(fault.text()).to_owned(),
    }
}

/// The fault that a heartbeat tells, and for how long it lasts at most; as it stands there if only another version knows it.
#[must_use]
pub fn beat_fault_words(language: Language, beat: &Beat, now: Timestamp) -> Option<String> {
    let told = beat.fault.as_deref()?;
    let words = Fault::parse(told).map_or_else(|_| told.to_owned(), |fault| fault_words(language, fault));
    Some(match beat.fault_left_ms {
        None => words,
        Some(ms) => {
            let left = Duration::from_millis(ms).saturating_sub(now.since(beat.at));
            language
                .fill(Text::FaultLeft, &[&words, &times::took(language, Duration::from_secs(left.as_secs()))])
        }
    })
}

/// The faults of all workers that `beats` are of, a text for each service and fault.
#[must_use]
pub fn all_fault_words<'a>(
    language: Language,
    beats: impl Iterator<Item = &'a Beat>,
    now: Timestamp,
) -> Vec<String> {
    let mut seen: Vec<(Service, &str, String)> = Vec::new();
    for beat in beats {
        let Some(fault) = beat.fault.as_deref() else { continue };
        if seen.iter().any(|(service, known, _)| *service == beat.service && *known == fault) {
            continue;
        }
        if let Some(words) = beat_fault_words(language, beat, now) {
            seen.push((beat.service, fault, words));
        }
    }
    seen.into_iter()
        .map(|(service, _, words)| language.fill(Text::FaultOf, &[&language.get(service.text()), &words]))
        .collect()
}
