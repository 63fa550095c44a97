//! All keys, by where they apply: derived from the table.

use ratatui::text::{Line, Span};

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Scope;
use crate::dashboard::shown::Scroll;
use crate::dashboard::state::State;
use crate::text::{Text, fit};

/// Columns of the help, with its frame.
const WIDTH: u16 = 56;
/// Rows that stay free above and below.
const MARGIN: u16 = 1;
/// Columns of the keys.
const KEYS: usize = 20;

/// Draws it.
pub(crate) fn draw(state: &State, scroll: Scroll, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let height = state.size.height.saturating_sub(2 * MARGIN);
    let area = ink.window(canvas, ink.text(Text::HelpTitle), WIDTH, height);
    let lines = lines(state, ink);
    let scroll = scroll.within(lines.len(), usize::from(area.height));
    canvas.paint_scrolled(area, &lines, scroll);
    canvas.shown.layer = Some(scroll);
}

fn lines(state: &State, ink: &Ink<'_>) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    // What applies where one was comes first.
    let here = state.scope_below();
    for scope in std::iter::once(&here).chain(Scope::ALL.iter().filter(|scope| **scope != here)) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(Span::styled(ink.text(scope.text()), ink.theme.title)));
        for binding in state.keys.of_scope(*scope) {
            let names: Vec<String> =
                binding.keys.iter().map(|chord| chord.name(ink.glyphs.is_ascii)).collect();
            let names = names.join(" ");
            let columns = KEYS.max(fit::width(&names));
            lines.push(Line::from(vec![
                Span::styled(ink.left(&names, columns), ink.theme.key),
                Span::raw(format!(" {}", ink.text(binding.explained()))),
            ]));
        }
    }
    lines
}
