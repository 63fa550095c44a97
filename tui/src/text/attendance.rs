//! Queues that are read by nobody, or by others than the workers of their service, in a sentence.

use skstore_domain::attendance::{Found, Unattended};

use super::words::Worded as _;
use super::{Language, Text};

/// Which queues, who reads them, and what to do.
#[must_use]
pub fn unattended_words(language: Language, found: &Found) -> String {
    let queues = found.queues.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let service = language.get(found.service.text());
    match found.why {
        Unattended::NoWorker => language.fill(Text::UnattendedNoWorker, &[&queues, &found.service]),
        Unattended::NoReader => language.fill(Text::UnattendedNoReader, &[&queues, &service]),
        Unattended::Others { readers, workers } => {
            language.fill(Text::UnattendedOthers, &[&queues, &readers, &service, &workers])
        }
    }
}
