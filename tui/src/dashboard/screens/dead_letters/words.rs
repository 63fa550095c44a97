//! What would become of parked messages, and what did, in words.

use skstore_workers::desk::{DeadError, Which};

use super::state::{Deal, DealReport, Operation};
use crate::dashboard::ink::Ink;
use crate::text::Text;

/// Why they cannot be looked at or dealt with.
pub(crate) fn problem(ink: &Ink<'_>, problem: &DeadError) -> String {
    match problem {
        DeadError::Occupied(cause) => ink.fill(Text::DeadOccupied, &[cause]),
        DeadError::Unreachable(cause) => ink.fill(Text::DeadUnreachable, &[cause]),
    }
}

/// What would happen, by a dry run.
pub(crate) fn plan(ink: &Ink<'_>, (deal, report): &(Deal, DealReport)) -> Vec<String> {
    let what = match (deal.operation, &deal.which) {
        (Operation::Replay, Which::One(id)) => ink.fill(Text::PlanReplayOne, &[id]),
        (Operation::Replay, Which::All) => ink.fill(Text::PlanReplayAll, &[&report.summary.done]),
        (Operation::Drop, Which::One(id)) => ink.fill(Text::PlanDropOne, &[id]),
        (Operation::Drop, Which::All) => ink.fill(Text::PlanDropAll, &[&report.summary.done]),
    };
    std::iter::once(what).chain(rest(ink, report)).collect()
}

/// What became of them, in one sentence after the other.
pub(crate) fn summary(ink: &Ink<'_>, deal: &Deal, report: &DealReport) -> String {
    let done = match (deal.is_dry, deal.operation) {
        (true, _) => ink.text(Text::DealtNothing).to_owned(),
        (false, Operation::Replay) => ink.fill(Text::DealtReplayed, &[&report.summary.done]),
        (false, Operation::Drop) => ink.fill(Text::DealtDropped, &[&report.summary.done]),
    };
    std::iter::once(done).chain(rest(ink, report)).collect::<Vec<_>>().join(" ")
}

/// How many stay, why, and how many were not looked at.
fn rest(ink: &Ink<'_>, report: &DealReport) -> Vec<String> {
    let mut told = Vec::new();
    if report.summary.stay > 0 {
        told.push(ink.fill(Text::PlanStay, &[&report.summary.stay, &report.stay_because.join("; ")]));
    }
    if report.summary.left > 0 {
        told.push(ink.fill(Text::PlanLeft, &[&report.summary.left]));
    }
    told
}
