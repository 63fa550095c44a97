//! The command palette: everything that can be done here, found by its name.

use super::State;
use super::dialogs::{Choice, MenuKind};
use super::input::TextInput;
use crate::dashboard::keys::{Action, Chord};
use crate::dashboard::update::refusal;
use crate::text::{Language, fuzzy};

/// Longest text that is looked for, in characters: longer than any command's name.
const MAX_QUERY_CHARS: usize = 60;

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// What a key does, which has this key here.
    Act(Action, Option<Chord>),
    /// What a menu offers.
    Choose(Choice),
}

/// A line in which a command is looked for.
#[derive(Debug, Clone)]
pub struct Palette {
    /// What is typed.
    pub query: TextInput,
    /// The highlighted command of those that match.
    pub at: usize,
}

impl Default for Palette {
    fn default() -> Self {
        Self { query: TextInput::new(MAX_QUERY_CHARS), at: 0 }
    }
}

impl Palette {
    /// The commands that match what is typed, with their names; the best first, and of those what is possible now.
    #[must_use]
    pub fn found(&self, state: &State) -> Vec<(Command, String)> {
        let language = state.look.language;
        let typed = self.query.text();
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

    /// Moves the highlight, and stops at the ends.
    pub fn move_by(&mut self, by: isize, found: usize) {
        self.at = self.at.saturating_add_signed(by).min(found.saturating_sub(1));
    }
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
