//! Texts that would take a terminal over if they reached it: as names, reasons, bodies and errors.

#![allow(dead_code, reason = "each of those who include it uses a part")]

/// Strings of the whole test.
pub(crate) const STRINGS: usize = 100_000;
/// Length of the longest, in bytes.
const LONG: usize = 10_240;
/// One string in so many is long.
const LONG_EVERY: usize = 500;

/// What the strings are made of. None of it is anything that the program itself writes.
const PIECES: &[&str] = &[
    // Clears the screen, moves the cursor, scrolls, resets, colours.
    "\u{1b}[2J",
    "\u{1b}[H",
    "\u{1b}[999;999H",
    "\u{1b}[10S",
    "\u{1b}c",
    "\u{1b}[31;42m",
    "\u{1b}[?1049l",
    "\u{1b}[?25h",
    "\u{1b}[6n",
    "\u{1b}7\u{1b}8",
    // Sets the title, copies into the clipboard, links, graphics: OSC, DCS, APC, with both kinds of ends.
    "\u{1b}]0;owned\u{7}",
    "\u{1b}]52;c;b3duZWQ=\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\here\u{1b}]8;;\u{1b}\\",
    "\u{1b}P$q\"p\u{1b}\\",
    "\u{1b}_Gf=100;AAAA\u{1b}\\",
    // The same with C1 controls.
    "\u{9b}2J",
    "\u{9d}0;owned\u{9c}",
    "\u{90}\u{9f}\u{98}\u{85}",
    // Controls.
    "\0",
    "\u{7}",
    "\u{8}\u{8}\u{8}",
    "\r",
    "\n",
    "\t",
    "\u{b}\u{c}",
    "\u{e}\u{f}",
    "\u{1a}",
    "\u{7f}",
    // Directions: marks, embeddings, overrides, isolates.
    "\u{200e}\u{200f}\u{61c}",
    "\u{202a}\u{202b}\u{202d}\u{202e}",
    "\u{2066}\u{2067}\u{2068}",
    "\u{2028}\u{2029}",
    // Takes no place, or is not to be seen: joiners, fillers, selectors, tags, soft hyphens, musical marks.
    "\u{200b}\u{200c}\u{200d}\u{feff}\u{2060}",
    "\u{ad}\u{34f}\u{180e}\u{115f}\u{1160}\u{3164}\u{ffa0}",
    "\u{fe0f}\u{fe0e}\u{e0100}",
    "\u{e0001}\u{e0041}\u{e007f}",
    "\u{1d173}\u{fff9}\u{fffb}",
    // Piles of marks on one letter.
    "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30d}",
    // Wide, composed, and broken in places where one might cut.
    "사과",
    "ᄀ\u{1161}\u{11a8}",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦",
    "🇰🇷",
    "❤\u{fe0f}",
    "\u{fdfa}",
    // Innocent.
    "apple",
    " ",
    "{0}",
    "%s",
    "10",
    "a very long word without anything evil in it",
];

/// Makes the strings: the same ones every time.
pub(crate) struct Hostile {
    state: u64,
    made: usize,
}

impl Hostile {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: seed, made: 0 }
    }

    pub(crate) fn made(&self) -> usize {
        self.made
    }

    /// SplitMix64: every number below `below` is as likely, as far as this test minds.
    fn number(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % below
    }

    pub(crate) fn string(&mut self) -> String {
        self.made += 1;
        let mut text = String::new();
        let is_long = self.made.is_multiple_of(LONG_EVERY);
        let pieces = 1 + self.number(6);
        while if is_long { text.len() < LONG } else { text.is_empty() } {
            for _ in 0..pieces {
                text.push_str(PIECES[self.number(PIECES.len())]);
            }
        }
        text
    }
}

/// What a terminal would make of `bytes`: the shown characters, and every sequence that is none.
///
/// A plain reader of ECMA-48, which takes anything for a sequence that some terminal might.
pub(crate) fn heard_by_a_terminal(bytes: &[u8]) -> (String, Vec<String>) {
    let text = String::from_utf8_lossy(bytes);
    let (mut shown, mut sequences) = (String::new(), Vec::new());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            shown.push(c);
            continue;
        }
        let mut sequence = String::new();
        if let Some(kind) = rest.next() {
            sequence.push(kind);
            if kind == '[' {
                for c in rest.by_ref() {
                    sequence.push(c);
                    if ('@'..='~').contains(&c) {
                        break;
                    }
                }
            }
        }
        sequences.push(sequence);
    }
    (shown, sequences)
}

/// Whether a sequence is one that moves the cursor to a place, hides or shows it, or sets colours and weights: all
/// that drawing a frame takes.
pub(crate) fn is_for_drawing(sequence: &str) -> bool {
    let Some(rest) = sequence.strip_prefix('[') else { return false };
    match rest.chars().next_back() {
        Some('m' | 'H') => rest[..rest.len() - 1].chars().all(|c| c.is_ascii_digit() || c == ';'),
        Some('l' | 'h') => rest.starts_with("?25") && rest.len() == 4,
        _ => false,
    }
}
