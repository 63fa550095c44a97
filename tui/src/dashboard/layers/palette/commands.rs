//! Everything that can be done on the screen that is shown, found by its name.

use super::state::Palette;
use crate::dashboard::keys::{Action, Chord};
use crate::dashboard::layers::dialogs::state::{Choice, MenuKind};
use crate::dashboard::refusal::refusal;
use crate::dashboard::state::State;
use crate::text::{Language, fuzzy};

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// What a key does, which has this key here.
    Act(Action, Option<Chord>),
    /// What a menu offers.
    Choose(Choice),
}

/// The commands that match what is typed, with their names; the best first, and of those what is possible now.
pub(super) fn found(palette: &Palette, state: &State) -> Vec<(Command, String)> {
    let language = state.look.language;
    let typed = palette.query.text();
    let mut found: Vec<((u8, bool), Command, String)> = commands(state)
        .into_iter()
        .filter_map(|(command, name)| {
            let by_word = match command {
                Command::Act(action, _) => fuzzy::rank(typed, action.word()),
                Command::Choose(choice) => fuzzy::rank(typed, &choice.words(other(language))),
            };
            let rank = [fuzzy::rank(typed, &name), by_word].into_iter().flatten().min()?;
            let is_refused = match command {
                Command::Act(action, _) => refusal(state, action).is_some(),
                Command::Choose(_) => false,
            };
            Some(((rank, is_refused), command, name))
        })
        .collect();
    found.sort_by_key(|(rank, ..)| *rank);
    found.into_iter().map(|(_, command, name)| (command, name)).collect()
}

const fn other(language: Language) -> Language {
    language.next()
}

/// Everything that can be done on the tab that is shown, but for moving about in it.
fn commands(state: &State) -> Vec<(Command, String)> {
    let language = state.look.language;
    let mut commands: Vec<(Command, String)> = Vec::new();
    for bound in state.keys.of_scope(state.base_scope()) {
        let is_known = commands
            .iter()
            .any(|(known, _)| matches!(known, Command::Act(action, _) if *action == bound.action));
        if !moves(bound.action) && !is_known {
            let command = Command::Act(bound.action, bound.keys.first().copied());
            commands.push((command, language.get(bound.text).to_owned()));
        }
    }
    let choices = [MenuKind::Breaker, MenuKind::Faults].into_iter().flat_map(|menu| menu.choices());
    commands.extend(choices.map(|choice| (Command::Choose(*choice), choice.words(language))));
    commands
}

const fn moves(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::DetailUp
            | Action::DetailDown
            | Action::Palette
    )
}
