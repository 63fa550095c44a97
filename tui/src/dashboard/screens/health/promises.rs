//! The live line for each promise that a service's own log can be held against: money, stock, orders.

use ratatui::text::{Line, Span};
use skstore_domain::books::{Books, Breach, Sums};

use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::numbers::grouped;
use crate::text::{Text, times};

/// Something that books are kept of: its name, and whether sums are of it.
type Kept = (Text, fn(&Sums) -> bool);

/// All of it, in the order in which it is shown.
const KEPT: [Kept; 3] = [
    (Text::PromiseMoney, |sums| matches!(sums, Sums::Money { .. })),
    (Text::PromiseStock, |sums| matches!(sums, Sums::Stock { .. })),
    (Text::PromiseOrders, |sums| matches!(sums, Sums::Orders { .. })),
];

pub(super) fn lines(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![ink.rule(ink.text(Text::PromisesTitle), "", width)];
    for (name, is_it) in KEPT {
        let name = ink.text(name);
        // Workers of one service read one log; the one that is furthest knows most.
        let told = state.health.services.iter().filter_map(|beat| beat.books.as_ref());
        lines.push(match told.filter(|books| is_it(&books.sums)).max_by_key(|books| books.read) {
            Some(books) => line(state, ink, width, name, books),
            None => {
                let text = format!("{} {name}  {}", ink.glyphs.dot, ink.text(Text::PromiseUntold));
                ink.said(&text, width, ink.theme.dim)
            }
        });
    }
    lines
}

fn line(state: &State, ink: &Ink<'_>, width: usize, name: &str, books: &Books) -> Line<'static> {
    if let Some(breach) = &books.breach {
        let text = format!("{} {name}  {}", ink.glyphs.bad, broken(state, ink, breach));
        return ink.said(&text, width, ink.theme.bad);
    }
    let sums = match books.sums {
        Sums::Money { topped_up, balances, charged } => {
            ink.fill(Text::PromiseMoneyKept, &[&topped_up, &balances, &charged])
        }
        Sums::Stock { items, units } => ink.fill(Text::PromiseStockKept, &[&grouped(units), &grouped(items)]),
        Sums::Orders { orders, live, .. } => {
            ink.fill(Text::PromiseOrdersKept, &[&grouped(orders), &grouped(live)])
        }
    };
    let behind = if books.read < books.last {
        let percent = books.read.max(0) * 100 / books.last.max(1);
        format!(" {}", ink.fill(Text::PromiseReadTo, &[&percent]))
    } else {
        String::new()
    };
    let mut line = ink.said(&format!("{} {name}{behind}", ink.glyphs.ok), width, ink.theme.ok);
    let room = width.saturating_sub(line.width());
    line.push_span(Span::raw(ink.short(&format!("  {sums}"), room)));
    line
}

/// What is wrong, with what it was noticed at.
fn broken(state: &State, ink: &Ink<'_>, breach: &Breach) -> String {
    let since = times::age(ink.language, state.now.since(breach.at));
    ink.fill(Text::PromiseBroken, &[&ink.word(&breach.kind), &breach.id, &since])
}
