//! A window over the accounts.

use std::cmp::Ordering;

use skstore_domain::ids::{Customer, composed};
use skstore_domain::objects::Account;

use crate::dashboard::table::listing::{Listing, Named};
use crate::dashboard::table::sort::{Column, Sort};
use crate::text::Language;

/// A column of the table of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountColumn {
    /// Whose it is.
    Customer,
    /// What is on it.
    Balance,
}

impl Column for AccountColumn {
    const ALL: &'static [Self] = &[Self::Customer, Self::Balance];
    const BY_ITSELF: Sort<Self> = Sort { column: Self::Customer, descending: false };
}

impl Named for Account {
    type Name = Customer;
    type Column = AccountColumn;

    fn name(&self) -> &Customer {
        &self.customer
    }

    fn compare(column: AccountColumn, one: &Self, other: &Self, _: Language) -> Ordering {
        match column {
            AccountColumn::Customer => one.customer.cmp(&other.customer),
            AccountColumn::Balance => one.balance.cmp(&other.balance),
        }
    }
}

/// The accounts.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// A window over them.
    pub listing: Listing<Account>,
    /// With what the names begin that are shown first, as it was typed.
    pub typed: String,
}

impl Accounts {
    /// Shows the accounts from the names on that begin with `typed`.
    pub fn begin_with(&mut self, typed: &str) {
        composed(typed).as_ref().clone_into(&mut self.typed);
        self.listing.start_after(just_before(&self.typed));
    }
}

/// A name that sorts before every name that begins with `typed`, and after nearly all others that do.
#[must_use]
pub fn just_before(typed: &str) -> Option<Customer> {
    let last = typed.chars().next_back()?;
    let smaller = char::from_u32(u32::from(last).checked_sub(1)?)?;
    let rest = &typed[..typed.len() - last.len_utf8()];
    // Nobody is called so: it is a place between names.
    Customer::kept(&format!("{rest}{smaller}\u{10ffff}")).ok()
}
