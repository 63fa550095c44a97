//! How large a terminal is: what counts where it does not know its own size, and the most that is drawn of it.

use ratatui::layout::Size;

/// What a terminal has that does not tell its size: the one that all of them began with.
const SIZE_OF_OLD: Size = Size { width: 80, height: 24 };
/// The largest size that is drawn, in columns and rows: more than a screen of 8K shows in letters that can be read. A cell
/// takes some 50 bytes, twice, and up to a microsecond each time that it is drawn, while nobody is heard: this is 50 MB and less
/// than a second at worst. What a terminal may claim (65535 × 65535) would take hundreds of gigabytes.
const MAX_DRAWN: Size = Size { width: 1000, height: 500 };
/// Cells of the largest size that is drawn.
pub(super) const MAX_CELLS: usize = MAX_DRAWN.width as usize * MAX_DRAWN.height as usize;

/// The size that counts while the terminal says 0 × 0, as that of a container does until somebody attaches to it: what
/// `COLUMNS` and `LINES` say, else 80 × 24.
#[must_use]
pub fn assumed_size(variable: impl Fn(&str) -> Option<String>) -> Size {
    let claimed = |name: &str, max: u16| {
        let value = variable(name)?.trim().parse().ok()?;
        (1..=max).contains(&value).then_some(value)
    };
    Size {
        width: claimed("COLUMNS", MAX_DRAWN.width).unwrap_or(SIZE_OF_OLD.width),
        height: claimed("LINES", MAX_DRAWN.height).unwrap_or(SIZE_OF_OLD.height),
    }
}

/// The size that is drawn: `told` where the terminal knows it, as far as anybody could see it.
#[must_use]
pub fn known(told: Size, assumed: Size) -> Size {
    let size = if told.width == 0 || told.height == 0 { assumed } else { told };
    Size { width: size.width.min(MAX_DRAWN.width), height: size.height.min(MAX_DRAWN.height) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_does_not_know_its_size_has_that_of_the_environment_or_of_old() {
        let of = |columns: &str, lines: &str| {
            let of = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            assumed_size(|name| if name == "COLUMNS" { of(columns) } else { of(lines) })
        };
        for (columns, lines, expected) in [
            ("", "", (80, 24)),
            ("120", "40", (120, 40)),
            ("120", "", (120, 24)),
            ("0", "-3", (80, 24)),
            ("wide", "99999", (80, 24)),
        ] {
            let size = of(columns, lines);
            assert_eq!((size.width, size.height), expected, "COLUMNS={columns} LINES={lines}");
        }
        let assumed = of("", "");
        for (told, expected) in [
            ((0, 0), (80, 24)),
            ((0, 50), (80, 24)),
            ((50, 10), (50, 10)),
            ((1000, 4000), (1000, 500)),
            ((u16::MAX, 1), (1000, 1)),
        ] {
            let size = known(told.into(), assumed);
            assert_eq!((size.width, size.height), expected, "told {told:?}");
        }
    }
}
