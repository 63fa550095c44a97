//! Keys in the table of parked messages. Whatever they ask for is first tried without doing it, so that the question
//! can say what would happen.

use skstore_workers::desk::topology;
use skstore_workers::desk::{DeadError, Which};

use super::draw;
use super::state::{Deal, DealReport, Operation};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layers::dialogs::state::Question;
use crate::dashboard::layout::Areas;
use crate::dashboard::message::Effect;
use crate::dashboard::screens::screen::Screen;
use crate::dashboard::state::State;
use crate::dashboard::tab::Tab;
use crate::dashboard::table::movement::Table;
use crate::dashboard::toasts::state::Notice;
use crate::text::Text;

/// The screen of parked messages.
pub(crate) struct DeadLettersScreen;

impl Screen for DeadLettersScreen {
    fn refusal(&self, state: &State, action: Action) -> Option<Text> {
        match action {
            Action::ReplayDead | Action::ReplayAllDead | Action::DropDead | Action::DropAllDead => {
                let busy = state.dead.is_busy.then_some(Text::WhyParkedBusy);
                if state.dead.letters.is_empty() { Some(Text::WhyNothingParked) } else { busy }
            }
            _ => None,
        }
    }

    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
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
        self.move_as(state, action);
        Vec::new()
    }

    fn table<'a>(&self, state: &'a mut State) -> Option<&'a mut dyn Table> {
        Some(&mut state.dead)
    }

    fn entered(&self, state: &mut State) -> Vec<Effect> {
        read(state)
    }

    fn looks_at_queues(&self) -> bool {
        true
    }

    fn shows_time(&self, _: &State) -> bool {
        true
    }

    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
        draw::table(state, ink, canvas, areas.main);
        areas.draw_beside(ink, canvas, |width| draw::whole(state, ink, width));
    }
}

/// Reads the parked messages, unless they are being read or dealt with already.
fn read(state: &mut State) -> Vec<Effect> {
    if state.dead.is_busy {
        return Vec::new();
    }
    state.dead.is_busy = true;
    vec![Effect::ReadDead]
}

/// Reads them again when their number has changed, while they are shown: not in a loop, since only one operator at a
/// time can have them.
pub(crate) fn follow(state: &mut State) -> Vec<Effect> {
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
pub(crate) fn summary(state: &mut State, deal: Deal, result: Result<DealReport, DeadError>) -> Vec<Effect> {
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
        state.ask(Question::Deal(Box::new((deal, report))));
        return Vec::new();
    }
    let was_dry = deal.is_dry;
    state.toasts.say(Notice::Summary(deal, report), state.now);
    if was_dry { Vec::new() } else { read(state) }
}
