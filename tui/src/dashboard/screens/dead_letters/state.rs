//! The parked messages: the oldest of them, the selected one, and what is being done with them.

use skstore_workers::desk::{DeadError, DeadLetter, DeadPage, Disposition, Summary, Which};

use crate::dashboard::table::movement::Table;

/// Parked messages that are shown: as many as anybody looks through one by one. The oldest come first, and make place
/// for others once they are dealt with.
pub const LISTED: usize = 500;
/// Reasons of those that stay parked that are told at once.
const REASONS: usize = 3;

/// What can be done with parked messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Send them where they came from.
    Replay,
    /// End them for good.
    Drop,
}

/// Something to do with parked messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// What is to be done.
    pub operation: Operation,
    /// With which.
    pub which: Which,
    /// Only to find out what would happen.
    pub is_dry: bool,
}

/// What became, or would become, of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealReport {
    /// How many.
    pub summary: Summary,
    /// Why some stay parked: the first of the reasons.
    pub stay_because: Vec<String>,
}

impl DealReport {
    /// Takes down what became of one.
    pub fn note(&mut self, disposition: &Disposition) {
        match disposition {
            Disposition::Stays(why)
                if self.stay_because.len() < REASONS && !self.stay_because.contains(why) =>
            {
                self.stay_because.push(why.clone());
            }
            Disposition::Stays(_)
            | Disposition::Replayed
            | Disposition::WouldReplay
            | Disposition::Dropped
            | Disposition::WouldDrop => {}
        }
    }
}

/// The parked messages.
#[derive(Debug, Clone, Default)]
pub struct Dead {
    /// The oldest, in the order in which they were parked.
    pub letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: usize,
    /// Whether they have been read at all.
    pub is_read: bool,
    /// Whether they are being read or dealt with: one operator at a time has them in hand.
    pub is_busy: bool,
    /// Why they could not be read.
    pub problem: Option<DeadError>,
    /// How many the queue held when they were last asked for.
    pub depth: Option<usize>,
    selected: Option<String>,
    /// Rows above the first one that is shown.
    pub offset: usize,
}

impl Dead {
    /// The selected one.
    #[must_use]
    pub fn selected(&self) -> Option<&DeadLetter> {
        self.letters.get(self.selected_index()?)
    }

    /// Takes what was read. Where the selected one is gone, the one in its place is selected.
    pub fn read(&mut self, page: Result<DeadPage, DeadError>, shown: usize) {
        self.is_busy = false;
        match page {
            Ok(DeadPage { letters, total }) => {
                let at = self.selected_index().unwrap_or(0);
                (self.letters, self.total, self.is_read, self.problem) = (letters, total, true, None);
                if !self.letters.iter().any(|letter| Some(&letter.id) == self.selected.as_ref()) {
                    let at = at.min(self.letters.len().saturating_sub(1));
                    self.selected = None;
                    self.select(at);
                }
                self.keep_in_sight(shown);
            }
            Err(problem) => self.problem = Some(problem),
        }
    }
}

impl Table for Dead {
    fn row_count(&self) -> usize {
        self.letters.len()
    }

    fn selected_index(&self) -> Option<usize> {
        let at =
            self.selected.as_ref().and_then(|id| self.letters.iter().position(|letter| letter.id == *id));
        at.or_else(|| (!self.letters.is_empty()).then_some(0))
    }

    fn select(&mut self, index: usize) {
        let selected = self.letters.get(index).map(|letter| letter.id.clone());
        self.selected = selected.or_else(|| self.selected.take());
    }

    fn offset_mut(&mut self) -> &mut usize {
        &mut self.offset
    }
}
