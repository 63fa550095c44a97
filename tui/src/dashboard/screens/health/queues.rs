//! How full the queues are.

use ratatui::text::{Line, Span};

use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::numbers::compact;
use crate::text::{Text, fit};

/// Columns of the numbers.
const NUMBER: usize = 7;

pub(super) fn lines(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![ink.rule(ink.text(Text::QueuesTitle), "", width)];
    let Some(queues) = &state.queues else {
        lines.push(ink.said(ink.text(Text::QueuesUntold), width, ink.theme.dim));
        return lines;
    };
    let names = queues.iter().map(|queue| fit::width(&queue.name)).max().unwrap_or(0);
    let name = names.min(width.saturating_sub(2 + 3 * (NUMBER + 1)));
    let heading = format!(
        " {} {} {} {}",
        ink.left(ink.text(Text::ColumnQueue), name),
        ink.right(ink.text(Text::ColumnWaiting), NUMBER),
        ink.right(ink.text(Text::ColumnInHand), NUMBER),
        ink.right(ink.text(Text::ColumnConsumers), NUMBER),
    );
    lines.push(Line::from(Span::styled(heading, ink.theme.dim)));
    for queue in queues {
        let number = |count: usize| ink.right(&compact(count as u64), NUMBER);
        let in_hand = queue.unacked.map_or_else(|| ink.right(ink.glyphs.dot, NUMBER), number);
        // Nobody takes from the queue of parked messages: there they wait for a person.
        let is_parking = &*queue.name == skstore_workers::desk::topology::DEAD;
        let waiting = if queue.ready > 0 { ink.theme.warn } else { ink.theme.dim };
        let consumers = if queue.consumers == 0 && !is_parking { ink.theme.bad } else { ink.theme.dim };
        lines.push(Line::from(vec![
            Span::raw(format!(" {} ", ink.left(&queue.name, name))),
            Span::styled(number(queue.ready), waiting),
            Span::styled(format!(" {in_hand}"), ink.theme.dim),
            Span::styled(format!(" {}", number(queue.consumers)), consumers),
        ]));
    }
    lines
}
