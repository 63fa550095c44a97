//! Keys on the screen of health.

use super::{draw, recording};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::Effect;
use crate::dashboard::screens::screen::Screen;
use crate::dashboard::state::State;
use crate::dashboard::table::movement::rows_moved;
use crate::text::Text;

/// The screen of health.
pub(crate) struct HealthScreen;

impl Screen for HealthScreen {
    fn refusal(&self, state: &State, action: Action) -> Option<Text> {
        if action == Action::Record { recording::update::refusal(state) } else { None }
    }

    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        let page = usize::from(layout::areas(state).main.height / 2);
        match action {
            Action::Record => return recording::update::toggle(state),
            Action::Range => state.health_tab.range = state.health_tab.range.next(),
            _ => self.move_by(state, rows_moved(action, page).unwrap_or(0)),
        }
        Vec::new()
    }

    fn move_by(&self, state: &mut State, lines: isize) {
        state.health_tab.scroll.by(lines);
    }

    fn looks_at_queues(&self) -> bool {
        true
    }

    fn shows_time(&self, _: &State) -> bool {
        true
    }

    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
        draw::draw(state, ink, canvas, areas.main);
    }
}
