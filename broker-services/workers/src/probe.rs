//! Named points at which a simulation may crash a worker, and the deliberate bugs that it must notice.
//!
//! Outside a simulation a [`Probe`] does nothing, and no bug exists.

/// A point in a loop at which a crash leaves a particular mess behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// Messages are in hand, nothing is written.
    Received,
    /// Written; nobody has been told.
    Committed,
    /// Told; the messages are not acked.
    Answered,
    /// Charges are on their way, their outcome is unknown.
    Called,
    /// Events were handed to the bus, their confirms are still out.
    Published,
    /// The bus has confirmed events that the store still calls unsent.
    Confirmed,
    /// The view has a batch that is not acked.
    Viewed,
}

/// A mistake somebody might make. The simulation must notice each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// Messages are acked before their effects are written.
    AckBeforeCommit,
    /// A release of an unknown charge leaves no tombstone.
    ReleaseWithoutTombstone,
    /// A release gives the amount back however often it comes.
    RefundWithoutKey,
    /// A charge takes the amount however often it comes.
    ChargeWithoutKey,
    /// Events are marked as sent before the bus has confirmed them.
    SentBeforeConfirm,
    /// The view takes whatever comes last for the newest.
    ViewWithoutRevisions,
    /// Nobody looks after orders whose message was lost.
    NoSweeper,
    /// A payment without an answer is taken for a paid one.
    TimeoutIsPaid,
    /// A cancel of an order that is not there yet leaves no tombstone.
    CancelWithoutTombstone,
    /// A delivery takes its units however often it is asked for.
    DeliverWithoutKey,
    /// The units of a cancelled order stay out of the stock.
    CancelKeepsStock,
    /// A rejected order is not told to anyone, so that nobody gives its charge back.
    RejectSilently,
    /// Events that were not confirmed before a crash are not sent again.
    NoRelayAfterRestart,
    /// What another process on the same store has committed is not sent by the one that relays.
    RelayOnlyItsOwn,
    /// An order that waits for somebody is not told again.
    TellsOnce,
    /// An order that is told again is told by an event of its own.
    TellsAgainAsNew,
    /// Who is told again does not say again what it has recorded.
    KeepsItsRecordToItself,
    /// Entries of a log that did not come are taken for applied.
    TakesGapsForComplete,
    /// A log that took something back is taken for the one that was heard.
    IgnoresIncarnations,
    /// An order that is not known is disowned, and nobody is told.
    DisownsInSilence,
    /// Deposit goes by the time at which Order says that it stops waiting.
    ForeignDeadline,
}

impl Bug {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AckBeforeCommit,
        Self::ReleaseWithoutTombstone,
        Self::RefundWithoutKey,
        Self::ChargeWithoutKey,
        Self::SentBeforeConfirm,
        Self::ViewWithoutRevisions,
        Self::NoSweeper,
        Self::TimeoutIsPaid,
        Self::CancelWithoutTombstone,
        Self::DeliverWithoutKey,
        Self::CancelKeepsStock,
        Self::RejectSilently,
        Self::NoRelayAfterRestart,
        Self::RelayOnlyItsOwn,
        Self::TellsOnce,
        Self::TellsAgainAsNew,
        Self::KeepsItsRecordToItself,
        Self::TakesGapsForComplete,
        Self::IgnoresIncarnations,
        Self::DisownsInSilence,
        Self::ForeignDeadline,
    ];
}

#[cfg(feature = "simulation")]
pub use simulated::Probe;

#[cfg(feature = "simulation")]
mod simulated {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::{Bug, Point};

    /// Handed to every loop; a simulation decides what it does.
    #[derive(Clone, Default)]
    pub struct Probe {
        bugs: Arc<BTreeSet<Bug>>,
        crash: Option<Arc<dyn Fn(Point) -> bool + Send + Sync>>,
    }

    impl Probe {
        /// Crashes wherever `crash` says so, and makes the mistakes in `bugs`.
        #[must_use]
        pub fn new(bugs: BTreeSet<Bug>, crash: impl Fn(Point) -> bool + Send + Sync + 'static) -> Self {
            Self { bugs: Arc::new(bugs), crash: Some(Arc::new(crash)) }
        }

        /// Returns at once, or never: whoever decided on the crash drops the worker here.
        pub async fn at(&self, point: Point) {
            if self.crash.as_ref().is_some_and(|crash| crash(point)) {
                std::future::pending::<()>().await;
            }
        }

        /// Whether this mistake is to be made.
        #[must_use]
        pub fn has(&self, bug: Bug) -> bool {
            self.bugs.contains(&bug)
        }
    }

    impl std::fmt::Debug for Probe {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Probe").field("bugs", &self.bugs).finish_non_exhaustive()
        }
    }
}

/// Handed to every loop; does nothing outside a simulation.
#[cfg(not(feature = "simulation"))]
#[derive(Debug, Clone, Default)]
pub struct Probe(());

#[cfg(not(feature = "simulation"))]
impl Probe {
    /// Returns at once.
    #[expect(clippy::unused_async, reason = "in a simulation a crash happens at this await")]
    pub async fn at(&self, _point: Point) {}

    /// No.
    #[must_use]
    pub const fn has(&self, _bug: Bug) -> bool {
        false
    }
}
