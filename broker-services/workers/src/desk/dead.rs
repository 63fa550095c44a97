//! Parked messages at the desk: to look at them, to send them where they came from, and to drop them.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Desk;
use crate::bus::embedded::{DEAD_LETTERS, EmbeddedBus};
use crate::bus::parked::Parked;
use crate::bus::{BusError, PublishOutcome, Receipt, Unacked};

mod letter;

pub use letter::{DeadLetter, ReplayCheck};

/// Bodies that one list carries, in bytes. The first message comes along whatever its size.
pub const LIST_BYTES: usize = 16 * 1024 * 1024;
/// Messages dealt with at once: some dozen milliseconds of a bus, and at most 80 MiB of bodies.
const AT_ONCE: usize = 256;
/// How long the bus may take to confirm those. The embedded one does so once the service is done with them.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// Why parked messages cannot be looked at or dealt with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeadError {
    /// Somebody else has them in hand. Try again.
    #[error("the parked messages cannot be handled now: {0}")]
    Occupied(String),
    /// The bus cannot be reached; they are safe there.
    #[error("the message bus cannot be reached: {0}")]
    Unreachable(String),
}

impl From<BusError> for DeadError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Occupied(why) => Self::Occupied(why),
            BusError::Lost(why) | BusError::Topology(why) => Self::Unreachable(why),
        }
    }
}

/// Which parked messages are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one of this [id](DeadLetter::id).
    One(String),
    /// Every one that was there when it began, as far as [`MAX_IN_HAND`](crate::bus::parked::MAX_IN_HAND) goes.
    All,
}

/// Parked messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadPage {
    /// The oldest of them.
    pub letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: usize,
}

impl DeadPage {
    /// The oldest, at most `max`, of those that the owner of a data directory keeps there, to be looked at by others:
    /// over the embedded bus nobody else can have them in hand.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn kept_in(data_dir: &Path, max: usize) -> std::io::Result<Self> {
        let kept = EmbeddedBus::dead_letters_in(&data_dir.join(DEAD_LETTERS))?;
        Ok(Self { letters: kept.iter().take(max).map(DeadLetter::of).collect(), total: kept.len() })
    }
}

/// What became, or would become, of a parked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It was sent where it came from, and is parked no more.
    Replayed,
    /// A dry run: it would be sent where it came from.
    WouldReplay,
    /// It is gone.
    Dropped,
    /// A dry run: it would be gone.
    WouldDrop,
    /// It stays parked, for this reason.
    Stays(String),
}

/// How many were dealt with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Replayed or dropped; in a dry run, that would be.
    pub done: usize,
    /// Looked at, and left where they are.
    pub stay: usize,
    /// Not looked at: there are more than can be had at once.
    pub left: usize,
}

/// What is done with parked messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Replay,
    Drop,
}

/// A replayed message on its way.
struct Flight {
    letter: DeadLetter,
    unacked: Unacked,
    receipt: Receipt,
}

impl Desk {
    /// The oldest parked messages, at most `max` and about [`LIST_BYTES`] of bodies. They stay where they are. One
    /// operator at a time has them in hand: others wait for their turn, so do not ask for this in a loop; the
    /// number of them is in [`Desk::queues`].
    ///
    /// # Errors
    /// [`DeadError::Occupied`], [`DeadError::Unreachable`].
    pub async fn dead_letters(&self, max: usize) -> Result<DeadPage, DeadError> {
        let mut parked = self.bus.parked(max).await?;
        let (mut letters, mut bytes) = (Vec::new(), 0);
        'pages: loop {
            let page = parked.next(AT_ONCE)?;
            if page.is_empty() {
                break;
            }
            for delivery in page {
                bytes += delivery.message.body.len();
                if bytes > LIST_BYTES && !letters.is_empty() {
                    break 'pages;
                }
                letters.push(DeadLetter::of(&delivery.message));
            }
        }
        Ok(DeadPage { letters, total: parked.total() })
    }

    /// The parked message of that [id](DeadLetter::id). It stays where it is.
    ///
    /// # Errors
    /// As [`Desk::dead_letters`].
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, DeadError> {
        let mut parked = self.bus.parked(usize::MAX).await?;
        loop {
            let page = parked.next(AT_ONCE)?;
            if page.is_empty() {
                return Ok(None);
            }
            let mut letters = page.iter().map(|delivery| DeadLetter::of(&delivery.message));
            if let Some(found) = letters.find(|letter| letter.id == id) {
                return Ok(Some(found));
            }
        }
    }

    /// Sends parked messages where they came from, with all that they carried, and ends each once the bus has
    /// confirmed it: a crash in between may replay it twice, which its ids make harmless, and never loses it.
    /// `told` hears of each what became of it, in a dry run what would.
    ///
    /// Asked for all, it leaves those alone that would only be refused again, and those that might take effect a
    /// second time ([`ReplayCheck::MayDouble`]): these are replayed when they are asked for by their id.
    ///
    /// # Errors
    /// As [`Desk::dead_letters`]; what was replayed before it stays so.
    pub async fn replay_dead(
        &self,
        which: &Which,
        dry_run: bool,
        told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        self.deal(Operation::Replay, which, dry_run, told).await
    }

    /// Ends parked messages for good; otherwise as [`Desk::replay_dead`].
    ///
    /// # Errors
    /// As [`Desk::dead_letters`]; what was dropped before it stays so.
    pub async fn drop_dead(
        &self,
        which: &Which,
        dry_run: bool,
        told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        self.deal(Operation::Drop, which, dry_run, told).await
    }

    async fn deal(
        &self,
        operation: Operation,
        which: &Which,
        dry_run: bool,
        mut told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        let mut parked = self.bus.parked(usize::MAX).await?;
        let mut summary = Summary { left: parked.total(), ..Summary::default() };
        loop {
            let (dispositions, go_on) = self.deal_with_some(operation, which, dry_run, &mut parked).await?;
            for (letter, disposition) in &dispositions {
                match disposition {
                    Disposition::Stays(_) => summary.stay += 1,
                    Disposition::Replayed
                    | Disposition::WouldReplay
                    | Disposition::Dropped
                    | Disposition::WouldDrop => summary.done += 1,
                }
                told(letter, disposition);
            }
            if !go_on || (*which != Which::All && !dispositions.is_empty()) {
                break;
            }
        }
        summary.left = summary.left.saturating_sub(summary.done + summary.stay);
        Ok(summary)
    }

    /// The next few, and whether to go on: not when there are no more, or the bus does not confirm.
    async fn deal_with_some(
        &self,
        operation: Operation,
        which: &Which,
        dry_run: bool,
        parked: &mut Parked,
    ) -> Result<(Vec<(DeadLetter, Disposition)>, bool), DeadError> {
        // Whoever has them in hand has reached the bus.
        let publisher = self.publisher().map_err(|error| DeadError::Unreachable(error.to_string()))?;
        let page = parked.next(AT_ONCE)?;
        let mut go_on = !page.is_empty();
        let (mut dispositions, mut flights) = (Vec::new(), Vec::new());
        for delivery in page {
            let letter = DeadLetter::of(&delivery.message);
            let all = match which {
                Which::All => true,
                Which::One(id) if letter.id == *id && dispositions.is_empty() && flights.is_empty() => false,
                Which::One(_) => continue,
            };
            let disposition = match (operation, letter.replay(all)) {
                (Operation::Drop, _) if dry_run => Disposition::WouldDrop,
                (Operation::Drop, _) => {
                    delivery.unacked.ack();
                    Disposition::Dropped
                }
                (Operation::Replay, Err(why)) => Disposition::Stays(why),
                (Operation::Replay, Ok(_)) if dry_run => Disposition::WouldReplay,
                (Operation::Replay, Ok(message)) => {
                    let receipt = publisher.publish(message);
                    flights.push(Flight { letter, unacked: delivery.unacked, receipt });
                    continue;
                }
            };
            dispositions.push((letter, disposition));
        }
        let until = Instant::now() + CONFIRM_WITHIN;
        for Flight { letter, unacked, receipt } in flights {
            let problem = match timeout_at(until, receipt).await {
                Ok(PublishOutcome::Confirmed) => {
                    unacked.ack();
                    dispositions.push((letter, Disposition::Replayed));
                    continue;
                }
                Ok(PublishOutcome::Returned) => "no queue takes it",
                Ok(PublishOutcome::Nacked) => "its queue is full; try again later",
                Ok(PublishOutcome::Unknown) | Err(_) => {
                    go_on = false;
                    "it was not confirmed in time; it may take effect all the same, and then has no more effect when \
                     it is replayed"
                }
            };
            dispositions.push((letter, Disposition::Stays(problem.to_owned())));
        }
        Ok((dispositions, go_on))
    }
}
