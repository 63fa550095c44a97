//! Orders that wait for long, in a sentence.

use skstore_domain::order::Awaited;
use skstore_domain::signals::Wait;
use skstore_domain::time::Timestamp;

use super::numbers::grouped;
use super::times::age;
use super::words::told_again_words;
use super::{Language, Text};

/// For what and for whom they wait, how many, and of the oldest for how long and how often that was told again.
#[must_use]
pub fn wait_words(language: Language, wait: &Wait, now: Timestamp) -> String {
    let text = match wait.what {
        Awaited::Payment => Text::WaitsPayment,
        Awaited::Delivery => Text::WaitsDelivery,
        Awaited::Release => Text::WaitsRelease,
    };
    let since = age(language, now.since(wait.since));
    language.fill(text, &[&grouped(wait.count), &since, &told_again_words(language, wait.told_again)])
}
