//! The names of a table's columns, an arrow beside the one by which its rows are sorted.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sort::{Column, Sort};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::shown::Spot;
use crate::text::Text;
use crate::text::fit::Side;

/// The name of a column, and its room.
pub(crate) struct Head {
    /// What it is called.
    pub(crate) name: Text,
    /// Columns of the screen; none where there is no room for it.
    pub(crate) width: usize,
    /// On which side its values stand.
    pub(crate) side: Side,
}

impl Head {
    /// The name of a column whose values stand on the left.
    pub(crate) const fn left(name: Text, width: usize) -> Self {
        Self { name, width, side: Side::Left }
    }

    /// The name of a column whose values stand on the right.
    pub(crate) const fn right(name: Text, width: usize) -> Self {
        Self { name, width, side: Side::Right }
    }
}

/// Draws the line above the rows: `heads` are those of all columns `C`, in their order. `sort` is absent while the rows
/// stand as the view hands them over.
pub(crate) fn draw<C: Column>(
    ink: &Ink<'_>,
    canvas: &mut Canvas<'_>,
    area: Rect,
    heads: &[Head],
    sort: Option<Sort<C>>,
) {
    let by = sort.unwrap_or(C::BY_ITSELF);
    // A row's marker has two columns; each column but the first has a blank in front.
    let (mut line, mut from) = (Line::from(" "), 0);
    for (place, (column, head)) in
        C::ALL.iter().zip(heads).enumerate().filter(|(_, (_, head))| head.width > 0)
    {
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
        line.push_span(Span::styled(format!(" {text}"), style));
        canvas.spot_on(area, from..line.width(), Spot::Sort(place));
        from = line.width();
    }
    canvas.paint(area, &[line]);
}
