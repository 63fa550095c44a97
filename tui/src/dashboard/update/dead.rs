//! Keys in the table of parked messages. Whatever they ask for is first tried without doing it, so that the question
//! can say what would happen.

use skstore_workers::desk::topology;
use skstore_workers::desk::{DeadError, Which};

use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::Effect;
use crate::dashboard::state::dead::{Deal, DealReport, Operation};
use crate::dashboard::state::dialogs::{Confirm, Question};
use crate::dashboard::state::toasts::Notice;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;
use crate::text::Text;

/// Why `action` is not possible with parked messages now.
pub(super) fn refusal(state: &State) -> Option<Text> {
    if state.dead.letters.is_empty() {
        return Some(Text::WhyNothingParked);
    }
    state.dead.is_busy.then_some(Text::WhyParkedBusy)
}

/// Does what a key in the table of parked messages does.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let one = || state.dead.selected().map(|letter| Which::One(letter.id.clone()));
    let wanted = match action {
        Action::ReplayDead => one().map(|which| (Operation::Replay, which)),
        Action::ReplayAllDead => Some((Operation::Replay, Which::All)),
        Action::DropDead => one().map(|which| (Operation::Drop, which)),
        Action::DropAllDead => Some((Operation::Drop, Which::All)),
        _ => None,
    };
    if let Some((operation, which)) = wanted {
        state.dead.is_busy = true;
        return vec![Effect::Deal(Deal { operation, which, is_dry: true })];
    }
    let shown = layout::shown_rows(state);
    let page = isize::try_from(shown).unwrap_or(isize::MAX);
    match action {
        Action::Up => state.dead.move_by(-1, shown),
        Action::Down => state.dead.move_by(1, shown),
        Action::PageUp => state.dead.move_by(-page, shown),
        Action::PageDown => state.dead.move_by(page, shown),
        Action::First => state.dead.move_by(isize::MIN, shown),
        Action::Last => state.dead.move_by(isize::MAX, shown),
        _ => {}
    }
    Vec::new()
}

/// Reads the parked messages, unless somebody of us has them in hand.
pub(super) fn read(state: &mut State) -> Vec<Effect> {
    if state.dead.is_busy {
        return Vec::new();
    }
    state.dead.is_busy = true;
    vec![Effect::ReadDead]
}

/// Reads them again when their number has changed, while they are shown: not in a loop, since only one operator at a
/// time can have them.
pub(super) fn follow(state: &mut State) -> Vec<Effect> {
    let queues = state.queues.as_deref().unwrap_or_default();
    let queue = queues.iter().find(|queue| &*queue.name == topology::DEAD);
    let Some(depth) = queue.map(|queue| queue.ready + queue.unacked.unwrap_or(0)) else { return Vec::new() };
    if state.tab != Tab::Dead || state.dead.is_busy || state.dead.depth == Some(depth) {
        return Vec::new();
    }
    state.dead.depth = Some(depth);
    read(state)
}

/// What became of a deal; after a dry run it is asked whether to do it.
pub(super) fn summary(state: &mut State, deal: Deal, result: Result<DealReport, DeadError>) -> Vec<Effect> {
    state.dead.is_busy = false;
    let report = match result {
        Ok(report) => report,
        Err(problem) => {
            state.toasts.say(Notice::NotDealt(problem), state.now);
            return Vec::new();
        }
    };
    if deal.is_dry && report.summary.done > 0 {
        let deal = Deal { is_dry: false, ..deal };
        let question = Question::Deal(Box::new((deal, report)));
        state.layers.push(Layer::Confirm(Box::new(Confirm { question, yes: false })));
        return Vec::new();
    }
    let was_dry = deal.is_dry;
    state.toasts.say(Notice::Summary(deal, report), state.now);
    if was_dry { Vec::new() } else { read(state) }
}
