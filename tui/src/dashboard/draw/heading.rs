//! The names of a table's columns, an arrow beside the one by which its rows are sorted, and which of them stands
//! where.

use ratatui::text::{Line, Span};

use super::ink::Ink;
use crate::dashboard::state::sort::{Column, Sort};
use crate::text::Text;
use crate::text::fit::Side;

/// The name of a column, and its room.
pub(super) struct Head {
    /// What it is called.
    pub(super) name: Text,
    /// Columns of the screen; none where there is no room for it.
    pub(super) width: usize,
    /// On which side its values stand.
    pub(super) side: Side,
}

/// The line above the rows: `heads` are those of all columns `C`, in their order. `sort` is absent while the rows
/// stand as the view hands them over.
pub(super) fn line<C: Column>(ink: &Ink<'_>, heads: &[Head], sort: Option<Sort<C>>) -> Line<'static> {
    let by = sort.unwrap_or(C::BY_ITSELF);
    let mut spans = vec![Span::raw(" ")];
    for (column, head) in C::ALL.iter().zip(heads).filter(|(_, head)| head.width > 0) {
        let is_sorted = by.column == *column;
        let arrow = match (is_sorted, by.descending) {
            (false, _) => "",
            (true, true) => ink.glyphs.descending,
            (true, false) => ink.glyphs.ascending,
        };
        let name = format!("{}{arrow}", ink.text(head.name));
        let text = match head.side {
            Side::Left => ink.left(&name, head.width),
            Side::Right => ink.right(&name, head.width),
        };
        let style = if is_sorted && sort.is_some() { ink.theme.title } else { ink.theme.dim };
        spans.push(Span::styled(format!(" {text}"), style));
    }
    Line::from(spans)
}

/// The place of the column at column `x` of the table.
pub(super) fn place_at(heads: &[Head], x: usize) -> Option<usize> {
    // A row's marker has two columns; each column but the first has a blank in front.
    let mut end = 1;
    heads.iter().enumerate().filter(|(_, head)| head.width > 0).find_map(|(place, head)| {
        end += 1 + head.width;
        (x < end).then_some(place)
    })
}
