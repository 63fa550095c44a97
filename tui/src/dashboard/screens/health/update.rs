//! Keys on the screen of health.

use super::draw;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::Effect;
use crate::dashboard::screens::screen::Screen;
use crate::dashboard::state::State;
use crate::dashboard::table::movement::rows_moved;

/// The screen of health.
pub(crate) struct HealthScreen;

impl Screen for HealthScreen {
    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        let page = usize::from(layout::areas(state).main.height / 2);
        if action == Action::Range {
            state.health_tab.range = state.health_tab.range.next();
        } else if let Some(lines) = rows_moved(action, page) {
            self.move_by(state, lines);
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
