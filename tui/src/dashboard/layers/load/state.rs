//! How fast orders are placed, how that goes, and what became of them. It goes on while the window is closed.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::load::report::Report;
use crate::load::tally::{Counts, Second};

/// Orders a second that can be chosen. Above the last there is: as fast as they are answered.
pub const RATES: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/// Ten a second: seen at once, and far from what any desk takes.
const FIRST_RATE: usize = 3;
/// Seconds that the curve shows.
pub const SHOWN_SECONDS: usize = 60;

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    #[default]
    Idle,
    /// Its customers get money.
    Preparing,
    /// It places orders.
    Running,
    /// It waits for what is in flight.
    Stopping,
    /// It waits for so many orders to end.
    Following(u64),
}

/// A second of a run.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The last second.
    pub second: Second,
    /// The orders so far.
    pub orders: Counts,
    /// How many are on their way.
    pub in_flight: usize,
}

/// What is heard of a run.
#[derive(Debug, Clone)]
pub enum News {
    /// It begins, under this name.
    Begun(String),
    /// How it does.
    Seen(Box<Seen>),
    /// It places nothing more; so many orders are to end yet.
    Open(u64),
    /// It is over.
    Ended(Arc<Report>),
    /// It was ended before it began.
    NotBegun,
    /// It could not be begun: why.
    Failed(String),
}

/// What is known of the load that is put on from here.
#[derive(Debug, Clone)]
pub struct Load {
    /// Place of the rate among [`RATES`], or behind them.
    pub at: usize,
    /// Where it stands.
    pub phase: Phase,
    /// What the run is called.
    pub run: String,
    /// How it does, or did.
    pub seen: Option<Box<Seen>>,
    /// Answers of the last seconds, the newest last.
    pub per_second: VecDeque<u64>,
    /// What the last run came to.
    pub report: Option<Arc<Report>>,
    /// Why the last one could not be begun.
    pub trouble: Option<String>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            at: FIRST_RATE,
            phase: Phase::Idle,
            run: String::new(),
            seen: None,
            per_second: VecDeque::new(),
            report: None,
            trouble: None,
        }
    }
}

impl Load {
    /// Orders a second; none where they are placed as fast as they are answered.
    #[must_use]
    pub fn rate(&self) -> Option<u32> {
        RATES.get(self.at).copied()
    }

    /// Whether there is a run.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether orders are placed, or soon will be.
    #[must_use]
    pub const fn is_placing(&self) -> bool {
        matches!(self.phase, Phase::Preparing | Phase::Running)
    }

    /// A new run begins.
    pub fn begin(&mut self) {
        *self = Self { at: self.at, phase: Phase::Preparing, ..Self::default() };
    }

    /// Takes in what is heard of the run.
    pub fn hear(&mut self, news: News) {
        match news {
            News::Begun(run) => self.run = run,
            News::Seen(seen) => {
                if self.phase == Phase::Preparing {
                    self.phase = Phase::Running;
                }
                self.per_second.push_back(seen.second.ok + seen.second.refused);
                if self.per_second.len() > SHOWN_SECONDS {
                    self.per_second.pop_front();
                }
                self.seen = Some(seen);
            }
            News::Open(open) => self.phase = Phase::Following(open),
            News::Ended(report) => {
                self.phase = Phase::Idle;
                // From now on it is about the whole run.
                if let Some(seen) = &mut self.seen {
                    let (all, orders) = (&report.tally.all, report.tally.orders.clone());
                    seen.second.p50_us = all.percentile(50.0);
                    seen.second.p99_us = all.percentile(99.0);
                    (seen.orders, seen.in_flight) = (orders, 0);
                }
                self.report = Some(report);
            }
            News::NotBegun => self.phase = Phase::Idle,
            News::Failed(why) => {
                self.phase = Phase::Idle;
                self.trouble = Some(why);
            }
        }
    }
}
