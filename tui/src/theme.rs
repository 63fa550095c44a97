//! Colours, modifiers and glyphs by what they mean, chosen once for what the terminal can do.
//!
//! Meaning never hangs on colour alone: a word stands beside it everywhere.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use skstore_domain::breaker::BreakerState;
use skstore_domain::objects::{OrderStatus, PaymentStatus};

/// The sets of colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThemeName {
    /// For dark backgrounds, 256 colours.
    Dark,
    /// For light backgrounds, 256 colours.
    Light,
    /// The terminal's own 16 colours.
    Ansi,
    /// No colours, only bold, underlined and reversed: for `NO_COLOR` and for eyes that tell no colours apart.
    None,
}

impl ThemeName {
    /// All of them, in the order in which a key steps through them.
    pub const ALL: &'static [Self] = &[Self::Dark, Self::Light, Self::Ansi, Self::None];

    /// The word that chooses it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Ansi => "ansi",
            Self::None => "none",
        }
    }

    /// The one whose [`word`](Self::word) this is.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.word() == word)
    }

    /// The next one in the order of [`ThemeName::ALL`].
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Ansi,
            Self::Ansi => Self::None,
            Self::None => Self::Dark,
        }
    }

    /// What suits a terminal by its environment variables: `NO_COLOR` (<https://no-color.org>) wins, then what
    /// `TERM` and `COLORTERM` promise, then the background in `COLORFGBG`.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        if set("NO_COLOR").is_some() || term == "dumb" {
            return Self::None;
        }
        if set("COLORTERM").is_none() && !term.contains("256color") && !term.contains("direct") {
            return Self::Ansi;
        }
        let background = set("COLORFGBG").and_then(|value| value.rsplit(';').next()?.parse::<u8>().ok());
        // 7 and 15 are the whites of the 16 colours.
        if matches!(background, Some(7 | 15)) { Self::Light } else { Self::Dark }
    }
}

/// Styles by meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What one reads last: units, labels, hints.
    pub dim: Style,
    /// Names of what is shown.
    pub strong: Style,
    /// The line around a section.
    pub border: Style,
    /// A section's name.
    pub title: Style,
    /// The selected row.
    pub selected: Style,
    /// A key to press.
    pub key: Style,
    /// Well.
    pub ok: Style,
    /// On its way, or needs a look.
    pub warn: Style,
    /// Not well.
    pub bad: Style,
    /// Over, without anything being wrong.
    pub quiet: Style,
    /// The field that is being typed into.
    pub field: Style,
    /// A line that must not be overlooked.
    pub banner: Style,
}

impl Theme {
    /// The theme of that name.
    #[must_use]
    pub fn named(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => Self::coloured(&[252, 246, 255, 240, 110, 114, 179, 203, 103], 237, 235),
            ThemeName::Light => Self::coloured(&[236, 242, 16, 248, 25, 22, 94, 124, 60], 253, 254),
            ThemeName::Ansi => Self::ansi(),
            ThemeName::None => Self::plain(),
        }
    }

    /// `[text, dim, strong, border, title and key, ok, warn, bad, quiet]` of the 256 colours, and the
    /// backgrounds of the selected row and of fields.
    fn coloured(palette: &[u8; 9], selected: u8, field: u8) -> Self {
        let [text, dim, strong, border, title, ok, warn, bad, quiet] =
            palette.map(|index| Style::new().fg(Color::Indexed(index)));
        Self {
            text,
            dim,
            strong: strong.add_modifier(Modifier::BOLD),
            border,
            title: title.add_modifier(Modifier::BOLD),
            selected: Style::new().bg(Color::Indexed(selected)).add_modifier(Modifier::BOLD),
            key: title.add_modifier(Modifier::BOLD),
            ok,
            warn,
            bad: bad.add_modifier(Modifier::BOLD),
            quiet,
            field: text.bg(Color::Indexed(field)).add_modifier(Modifier::UNDERLINED),
            banner: warn.add_modifier(Modifier::BOLD | Modifier::REVERSED),
        }
    }

    fn ansi() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            // Terminals draw their bright black as they like, often unreadably; dimmed text is still text.
            dim: plain.add_modifier(Modifier::DIM),
            strong: bold,
            border: plain.add_modifier(Modifier::DIM),
            title: bold.fg(Color::Cyan),
            selected: plain.add_modifier(Modifier::REVERSED),
            key: bold.fg(Color::Cyan),
            ok: plain.fg(Color::Green),
            warn: plain.fg(Color::Yellow),
            bad: bold.fg(Color::Red),
            quiet: plain.fg(Color::Magenta),
            field: plain.add_modifier(Modifier::UNDERLINED),
            banner: bold.fg(Color::Yellow).add_modifier(Modifier::REVERSED),
        }
    }

    /// Only `Color::Reset`: a terminal library that resets a colour also wipes bold and reverse, so there must
    /// be no colour to reset.
    fn plain() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            dim: plain,
            strong: bold,
            border: plain,
            title: bold,
            selected: plain.add_modifier(Modifier::REVERSED),
            key: bold,
            ok: plain,
            warn: plain.add_modifier(Modifier::UNDERLINED),
            bad: bold.add_modifier(Modifier::UNDERLINED),
            quiet: plain,
            field: plain.add_modifier(Modifier::UNDERLINED),
            banner: bold.add_modifier(Modifier::REVERSED),
        }
    }

    /// How an order's status looks.
    #[must_use]
    pub const fn status(&self, status: OrderStatus) -> Style {
        match status {
            OrderStatus::Paying | OrderStatus::Placed => self.warn,
            OrderStatus::Delivering => self.ok,
            OrderStatus::Cancelled => self.quiet,
            OrderStatus::Rejected => self.bad,
        }
    }

    /// How a payment's status looks.
    #[must_use]
    pub const fn payment(&self, status: PaymentStatus) -> Style {
        match status {
            PaymentStatus::None => self.dim,
            PaymentStatus::Paid => self.ok,
            PaymentStatus::Declined => self.bad,
            PaymentStatus::Refunded | PaymentStatus::Voided => self.quiet,
        }
    }

    /// How the breaker's state looks.
    #[must_use]
    pub const fn breaker(&self, state: BreakerState) -> Style {
        match state {
            BreakerState::Closed => self.ok,
            BreakerState::Open => self.bad,
            BreakerState::HalfOpen => self.warn,
        }
    }
}

/// Characters that are not letters. Every one takes a single column, also where East-Asian-ambiguous characters
/// take two, but for lines and bars, for which there is [`Glyphs::ASCII`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glyphs {
    /// Around a box.
    pub border: border::Set<'static>,
    /// In front of the selected row.
    pub marker: &'static str,
    /// A full column of a bar.
    pub bar: &'static str,
    /// An empty column of a bar.
    pub track: &'static str,
    /// Where a text was cut.
    pub more: &'static str,
    /// Between an item and its quantity.
    pub times: &'static str,
    /// Well.
    pub ok: &'static str,
    /// Not well.
    pub bad: &'static str,
    /// Between two things of a line.
    pub dot: &'static str,
    /// From one state to another.
    pub arrow: &'static str,
    /// Beside the name of a column by which rows are sorted, the smallest first.
    pub ascending: &'static str,
    /// The largest first.
    pub descending: &'static str,
    /// Whether only ASCII may be shown.
    pub is_ascii: bool,
}

impl Glyphs {
    /// For terminals that show Unicode.
    pub const UNICODE: Self = Self {
        border: border::ROUNDED,
        marker: "▸",
        bar: "█",
        track: "░",
        more: "…",
        times: "×",
        ok: "✓",
        bad: "✗",
        dot: "·",
        arrow: "→",
        ascending: "▲",
        descending: "▼",
        is_ascii: false,
    };

    /// For all others.
    pub const ASCII: Self = Self {
        border: border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
        marker: ">",
        bar: "#",
        track: ".",
        more: "~",
        times: "x",
        ok: "+",
        bad: "!",
        dot: "|",
        arrow: "->",
        ascending: "^",
        descending: "v",
        is_ascii: true,
    };

    /// What suits a terminal by its locale (`LC_ALL`, else `LC_CTYPE`, else `LANG`, must name UTF-8) and by `TERM`,
    /// which must not be one whose font is known to lack these characters.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set("TERM").is_some_and(|term| has_few_characters(&term)) {
            return Self::ASCII;
        }
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::UNICODE } else { Self::ASCII }
    }

    /// The glyph beside an order's status.
    #[must_use]
    pub const fn status(&self, status: OrderStatus) -> &'static str {
        match (status, self.is_ascii) {
            (OrderStatus::Paying, false) => "◌",
            (OrderStatus::Placed, false) => "✓",
            (OrderStatus::Delivering, false) => "▸",
            (OrderStatus::Cancelled, false) => "⊘",
            (OrderStatus::Rejected, false) => "✗",
            (OrderStatus::Paying, true) => "~",
            (OrderStatus::Placed, true) => "+",
            (OrderStatus::Delivering, true) => ">",
            (OrderStatus::Cancelled, true) => "-",
            (OrderStatus::Rejected, true) => "!",
        }
    }
}

/// Terminals that show a few hundred characters at most: consoles of kernels, and those that were made of metal.
const FEW_CHARACTERS: &[&str] = &[
    "linux", "bterm", "cons25", "wsvt25", "sun", "ansi", "vt52", "vt100", "vt102", "vt220", "vt320", "vt420",
];

/// Whether `term` is one of these, perhaps in a variant: `linux-16color`.
fn has_few_characters(term: &str) -> bool {
    let family = term.split(['-', '.']).next().unwrap_or(term);
    FEW_CHARACTERS.contains(&family)
}

/// Whether `TERM` names something that can be drawn on at all: lines of text are all that a dumb terminal has.
#[must_use]
pub fn can_be_drawn_on(term: &str) -> bool {
    !matches!(term, "" | "dumb" | "unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_environment_chooses_the_theme() {
        let table: [(&'static [(&str, &str)], ThemeName); 7] = [
            (&[("TERM", "xterm-256color")], ThemeName::Dark),
            (&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")], ThemeName::Light),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "1")], ThemeName::None),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], ThemeName::Dark),
            (&[("TERM", "linux")], ThemeName::Ansi),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], ThemeName::Dark),
            (&[("TERM", "dumb")], ThemeName::None),
        ];
        for (variables, expected) in table {
            assert_eq!(ThemeName::of_environment(environment(variables)), expected, "{variables:?}");
        }
    }

    #[test]
    fn only_a_utf8_locale_on_a_terminal_with_a_font_gets_more_than_ascii() {
        let table: [(&'static [(&str, &str)], bool); 10] = [
            (&[("LANG", "ko_KR.UTF-8"), ("TERM", "xterm-256color")], false),
            (&[("LANG", "ko_KR.UTF-8"), ("TERM", "screen.linux")], false),
            (&[("LANG", "ko_KR.UTF-8"), ("TERM", "linux")], true),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux-16color")], true),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "vt220")], true),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "vt100-w")], true),
            (&[("LANG", "ko_KR.UTF-8")], false),
            (&[("LANG", "en_US.utf8")], false),
            (&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")], true),
            (&[], true),
        ];
        for (variables, is_ascii) in table {
            assert_eq!(Glyphs::of_environment(environment(variables)).is_ascii, is_ascii, "{variables:?}");
        }
    }

    #[test]
    fn the_plain_theme_has_no_colour() {
        let theme = Theme::named(ThemeName::None);
        for style in [theme.text, theme.dim, theme.selected, theme.bad, theme.banner, theme.field, theme.key]
        {
            assert_eq!((style.fg, style.bg), (None, None), "{style:?}");
        }
    }

    #[test]
    fn every_theme_is_reached_by_its_word_and_by_stepping() {
        let mut name = ThemeName::Dark;
        for expected in ThemeName::ALL {
            assert_eq!(name, *expected);
            assert_eq!(ThemeName::from_word(name.word()), Some(name));
            name = name.next();
        }
        assert_eq!(name, ThemeName::Dark);
    }

    /// The colour of an index of the 256, of which the first 16 are as xterm has them.
    fn rgb(color: Color) -> [u8; 3] {
        let index = match color {
            Color::Indexed(index) => index,
            Color::Black => 0,
            Color::Red => 1,
            Color::Green => 2,
            Color::Yellow => 3,
            Color::Magenta => 5,
            Color::Cyan => 6,
            other => panic!("{other:?} has no known colour"),
        };
        let cube = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
        match index {
            0 => [0, 0, 0],
            1 => [205, 0, 0],
            2 => [0, 205, 0],
            3 => [205, 205, 0],
            5 => [205, 0, 205],
            6 => [0, 205, 205],
            16..=231 => {
                let at = index - 16;
                [cube(at / 36), cube(at / 6 % 6), cube(at % 6)]
            }
            232..=255 => [8 + 10 * (index - 232); 3],
            other => panic!("index {other} is not used"),
        }
    }

    /// The contrast of two colours as WCAG 2 defines it: 1 for the same, 21 for black and white.
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let channel = |value: u8| {
            let part = f64::from(value) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |[r, g, b]: [u8; 3]| 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_theme_can_be_read() {
        // What WCAG 2 asks for text, and for large or bold text.
        const TEXT: f64 = 4.5;
        const BOLD: f64 = 3.0;
        let table = [
            (ThemeName::Dark, [[0, 0, 0], [0x1e, 0x1e, 0x1e]], TEXT),
            (ThemeName::Light, [[0xff, 0xff, 0xff], [0xf5, 0xf5, 0xf5]], TEXT),
            (ThemeName::Ansi, [[0, 0, 0], [0, 0, 0]], BOLD),
        ];
        for (name, backgrounds, min) in table {
            let theme = Theme::named(name);
            let selected = theme.selected.bg.map(rgb);
            for style in [
                theme.text,
                theme.dim,
                theme.strong,
                theme.title,
                theme.key,
                theme.ok,
                theme.warn,
                theme.bad,
                theme.quiet,
            ] {
                let Some(colour) = style.fg.map(rgb) else { continue };
                for background in backgrounds {
                    let contrast = contrast(colour, background);
                    assert!(contrast >= min, "{name:?}: {style:?} on {background:?}: {contrast:.2}");
                }
                // The selected row is bold.
                let contrast = selected.map_or(BOLD, |selected| contrast(colour, selected));
                assert!(contrast >= BOLD, "{name:?}: {style:?} on the selected row: {contrast:.2}");
            }
        }
    }
}
