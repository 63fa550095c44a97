//! How full the queues are, and which of them are not read by those who should.

use ratatui::text::{Line, Span};
use skstore_domain::attendance::Found;

use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::attendance::unattended_words;
use crate::text::numbers::compact;
use crate::text::{Text, fit};

/// Columns of the numbers.
const NUMBER: usize = 7;
/// Lines of a sentence: the longest, on the narrowest screen.
const SENTENCE_LINES: usize = 4;

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

/// Which of them are not read by those who should. It stands above them, where nobody has to scroll to.
pub(super) fn unattended(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(queues) = &state.queues else { return Vec::new() };
    let lasting = state.attendance.lasting(queues, state.workers_heard().as_ref(), state.now);
    let lines = |found: &Found| {
        let text = format!("{} {}", ink.glyphs.bad, unattended_words(ink.language, found));
        let wrapped = fit::wrap(&text, width.saturating_sub(2), SENTENCE_LINES, ink.glyphs.more);
        wrapped.into_iter().map(|line| Line::styled(format!(" {line}"), ink.theme.bad)).collect::<Vec<_>>()
    };
    lasting.iter().flat_map(lines).collect()
}
