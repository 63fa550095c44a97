//! The table of accounts, and the payments of the selected one.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::Account;

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::{Action, Scope};
use crate::dashboard::screens::orders::beside;
use crate::dashboard::state::State;
use crate::dashboard::table::by_name::{self, Table};
use crate::dashboard::table::heading::Head;
use crate::text::Text;
use crate::text::numbers::grouped;

/// Columns of a balance: up to a hundred trillion won.
const BALANCE: usize = 19;
/// Columns that a name gets at most: a wider one than most are would tear name and balance apart.
const MAX_NAME: usize = 40;

/// Draws the table.
pub(super) fn table(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let (listing, counts) = (&state.accounts.listing, &state.counts);
    let name = usize::from(area.width).saturating_sub(2 + 1 + BALANCE).min(MAX_NAME);
    let table = Table {
        title: title(state, ink),
        sum: ink.fill(Text::AccountsSum, &[&grouped(counts.accounts), &counts.balances]),
        heads: &[Head::left(Text::ColumnCustomer, name), Head::right(Text::ColumnBalance, BALANCE)],
        none: ink.fill(Text::NoAccounts, &[&ink.key(Scope::Accounts, Action::TopUp)]),
    };
    by_name::draw(state, ink, canvas, area, listing, &table, |account| cells(ink, account, name));
}

fn title(state: &State, ink: &Ink<'_>) -> String {
    let title = ink.text(Text::AccountsTitle);
    let typed = &state.accounts.typed;
    if typed.is_empty() {
        return title.to_owned();
    }
    format!("{title} {} {}", ink.glyphs.dot, ink.fill(Text::FromName, &[typed]))
}

fn cells(ink: &Ink<'_>, account: &Account, name: usize) -> Vec<Span<'static>> {
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
    beside::lines(
        state,
        ink,
        width,
        &title,
        state.accounts.listing.orders_of_selected(),
        beside::Part::Payment,
    )
}
