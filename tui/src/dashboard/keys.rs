//! Every key, once: what it does, where it applies, and what it is called. Footer and help derive from it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::tab::Tab;
use crate::text::Text;

/// What a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Leaves the dashboard.
    Quit,
    /// Gives the terminal to the shell for a while.
    Suspend,
    /// Shows the last lines of the log.
    Log,
    /// Puts the id of the selected order into the clipboard.
    CopyId,
    /// The next length of time that charts show.
    Range,
    /// Sends the selected parked message where it came from, after telling what would happen.
    ReplayDead,
    /// Likewise all of them.
    ReplayAllDead,
    /// Ends the selected parked message for good, after asking.
    DropDead,
    /// Likewise all of them.
    DropAllDead,
    /// Shows all keys.
    Help,
    /// The other language.
    Language,
    /// The next set of colours.
    Theme,
    /// Shows a tab.
    Go(Tab),
    /// Shows the next tab.
    NextTab,
    /// Shows the tab before.
    PrevTab,
    /// Shows or hides what stands beside the table.
    Panel,
    /// One up: a row, a line, a choice.
    Up,
    /// One down.
    Down,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the newest order, and stay there.
    Newest,
    /// To the first row.
    First,
    /// To the last row that is loaded.
    Last,
    /// Shows the orders of the selected account or item.
    TheirOrders,
    /// Shows the selected order whole.
    Open,
    /// Closes what is open, or removes the filter.
    Back,
    /// From a whole-screen detail to the next newer order.
    Newer,
    /// From a whole-screen detail to the next older order.
    Older,
    /// Scrolls the detail beside the table up.
    DetailUp,
    /// Scrolls the detail beside the table down.
    DetailDown,
    /// Types a filter.
    Filter,
    /// Lets a filter without an index look further.
    ScanOn,
    /// Opens the form of an order.
    NewOrder,
    /// Cancels the selected order, after asking.
    CancelOrder,
    /// Opens the form of a top-up.
    TopUp,
    /// Opens the form of a restock.
    Restock,
    /// Chooses what the breaker shall do.
    Breaker,
    /// Chooses a fault to inject.
    Faults,
    /// Sends again, with the same id.
    Retry,
    /// Takes the newest message away.
    Dismiss,
    /// Takes what is typed or chosen.
    Accept,
    /// Leaves what is open without doing anything.
    Close,
    /// The next field of a form.
    NextField,
    /// The field before.
    PrevField,
    /// One more.
    Increase,
    /// One less.
    Decrease,
    /// Does it.
    Yes,
    /// Does not.
    No,
    /// From yes to no and back.
    Switch,
}

/// Where keys go: what is on top decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The table of orders, with or without a detail beside it.
    Orders,
    /// A detail on the whole screen.
    Detail,
    /// The table of accounts.
    Accounts,
    /// The table of items.
    Items,
    /// The health of it all.
    Health,
    /// The table of parked messages.
    Dead,
    /// The line in which a filter is typed.
    Filter,
    /// A form's field with a list to choose from.
    Picker,
    /// A form's field with a number.
    Number,
    /// A list of choices.
    Menu,
    /// A question.
    Confirm,
    /// The list of keys.
    Help,
}

impl Scope {
    /// All of them, in the order in which the help shows them.
    pub const ALL: &'static [Self] = &[
        Self::Orders,
        Self::Detail,
        Self::Accounts,
        Self::Items,
        Self::Health,
        Self::Dead,
        Self::Filter,
        Self::Picker,
        Self::Number,
        Self::Menu,
        Self::Confirm,
        Self::Help,
    ];

    /// Whether a character that is no key here is typed.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Filter | Self::Picker | Self::Number)
    }

    /// Its name.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::Orders => Text::ScopeOrders,
            Self::Detail => Text::ScopeDetail,
            Self::Accounts => Text::AccountsTitle,
            Self::Items => Text::ItemsTitle,
            Self::Health => Text::HealthTitle,
            Self::Dead => Text::DeadTitle,
            Self::Filter => Text::ScopeFilter,
            Self::Picker => Text::ScopePicker,
            Self::Number => Text::ScopeNumber,
            Self::Menu => Text::ScopeMenu,
            Self::Confirm => Text::ScopeConfirm,
            Self::Help => Text::ScopeHelp,
        }
    }
}

/// A key with or without control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    /// The key; shift is part of a character.
    pub code: KeyCode,
    /// Whether control is held.
    pub ctrl: bool,
}

impl Chord {
    /// `code` alone.
    #[must_use]
    pub const fn of(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// The character `c` alone.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::of(KeyCode::Char(c))
    }

    /// `c` with control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true }
    }

    /// What was pressed. A release, and a key with alt or the like, is none.
    #[must_use]
    pub fn pressed(event: &KeyEvent) -> Option<Self> {
        let others = KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER;
        if event.kind == KeyEventKind::Release || event.modifiers.intersects(others) {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Some(Self { code, ctrl })
    }

    /// The same key on a keyboard that is switched to Latin: with a Korean one switched on, `q` arrives as `ㅂ`.
    #[must_use]
    pub fn as_latin(self) -> Self {
        match self.code {
            KeyCode::Char(c) => {
                let latin = DUBEOLSIK.iter().find(|(jamo, _)| *jamo == c).map_or(c, |(_, latin)| *latin);
                Self { code: KeyCode::Char(latin), ..self }
            }
            _ => self,
        }
    }

    /// What is written on the key. `ascii`: with letters instead of arrows.
    #[must_use]
    pub fn name(self, ascii: bool) -> String {
        let name = match (self.code, ascii) {
            (KeyCode::Char(' '), _) => "Space".to_owned(),
            (KeyCode::Char(c), _) => c.to_string(),
            (KeyCode::F(n), _) => format!("F{n}"),
            (KeyCode::Up, false) => "↑".to_owned(),
            (KeyCode::Down, false) => "↓".to_owned(),
            (KeyCode::Left, false) => "←".to_owned(),
            (KeyCode::Right, false) => "→".to_owned(),
            (KeyCode::PageUp, _) => "PgUp".to_owned(),
            (KeyCode::PageDown, _) => "PgDn".to_owned(),
            (KeyCode::BackTab, _) => "Shift-Tab".to_owned(),
            (code, _) => format!("{code:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

/// The Korean standard layout's letters and the Latin ones on the same keys, as far as they are keys here.
const DUBEOLSIK: &[(char, char)] = &[
    ('ㅂ', 'q'),
    ('ㅃ', 'Q'),
    ('ㅈ', 'w'),
    ('ㅉ', 'W'),
    ('ㄷ', 'e'),
    ('ㄸ', 'E'),
    ('ㄱ', 'r'),
    ('ㄲ', 'R'),
    ('ㅅ', 't'),
    ('ㅆ', 'T'),
    ('ㅛ', 'y'),
    ('ㅕ', 'u'),
    ('ㅑ', 'i'),
    ('ㅐ', 'o'),
    ('ㅒ', 'O'),
    ('ㅔ', 'p'),
    ('ㅖ', 'P'),
    ('ㅁ', 'a'),
    ('ㄴ', 's'),
    ('ㅇ', 'd'),
    ('ㄹ', 'f'),
    ('ㅎ', 'g'),
    ('ㅗ', 'h'),
    ('ㅓ', 'j'),
    ('ㅏ', 'k'),
    ('ㅣ', 'l'),
    ('ㅋ', 'z'),
    ('ㅌ', 'x'),
    ('ㅊ', 'c'),
    ('ㅍ', 'v'),
    ('ㅠ', 'b'),
    ('ㅜ', 'n'),
    ('ㅡ', 'm'),
];

/// One line of the table: an action, its keys, and where they apply.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// The keys; the first is the one that is shown in the footer.
    pub keys: &'static [Chord],
    /// Where.
    pub scopes: &'static [Scope],
    /// What it is called.
    pub text: Text,
    /// Whether the footer shows it; the help shows all.
    pub in_footer: bool,
}

const fn key(code: KeyCode) -> Chord {
    Chord::of(code)
}

const fn c(char: char) -> Chord {
    Chord::char(char)
}

/// A line of the table that the footer shows.
const fn in_footer(action: Action, keys: &'static [Chord], scopes: &'static [Scope], text: Text) -> Binding {
    Binding { action, keys, scopes, text, in_footer: true }
}

/// A line of the table that only the help shows.
const fn in_help(action: Action, keys: &'static [Chord], scopes: &'static [Scope], text: Text) -> Binding {
    Binding { in_footer: false, ..in_footer(action, keys, scopes, text) }
}

/// Where nothing lies over the tab that is shown.
const MAIN: &[Scope] =
    &[Scope::Orders, Scope::Detail, Scope::Accounts, Scope::Items, Scope::Health, Scope::Dead];
/// The orders, and one of them whole.
const ORDERS: &[Scope] = &[Scope::Orders, Scope::Detail];
/// Tables by name.
const LISTINGS: &[Scope] = &[Scope::Accounts, Scope::Items];
const FIELDS: &[Scope] = &[Scope::Picker, Scope::Number];

/// Every key. The footer shows them in this order as far as they fit.
pub const TABLE: &[Binding] = &[
    in_footer(Action::Retry, &[c('r')], MAIN, Text::KeyRetry),
    in_footer(Action::ScanOn, &[c('m')], &[Scope::Orders], Text::KeyScanOn),
    in_footer(Action::NewOrder, &[c('n')], MAIN, Text::KeyNewOrder),
    in_footer(Action::CancelOrder, &[c('c'), c('x')], ORDERS, Text::KeyCancelOrder),
    in_footer(Action::Open, &[key(KeyCode::Enter)], &[Scope::Orders], Text::KeyOpen),
    in_footer(Action::TheirOrders, &[key(KeyCode::Enter)], LISTINGS, Text::KeyTheirOrders),
    in_footer(Action::Back, &[key(KeyCode::Esc)], ORDERS, Text::KeyBack),
    in_footer(Action::ReplayDead, &[key(KeyCode::Enter)], &[Scope::Dead], Text::KeyReplayDead),
    in_footer(Action::ReplayAllDead, &[c('a')], &[Scope::Dead], Text::KeyReplayAllDead),
    in_footer(Action::DropDead, &[c('x'), key(KeyCode::Delete)], &[Scope::Dead], Text::KeyDropDead),
    in_footer(Action::DropAllDead, &[c('X')], &[Scope::Dead], Text::KeyDropAllDead),
    in_footer(Action::Range, &[c('z')], &[Scope::Health], Text::KeyRange),
    in_footer(Action::Filter, &[c('/')], &[Scope::Orders], Text::KeyFilter),
    in_footer(Action::TopUp, &[c('u')], MAIN, Text::KeyTopUp),
    in_footer(Action::Restock, &[c('s')], MAIN, Text::KeyRestock),
    in_footer(Action::Breaker, &[c('b')], MAIN, Text::KeyBreaker),
    in_footer(Action::Faults, &[c('f')], MAIN, Text::KeyFaults),
    in_footer(Action::Newer, &[key(KeyCode::Left)], &[Scope::Detail], Text::KeyNewer),
    in_footer(Action::Older, &[key(KeyCode::Right)], &[Scope::Detail], Text::KeyOlder),
    in_footer(Action::Yes, &[c('y')], &[Scope::Confirm], Text::Yes),
    in_footer(Action::No, &[c('n'), key(KeyCode::Esc)], &[Scope::Confirm], Text::No),
    in_footer(
        Action::Switch,
        &[key(KeyCode::Tab), key(KeyCode::Left), key(KeyCode::Right), key(KeyCode::BackTab)],
        &[Scope::Confirm],
        Text::KeySwitch,
    ),
    in_footer(Action::Increase, &[c('+'), c('='), key(KeyCode::Up)], &[Scope::Number], Text::KeyIncrease),
    in_footer(Action::Decrease, &[c('-'), key(KeyCode::Down)], &[Scope::Number], Text::KeyDecrease),
    in_help(Action::Up, &[key(KeyCode::Up), c('k')], MAIN, Text::KeyUp),
    in_footer(Action::Up, &[key(KeyCode::Up), c('k')], &[Scope::Menu, Scope::Help], Text::KeyUp),
    in_help(Action::Down, &[key(KeyCode::Down), c('j')], MAIN, Text::KeyDown),
    in_footer(Action::Down, &[key(KeyCode::Down), c('j')], &[Scope::Menu, Scope::Help], Text::KeyDown),
    in_footer(Action::Up, &[key(KeyCode::Up)], &[Scope::Picker], Text::KeyUp),
    in_footer(Action::Down, &[key(KeyCode::Down)], &[Scope::Picker], Text::KeyDown),
    in_help(
        Action::PageUp,
        &[key(KeyCode::PageUp)],
        &[
            Scope::Orders,
            Scope::Detail,
            Scope::Accounts,
            Scope::Items,
            Scope::Health,
            Scope::Dead,
            Scope::Help,
        ],
        Text::KeyPageUp,
    ),
    in_help(
        Action::PageDown,
        &[key(KeyCode::PageDown), c(' ')],
        &[
            Scope::Orders,
            Scope::Detail,
            Scope::Accounts,
            Scope::Items,
            Scope::Health,
            Scope::Dead,
            Scope::Help,
        ],
        Text::KeyPageDown,
    ),
    in_help(Action::Newest, &[c('g'), key(KeyCode::Home)], &[Scope::Orders], Text::KeyNewest),
    in_help(
        Action::First,
        &[c('g'), key(KeyCode::Home)],
        &[Scope::Accounts, Scope::Items, Scope::Dead],
        Text::KeyFirst,
    ),
    in_help(
        Action::Last,
        &[c('G'), key(KeyCode::End)],
        &[Scope::Orders, Scope::Accounts, Scope::Items, Scope::Dead],
        Text::KeyLast,
    ),
    in_help(Action::DetailUp, &[c('[')], &[Scope::Orders], Text::KeyDetailUp),
    in_help(Action::DetailDown, &[c(']')], &[Scope::Orders], Text::KeyDetailDown),
    in_footer(
        Action::Accept,
        &[key(KeyCode::Enter)],
        &[Scope::Filter, Scope::Menu, Scope::Confirm, Scope::Picker],
        Text::KeyAccept,
    ),
    in_footer(Action::Accept, &[key(KeyCode::Enter)], &[Scope::Number], Text::KeySend),
    in_footer(Action::NextField, &[key(KeyCode::Tab)], FIELDS, Text::KeyNextField),
    in_help(Action::PrevField, &[key(KeyCode::BackTab)], FIELDS, Text::KeyPrevField),
    in_footer(
        Action::Close,
        &[key(KeyCode::Esc)],
        &[Scope::Filter, Scope::Picker, Scope::Number],
        Text::KeyClose,
    ),
    in_footer(Action::Close, &[key(KeyCode::Esc), c('q')], &[Scope::Menu], Text::KeyClose),
    in_footer(
        Action::Close,
        &[key(KeyCode::Esc), c('?'), c('q'), key(KeyCode::F(1))],
        &[Scope::Help],
        Text::KeyClose,
    ),
    in_footer(Action::Dismiss, &[c('d')], MAIN, Text::KeyDismiss),
    in_help(Action::Go(Tab::Orders), &[c(Tab::Orders.number())], MAIN, Tab::Orders.text()),
    in_help(Action::Go(Tab::Accounts), &[c(Tab::Accounts.number())], MAIN, Tab::Accounts.text()),
    in_help(Action::Go(Tab::Items), &[c(Tab::Items.number())], MAIN, Tab::Items.text()),
    in_help(Action::Go(Tab::Health), &[c(Tab::Health.number())], MAIN, Tab::Health.text()),
    in_help(Action::Go(Tab::Dead), &[c(Tab::Dead.number())], MAIN, Tab::Dead.text()),
    in_help(Action::NextTab, &[key(KeyCode::Tab)], MAIN, Text::KeyNextTab),
    in_help(Action::PrevTab, &[key(KeyCode::BackTab)], MAIN, Text::KeyPrevTab),
    in_help(Action::CopyId, &[c('y')], ORDERS, Text::KeyCopyId),
    in_help(Action::Log, &[c('L')], MAIN, Text::KeyLog),
    in_footer(Action::Panel, &[c('p')], MAIN, Text::KeyPanel),
    in_footer(Action::Language, &[c('l')], MAIN, Text::KeyLanguage),
    in_footer(Action::Theme, &[c('t')], MAIN, Text::KeyTheme),
    in_footer(Action::Help, &[c('?'), key(KeyCode::F(1)), c('h')], MAIN, Text::KeyHelp),
    in_help(
        Action::Help,
        &[key(KeyCode::F(1))],
        &[Scope::Filter, Scope::Picker, Scope::Number, Scope::Menu, Scope::Confirm],
        Text::KeyHelp,
    ),
    in_help(Action::Suspend, &[Chord::ctrl('z')], Scope::ALL, Text::KeySuspend),
    in_footer(Action::Quit, &[c('q'), Chord::ctrl('c')], MAIN, Text::KeyQuit),
    in_help(
        Action::Quit,
        &[Chord::ctrl('c')],
        &[Scope::Filter, Scope::Picker, Scope::Number, Scope::Menu, Scope::Confirm, Scope::Help],
        Text::KeyQuit,
    ),
];

/// What `chord` does in `scope`.
#[must_use]
pub fn action(scope: Scope, chord: Chord) -> Option<Action> {
    let chord = if scope.takes_text() { chord } else { chord.as_latin() };
    of_scope(scope).find(|binding| binding.keys.contains(&chord)).map(|binding| binding.action)
}

/// The lines of the table that apply in `scope`.
pub fn of_scope(scope: Scope) -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().filter(move |binding| binding.scopes.contains(&scope))
}

/// The key that is shown for `action` in `scope`, if it has one there.
#[must_use]
pub fn shown(scope: Scope, action: Action) -> Option<Chord> {
    of_scope(scope).find(|binding| binding.action == action).and_then(|binding| binding.keys.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for scope in Scope::ALL {
            let mut taken: Vec<(Chord, Action)> = Vec::new();
            for binding in of_scope(*scope) {
                for chord in binding.keys {
                    let other = taken.iter().find(|(known, _)| known == chord);
                    assert_eq!(other, None, "{chord:?} in {scope:?} is also {:?}", binding.action);
                    taken.push((*chord, binding.action));
                }
            }
        }
    }

    #[test]
    fn a_character_that_can_be_typed_is_no_key_where_text_is_typed() {
        for scope in [Scope::Filter, Scope::Picker] {
            for binding in of_scope(scope) {
                let typed =
                    binding.keys.iter().any(|chord| matches!(chord.code, KeyCode::Char(_)) && !chord.ctrl);
                assert!(!typed, "{:?} takes a character away from {scope:?}", binding.action);
            }
        }
    }

    #[test]
    fn every_place_can_be_left() {
        for scope in Scope::ALL {
            assert_eq!(action(*scope, Chord::ctrl('c')), Some(Action::Quit), "ctrl-c in {scope:?}");
            let is_tab = Tab::ALL.iter().any(|tab| tab.scope() == *scope);
            let closes = action(*scope, Chord::of(KeyCode::Esc)).is_some();
            assert!(closes || is_tab, "Esc in {scope:?}");
        }
    }

    #[test]
    fn every_tab_is_reached_by_its_number_from_every_tab() {
        for from in Tab::ALL {
            for to in Tab::ALL {
                assert_eq!(action(from.scope(), Chord::char(to.number())), Some(Action::Go(*to)));
            }
        }
    }

    #[test]
    fn keys_work_with_a_korean_keyboard_switched_on() {
        assert_eq!(action(Scope::Orders, Chord::char('ㅂ')), Some(Action::Quit));
        assert_eq!(action(Scope::Orders, Chord::char('ㅜ')), Some(Action::NewOrder));
        assert_eq!(action(Scope::Filter, Chord::char('ㅂ')), None, "where text is typed it is a letter");
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
}
