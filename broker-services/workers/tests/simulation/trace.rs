//! What happened in a simulation, line by line: the same for the same seed.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Lines in the order in which they happened, each with its virtual time.
#[derive(Debug, Default, Clone)]
pub(crate) struct Trace(Vec<String>);

impl Trace {
    pub(crate) fn add(&mut self, millis: u128, what: &str) {
        self.0.push(format!("{millis:>7} ms  {what}"));
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.0
    }

    /// Only the lines about `subject`, and those about workers and faults.
    pub(crate) fn about(&self, subject: &str) -> String {
        let lines = self.0.iter().filter(|line| line.contains(subject) || line.contains("  ** "));
        lines.cloned().collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn text(&self) -> String {
        self.0.join("\n")
    }

    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }
}
