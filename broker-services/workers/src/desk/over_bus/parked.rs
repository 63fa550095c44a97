//! Parked messages over a bus: to look at them, to send them where they came from, and to drop them.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::bus::parked::Parked;
use crate::bus::{PublishOutcome, Receipt, Unacked};
use crate::desk::dead::{
    DeadError, DeadLetter, DeadPage, Disposition, LIST_BYTES, Operation, Summary, Which,
};
use crate::desk::over_bus::OverBus;

/// Messages dealt with at once: some dozen milliseconds of a bus, and at most 80 MiB of bodies.
const AT_ONCE: usize = 256;
/// How long the bus may take to confirm those. The embedded one does so once the service is done with them.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// A replayed message on its way.
struct Flight {
    letter: DeadLetter,
    unacked: Unacked,
    receipt: Receipt,
}

impl OverBus {
    pub(in crate::desk) async fn dead_letters(&self, max: usize) -> Result<DeadPage, DeadError> {
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

    pub(in crate::desk) async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, DeadError> {
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

    pub(in crate::desk) async fn deal(
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
