//! A key as it is pressed, written and named.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

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

    /// The key of a name as the settings have it: `n`, `ctrl-n`, `space`, `enter`, `f1`, `shift-tab`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some(rest) = name.strip_prefix("ctrl-") {
            let mut letters = rest.chars();
            return match (letters.next(), letters.next()) {
                (Some(letter), None) if letter.is_ascii_graphic() => {
                    Some(Self::ctrl(letter.to_ascii_lowercase()))
                }
                _ => None,
            };
        }
        let mut letters = name.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return (!letter.is_control() && letter != ' ').then_some(Self::char(letter));
        }
        if let Some(number) = name.strip_prefix('f').and_then(|number| number.parse().ok()) {
            return (1..=12).contains(&number).then_some(Self::of(KeyCode::F(number)));
        }
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| Self::of(*code))
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

/// Keys that have a name instead of a character, as the settings name them.
const NAMED: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

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
