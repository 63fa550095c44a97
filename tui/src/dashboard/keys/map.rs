//! Which key does what where: the table as it stands, or with the keys that the settings want instead.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Chord, Scope, TABLE};
use crate::text::{Language, Text};

/// A line of the table, with the keys that count.
#[derive(Debug, Clone)]
pub struct Bound {
    /// What it does.
    pub action: Action,
    /// The keys; the first is the one that is shown in the footer.
    pub keys: Vec<Chord>,
    /// The screens and layers on which it acts.
    pub scopes: &'static [Scope],
    /// What it is called.
    pub text: Text,
    /// Whether the footer shows it; the help shows all.
    pub in_footer: bool,
}

impl Bound {
    /// What the help says of it: as it is called, or more than there is room for in the footer.
    #[must_use]
    pub const fn explained(&self) -> Text {
        match self.action {
            Action::Back => Text::HelpBack,
            Action::Record => Text::HelpRecord,
            _ => self.text,
        }
    }
}

/// Every key that counts.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<Bound>);

/// What is wrong with the keys in the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// There is no such action.
    #[error("unknown setting 'keys.{0}'; [keys] has: {known}", known = words().join(", "))]
    UnknownAction(String),
    /// There is no such key.
    #[error(
        "the setting 'keys.{action}' names no key: '{name}'. Keys are single characters, ctrl-x, f1 to f12, space, \
         enter, esc, tab, shift-tab, backspace, delete, insert, up, down, left, right, home, end, pgup and pgdn, \
         with blanks between several"
    )]
    UnknownKey {
        /// Of which action.
        action: String,
        /// As it was given.
        name: String,
    },
    /// Two actions want the same key in one place.
    #[error(
        "the key {key} would mean both '{first}' and '{second}' among {place}: change one of them in [keys]"
    )]
    Conflict {
        /// Which key.
        key: String,
        /// Who had it first.
        first: &'static str,
        /// Who wants it too.
        second: &'static str,
        /// Where, in the words of the help.
        place: &'static str,
    },
    /// Nothing would leave the dashboard.
    #[error("the setting 'keys.quit' must name a key")]
    NoQuit,
}

/// The actions whose keys can be chosen.
fn words() -> Vec<&'static str> {
    let words: BTreeSet<&str> = TABLE
        .iter()
        .filter(|binding| can_be_chosen(binding.scopes))
        .map(|binding| binding.action.word())
        .collect();
    words.into_iter().collect()
}

/// Where text is typed keys stay what they are.
fn can_be_chosen(scopes: &[Scope]) -> bool {
    !scopes.iter().any(|scope| scope.takes_text())
}

impl Default for Keymap {
    fn default() -> Self {
        let bound = TABLE.iter().map(|binding| Bound {
            action: binding.action,
            keys: binding.keys.to_vec(),
            scopes: binding.scopes,
            text: binding.text,
            in_footer: binding.in_footer,
        });
        Self(bound.collect())
    }
}

impl Keymap {
    /// The table with the keys of `wishes` in place of its own: key names by the name of an action, with blanks
    /// between several; none if empty.
    ///
    /// # Errors
    /// Everything that is wrong with `wishes`.
    pub fn with(wishes: &BTreeMap<String, String>) -> Result<Self, Vec<BadKeys>> {
        let mut keymap = Self::default();
        let mut bad = Vec::new();
        for (word, names) in wishes {
            match chords(word, names) {
                Ok(chords) => keymap.bind(word, &chords),
                Err(error) => bad.push(error),
            }
        }
        bad.extend(keymap.conflicts());
        let quits = keymap.shown(Scope::Orders, Action::Quit).is_some();
        bad.extend((!quits).then_some(BadKeys::NoQuit));
        if bad.is_empty() { Ok(keymap) } else { Err(bad) }
    }

    fn bind(&mut self, word: &str, chords: &[Chord]) {
        let lines =
            self.0.iter_mut().filter(|bound| bound.action.word() == word && can_be_chosen(bound.scopes));
        for bound in lines {
            bound.keys = chords.to_vec();
        }
    }

    /// Each pair of actions that share a key, with the first place where they do.
    fn conflicts(&self) -> Vec<BadKeys> {
        let mut conflicts = Vec::new();
        let mut told: BTreeSet<(Action, Action)> = BTreeSet::new();
        for scope in Scope::ALL {
            let mut taken: Vec<(Chord, Action)> = Vec::new();
            for bound in self.of_scope(*scope) {
                for chord in &bound.keys {
                    let first = taken.iter().find(|(known, _)| known == chord).map(|(_, action)| *action);
                    match first {
                        None => taken.push((*chord, bound.action)),
                        Some(first) if first != bound.action && told.insert((first, bound.action)) => {
                            conflicts.push(BadKeys::Conflict {
                                key: chord.name(true),
                                first: first.word(),
                                second: bound.action.word(),
                                place: Language::English.get(scope.text()),
                            });
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        conflicts
    }

    /// What `chord` does in `scope`.
    #[must_use]
    pub fn action(&self, scope: Scope, chord: Chord) -> Option<Action> {
        let chord = if scope.takes_text() { chord } else { chord.as_latin() };
        self.of_scope(scope).find(|bound| bound.keys.contains(&chord)).map(|bound| bound.action)
    }

    /// The lines that apply in `scope`.
    pub fn of_scope(&self, scope: Scope) -> impl Iterator<Item = &Bound> {
        self.0.iter().filter(move |bound| bound.scopes.contains(&scope))
    }

    /// All lines.
    #[must_use]
    pub fn all(&self) -> &[Bound] {
        &self.0
    }

    /// The key that is shown for `action` in `scope`, if it has one there.
    #[must_use]
    pub fn shown(&self, scope: Scope, action: Action) -> Option<Chord> {
        let mut lines = self.of_scope(scope).filter(|bound| bound.action == action);
        lines.find_map(|bound| bound.keys.first().copied())
    }
}

fn chords(word: &str, names: &str) -> Result<Vec<Chord>, BadKeys> {
    if !words().contains(&word) {
        return Err(BadKeys::UnknownAction(word.to_owned()));
    }
    let chord = |name: &str| {
        let unknown = || BadKeys::UnknownKey { action: word.to_owned(), name: name.to_owned() };
        Chord::named(name).ok_or_else(unknown)
    };
    names.split_whitespace().map(chord).collect()
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

    use super::*;
    use crate::dashboard::tab::Tab;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let keymap = Keymap::default();
        for scope in Scope::ALL {
            let mut taken: Vec<(Chord, Action)> = Vec::new();
            for binding in keymap.of_scope(*scope) {
                for chord in &binding.keys {
                    let other = taken.iter().find(|(known, _)| known == chord);
                    assert_eq!(other, None, "{chord:?} in {scope:?} is also {:?}", binding.action);
                    taken.push((*chord, binding.action));
                }
            }
        }
    }

    #[test]
    fn a_character_that_can_be_typed_is_no_key_where_text_is_typed() {
        let keymap = Keymap::default();
        for scope in [Scope::Filter, Scope::Palette, Scope::Picker] {
            for binding in keymap.of_scope(scope) {
                let typed =
                    binding.keys.iter().any(|chord| matches!(chord.code, KeyCode::Char(_)) && !chord.ctrl);
                assert!(!typed, "{:?} takes a character away from {scope:?}", binding.action);
            }
        }
    }

    #[test]
    fn every_place_can_be_left() {
        let keymap = Keymap::default();
        for scope in Scope::ALL {
            assert_eq!(keymap.action(*scope, Chord::ctrl('c')), Some(Action::Quit), "ctrl-c in {scope:?}");
            let is_tab = Tab::ALL.iter().any(|tab| Scope::of(*tab) == *scope);
            let closes = keymap.action(*scope, Chord::of(KeyCode::Esc)).is_some();
            assert!(closes || is_tab || *scope == Scope::TooSmall, "Esc in {scope:?}");
        }
    }

    #[test]
    fn every_tab_is_reached_by_its_number_from_every_tab() {
        let keymap = Keymap::default();
        for from in Tab::ALL {
            for to in Tab::ALL {
                assert_eq!(keymap.action(Scope::of(*from), Chord::char(to.number())), Some(Action::Go(*to)));
            }
        }
    }

    #[test]
    fn keys_work_with_a_korean_keyboard_switched_on() {
        let keymap = Keymap::default();
        assert_eq!(keymap.action(Scope::Orders, Chord::char('ㅂ')), Some(Action::Quit));
        assert_eq!(keymap.action(Scope::Orders, Chord::char('ㅜ')), Some(Action::NewOrder));
        assert_eq!(
            keymap.action(Scope::Filter, Chord::char('ㅂ')),
            None,
            "where text is typed it is a letter"
        );
    }

    #[test]
    fn a_release_and_a_key_with_alt_are_no_keys() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(Chord::pressed(&event), Some(Chord::char('q')));
        event.kind = KeyEventKind::Release;
        assert_eq!(Chord::pressed(&event), None);
        assert_eq!(Chord::pressed(&KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT)), None);
        assert_eq!(
            Chord::pressed(&KeyEvent::new(KeyCode::Char('C'), KeyModifiers::CONTROL)),
            Some(Chord::ctrl('c'))
        );
    }

    fn wishes(wishes: &[(&str, &str)]) -> Result<Keymap, Vec<BadKeys>> {
        let wishes = wishes.iter().map(|(word, keys)| ((*word).to_owned(), (*keys).to_owned()));
        Keymap::with(&wishes.collect())
    }

    #[test]
    fn keys_can_be_chosen_and_the_old_ones_are_free_then() {
        let keymap = wishes(&[("new_order", "ctrl-n insert"), ("freeze", "n")]).unwrap();
        let orders = |chord| keymap.action(Scope::Orders, chord);
        assert_eq!(orders(Chord::ctrl('n')), Some(Action::NewOrder));
        assert_eq!(orders(Chord::of(KeyCode::Insert)), Some(Action::NewOrder));
        assert_eq!(orders(Chord::char('n')), Some(Action::Freeze));
        assert_eq!(orders(Chord::char(' ')), None);
        assert_eq!(keymap.shown(Scope::Orders, Action::NewOrder), Some(Chord::ctrl('n')));
    }

    #[test]
    fn everything_that_is_wrong_with_chosen_keys_is_told() {
        let told = |chosen: &[(&str, &str)]| {
            let errors = wishes(chosen).err().unwrap_or_default();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let table = [
            (("new_order", "q"), "the key q would mean both 'new_order' and 'quit'"),
            (("fly", "x"), "unknown setting 'keys.fly'; [keys] has: accounts, back,"),
            (("freeze", "hyper-x"), "'keys.freeze' names no key: 'hyper-x'"),
            (("quit", ""), "'keys.quit' must name a key"),
            (("next_field", "x"), "unknown setting 'keys.next_field'"),
        ];
        for (wish, expected) in table {
            assert!(told(&[wish]).contains(expected), "{wish:?}: {}", told(&[wish]));
        }
        let both = told(&[("fly", "x"), ("quit", "")]);
        assert_eq!(both.lines().count(), 2, "all of it at once: {both}");
    }
}
