//! The table of accounts, and the payments of the selected one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::Account;

use super::header::grouped;
use super::heading::{self, Head};
use super::ink::{Ink, paint};
use super::{beside, listing};
use crate::dashboard::keys::Action;
use crate::dashboard::state::State;
use crate::text::Text;
use crate::text::fit::Side;

/// Columns of a balance: up to a hundred trillion won.
const BALANCE: usize = 19;
/// Columns that a name gets at most: a wider one than most are would tear name and balance apart.
const NAME_AT_MOST: usize = 40;

fn name_width(width: usize) -> usize {
    width.saturating_sub(2 + 1 + BALANCE).min(NAME_AT_MOST)
}

/// The columns' names in a table of `width`.
pub(super) fn heads(width: usize) -> [Head; 2] {
    [
        Head { name: Text::ColumnCustomer, width: name_width(width), side: Side::Left },
        Head { name: Text::ColumnBalance, width: BALANCE, side: Side::Right },
    ]
}

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let listing = &state.accounts.listing;
    let counts = &state.counts;
    let sum = ink.fill(Text::AccountsSum, &[&grouped(counts.accounts), &counts.balances]);
    let name = name_width(width);
    let mut lines = vec![
        ink.rule(&title(state, ink), &listing::standing(listing, ink, sum), width),
        heading::line(ink, &heads(width), listing.sort()),
    ];
    lines.extend(listing::lines(listing, ink, usize::from(area.height), |account| row(ink, account, name)));
    if listing.rows().len() == 0 {
        let key = ink.key(state.tab.scope(), Action::TopUp);
        lines.extend(listing::nothing(
            state,
            ink,
            listing.is_read,
            width,
            &ink.fill(Text::NoAccounts, &[&key]),
        ));
    }
    paint(frame, area, &lines);
}

fn title(state: &State, ink: &Ink<'_>) -> String {
    let title = ink.text(Text::AccountsTitle);
    let typed = &state.accounts.typed;
    if typed.is_empty() {
        return title.to_owned();
    }
    format!("{title} {} {}", ink.glyphs.dot, ink.fill(Text::FromName, &[typed]))
}

fn row(ink: &Ink<'_>, account: &Account, name: usize) -> Vec<Span<'static>> {
    let style = if account.balance.0 == 0 { ink.theme.dim } else { ink.theme.text };
    vec![
        Span::raw(ink.left(account.customer.as_str(), name)),
        Span::styled(format!(" {}", ink.right(&account.balance.to_string(), BALANCE)), style),
    ]
}

/// The newest payments of the selected account.
pub(super) fn payments(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(account) = state.accounts.listing.selected_row() else { return Vec::new() };
    let title = ink.fill(Text::PaymentsOf, &[&account.customer]);
    beside::lines(state, ink, width, &title, state.accounts.orders_of_selected(), beside::Part::Payment)
}
