//! Keys in the palette.

use super::commands::{self, Command};
use super::state::Palette;
use crate::dashboard::keys::Action;
use crate::dashboard::state::State;

/// Moves in it, or takes the highlighted command if `action` is to take it.
pub(crate) fn act(state: &State, palette: &mut Palette, action: Action) -> Option<Command> {
    let found = commands::found(palette, state);
    match action {
        Action::Up => palette.move_by(-1, found.len()),
        Action::Down => palette.move_by(1, found.len()),
        Action::Accept => return found.get(palette.at).map(|(command, _)| *command),
        _ => {}
    }
    None
}
