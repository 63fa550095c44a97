//! All that a breaker decides by, as data: so that another one can go on where it was.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Breaker, Permit, Phase, Probing};
use crate::breaker::journal::{Journal, micros};
use crate::breaker::streak::Streak;
use crate::breaker::window::Window;
use crate::breaker::{BreakerMode, BreakerSettings, BreakerState, Counts};

/// All that a breaker decides by, but for its settings. Times are on its own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The time of it, in microseconds.
    pub at_us: u64,
    /// The number of the next entry of its journal.
    pub next: u64,
    /// The number of the first entry since it came into its present state.
    pub entered: u64,
    /// What it lets through.
    pub state: BreakerState,
    /// What the operator wants of it.
    pub mode: BreakerMode,
    /// When it came into that state, in microseconds.
    pub since_us: u64,
    /// Half-open: probes that have succeeded.
    #[serde(default)]
    pub probes_ok: u32,
    /// Half-open: probes in flight, each by the number of the next entry and the time in microseconds when it was given.
    #[serde(default)]
    pub probes: Vec<(u64, u64)>,
    /// Calls in a row without a usable answer.
    #[serde(default)]
    pub in_a_row: u32,
    /// When the last of them had failed, in microseconds.
    #[serde(default)]
    pub last_failed_us: u64,
    /// The window's buckets, oldest first: calls, charges that were ok, failed and slow, and those refused.
    pub buckets: Vec<[u32; 5]>,
    /// When the newest of them ends, in nanoseconds: a window need not divide into whole microseconds.
    pub newest_ends_ns: u64,
}

/// Why an image is none of a breaker with the settings that stand beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongImage {
    /// A state and a mode that never go together.
    Mode(BreakerState, BreakerMode),
    /// It has so many buckets instead of so many.
    Buckets(usize, u32),
    /// It has so many probes, and may have so many.
    Probes(usize, u32),
}

impl fmt::Display for WrongImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(state, mode) => write!(f, "a breaker that is {state} is never held in mode {mode}"),
            Self::Buckets(found, expected) => {
                write!(f, "its window has {found} buckets where the settings say {expected}")
            }
            Self::Probes(found, most) => write!(f, "it has {found} probes where the settings allow {most}"),
        }
    }
}

/// The permits of the probes that an image tells of, each with what names it there.
pub(in crate::breaker) type ImagedProbes = Vec<((u64, u64), Permit)>;

impl Breaker {
    /// All that it decides by. [`poll`](Self::poll) first.
    #[must_use]
    pub fn image(&self, now: Duration) -> Image {
        let (in_a_row, last) = self.streak.told();
        let (buckets, _) = self.window.at(now);
        let (probes_ok, probes) = match &self.phase {
            Phase::HalfOpen(probing) => {
                let alive = probing.given.iter().filter(|probe| probe.permit.strong_count() > 0);
                (probing.succeeded, alive.map(|probe| (probe.after, micros(probe.given))).collect())
            }
            Phase::Closed | Phase::HeldClosed | Phase::Open { .. } | Phase::HeldOpen => (0, Vec::new()),
        };
        Image {
            at_us: micros(now),
            next: self.journal.next(),
            entered: self.journal.entered(),
            state: self.state(),
            mode: self.mode(),
            since_us: micros(self.since),
            probes_ok,
            probes,
            in_a_row,
            last_failed_us: micros(last),
            buckets: buckets.iter().map(|b| [b.calls, b.ok, b.failed, b.slow, b.refused]).collect(),
            newest_ends_ns: nanos(self.window.ends().0),
        }
    }

    /// A breaker with `settings` that goes on where another one was, which had `recorded` for settings. What in it depends on
    /// the settings is made to fit: an open one stays so for as long as these settings say, and no more probes are taken over
    /// than they allow.
    ///
    /// # Errors
    /// [`WrongImage`].
    pub(in crate::breaker) fn restore(
        image: &Image,
        recorded: &BreakerSettings,
        settings: BreakerSettings,
    ) -> Result<(Self, ImagedProbes), WrongImage> {
        image.check(recorded)?;
        let at = Duration::from_micros(image.at_us);
        let mut breaker = Self::new(settings, at);
        breaker.since = Duration::from_micros(image.since_us);
        let buckets: Vec<Counts> = image.buckets.iter().map(|bucket| counts(*bucket)).collect();
        let width = Window::new(recorded, at).ends().1;
        let newest_ends = Duration::from_nanos(image.newest_ends_ns);
        breaker.window = Window::of(&breaker.settings, &buckets, newest_ends, width);
        breaker.streak = Streak::of(image.in_a_row, Duration::from_micros(image.last_failed_us));
        let mut permits = Vec::new();
        breaker.phase = match (image.state, image.mode) {
            (BreakerState::Closed, BreakerMode::Auto) => Phase::Closed,
            (BreakerState::Closed, _) => Phase::HeldClosed,
            (BreakerState::Open, BreakerMode::Auto) => {
                Phase::Open { until: breaker.since.saturating_add(breaker.settings.open_for) }
            }
            (BreakerState::Open, _) => Phase::HeldOpen,
            (BreakerState::HalfOpen, _) => {
                let mut probing = Probing {
                    given: Vec::new(),
                    succeeded: image.probes_ok.min(breaker.settings.probes - 1),
                };
                let room = breaker.settings.probes - probing.succeeded;
                for &(after, given_us) in image.probes.iter().take(room as usize) {
                    let given = Duration::from_micros(given_us);
                    let probe = Some(probing.give(given, after));
                    let _place = Rc::clone(&breaker.bulkhead);
                    permits.push(((after, given_us), Permit { generation: 0, given, after, probe, _place }));
                }
                Phase::HalfOpen(probing)
            }
        };
        breaker.journal = Journal::default();
        breaker.poll(at);
        Ok((breaker, permits))
    }
}

impl Image {
    fn check(&self, recorded: &BreakerSettings) -> Result<(), WrongImage> {
        let (state, mode) = (self.state, self.mode);
        let is_held_elsewhere = match mode {
            BreakerMode::Auto => false,
            BreakerMode::Open => state != BreakerState::Open,
            BreakerMode::Closed => state != BreakerState::Closed,
        };
        if is_held_elsewhere {
            return Err(WrongImage::Mode(state, mode));
        }
        if self.buckets.len() != recorded.buckets.max(1) as usize {
            return Err(WrongImage::Buckets(self.buckets.len(), recorded.buckets.max(1)));
        }
        let most = recorded.probes.max(1);
        if self.probes.len() > most as usize {
            return Err(WrongImage::Probes(self.probes.len(), most));
        }
        Ok(())
    }
}

const fn counts([calls, ok, failed, slow, refused]: [u32; 5]) -> Counts {
    Counts { calls, ok, failed, slow, refused }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
