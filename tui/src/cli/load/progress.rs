//! How a run does, while it does: on a terminal one line that is written over, else a line now and then.

use skstore::load::runner::Seen;
use skstore::text::Language;
use skstore::text::numbers::{compact, millis};

use super::super::stderr::{tell, write_over};

/// Where every line stays it is told of this seldom, in seconds.
const LINE_EVERY_S: u64 = 5;

/// Columns that every terminal has but for its last one.
const COLUMNS: usize = 79;

/// Tells of a run.
#[derive(Debug)]
pub(super) struct Progress {
    may_rewrite: bool,
    is_line_open: bool,
}

impl Progress {
    /// Writes over its line where that `may_rewrite`.
    pub(super) const fn new(may_rewrite: bool) -> Self {
        Self { may_rewrite, is_line_open: false }
    }

    /// Tells how it does.
    pub(super) fn show(&mut self, seen: &Seen<'_>) {
        if self.may_rewrite {
            write_over(&line(seen).chars().take(COLUMNS).collect::<String>());
            self.is_line_open = true;
        } else if seen.second.at_s.is_multiple_of(LINE_EVERY_S) {
            tell(&line(seen));
        }
    }

    /// What is told next begins on a line of its own.
    pub(super) fn end(&self) {
        if self.is_line_open {
            tell("");
        }
    }
}

/// What comes last matters least: a terminal of 80 columns may not have it all, and what does not fit would be left behind
/// when it is written over.
fn line(seen: &Seen<'_>) -> String {
    let second = &seen.second;
    let took = |us: Option<u64>| us.map_or("-".to_owned(), |us| millis(Language::English, us));
    format!(
        "{} s  {}/s  ok {}  refused {}  failed {}  p50 {}  p99 {}  in flight {}",
        second.at_s,
        compact(second.ok + second.refused),
        compact(seen.orders.ok),
        compact(seen.orders.refused),
        compact(seen.orders.failed),
        took(second.p50_us),
        took(second.p99_us),
        seen.in_flight
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use skstore::load::tally::{Counts, Second};

    use super::*;

    #[test]
    fn a_line_says_it_all_and_fits_a_terminal() {
        let orders = Counts { ok: 9_999_999, refused: 999_999, failed: 12, ..Counts::default() };
        let second =
            Second { at_s: 3600, ok: 12_345, p50_us: Some(1234), p99_us: Some(512_345), ..Second::default() };
        let at = Duration::from_secs(3600);
        let line = line(&Seen { at, second, orders: &orders, in_flight: 4096 });
        let expected =
            "3600 s  12,345/s  ok 9,999k  refused 999k  failed 12  p50 1.23 ms  p99 512 ms  in flight 4096";
        assert_eq!(line, expected);
    }
}
