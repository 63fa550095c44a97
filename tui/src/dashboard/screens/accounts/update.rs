//! What the table of accounts has of its own.

use skstore_domain::objects::Account;
use skstore_workers::desk::view::OrderFilter;

use super::draw;
use crate::dashboard::message::{Found, Query};
use crate::dashboard::screens::by_name::ByName;
use crate::text::Text;

/// The screen of accounts.
pub(crate) static SCREEN: ByName<Account> = ByName {
    listing: |state| &state.accounts.listing,
    listing_mut: |state| &mut state.accounts.listing,
    query: |state| Query::Accounts(state.accounts.listing.query()),
    answer: |query, found| match (query, found) {
        (Query::Accounts(query), Found::Accounts(found)) => Some((query.orders_of, found)),
        _ => None,
    },
    orders_of: |account| {
        let filter = OrderFilter { customer: Some(account.customer.clone()), ..OrderFilter::default() };
        (filter, Text::FieldCustomer, account.customer.to_string())
    },
    typed: |state| &state.accounts.typed,
    begin_with: |state, typed| state.accounts.begin_with(typed),
    draw: draw::table,
    beside: draw::payments,
};
