//! The table of items, and the deliveries of the selected one.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::Item;

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::screens::orders::beside;
use crate::dashboard::state::State;
use crate::dashboard::table::by_name::{self, Table};
use crate::dashboard::table::heading::Head;
use crate::text::Text;
use crate::text::names::name_of;
use crate::text::numbers::grouped;

/// Columns of an item's id; a longer one is cut.
const ID: usize = 8;
/// Columns of a price up to 99,999,999 won.
const PRICE: usize = 12;
/// Columns of a stock: up to a million written out.
const STOCK: usize = 10;
/// Columns that a name gets at most.
const MAX_NAME: usize = 32;
/// Columns that the bar gets at most.
const MAX_BAR: usize = 40;
/// A stock below this many units is soon sold out.
const LOW_STOCK: u64 = 20;

struct Columns {
    name: usize,
    bar: usize,
    /// The largest stock in the window: a full bar.
    max: u64,
}

impl Columns {
    fn of(state: &State, width: usize) -> Self {
        let room = width.saturating_sub(2 + ID + 1 + 1 + PRICE + 1 + STOCK + 2);
        let name = (room * 3 / 5).min(MAX_NAME);
        let max = state.items.rows().map(|item| item.stock).max().unwrap_or(0).max(1);
        Self { name, bar: room.saturating_sub(name).min(MAX_BAR), max }
    }
}

/// Draws the table.
pub(super) fn table(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = Columns::of(state, usize::from(area.width));
    let table = Table {
        title: ink.text(Text::ItemsTitle).to_owned(),
        sum: ink.fill(Text::ItemsCount, &[&grouped(state.counts.items)]),
        heads: &[
            Head::left(Text::ColumnId, ID),
            Head::left(Text::ColumnName, columns.name),
            Head::right(Text::ColumnPrice, PRICE),
            Head::right(Text::ColumnStock, STOCK),
        ],
        none: ink.text(Text::NoItems).to_owned(),
    };
    by_name::draw(state, ink, canvas, area, &state.items, &table, |item| cells(ink, item, &columns));
}

fn cells(ink: &Ink<'_>, item: &Item, columns: &Columns) -> Vec<Span<'static>> {
    let style = match item.stock {
        0 => ink.theme.bad,
        1..LOW_STOCK => ink.theme.warn,
        _ => ink.theme.ok,
    };
    let stock = match item.stock {
        0 => ink.text(Text::SoldOut).to_owned(),
        stock => grouped(stock),
    };
    let share = u128::from(item.stock) * columns.bar as u128;
    // What is there at all shows.
    let filled = usize::try_from(share.div_ceil(u128::from(columns.max))).unwrap_or(columns.bar);
    let filled = filled.min(columns.bar);
    vec![
        Span::styled(ink.left(item.item_id.as_str(), ID), ink.theme.dim),
        Span::raw(format!(" {}", ink.left(name_of(item, ink.language), columns.name))),
        Span::raw(format!(" {}", ink.right(&item.unit_price.to_string(), PRICE))),
        Span::styled(format!(" {}  ", ink.right(&stock, STOCK)), style),
        Span::styled(ink.glyphs.bar.repeat(filled), style),
        Span::styled(ink.glyphs.track.repeat(columns.bar - filled), ink.theme.border),
    ]
}

/// The newest deliveries of the selected item.
pub(super) fn deliveries(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(item) = state.items.selected_row() else { return Vec::new() };
    let title = ink.fill(Text::DeliveriesOf, &[&name_of(item, ink.language)]);
    beside::lines(state, ink, width, &title, state.items.orders_of_selected(), beside::Part::Delivery)
}
