//! The catalogue: what a fresh data directory starts with, items and opening accounts.
//!
//! Every entry is checked as the command it will become, so that a catalogue that was read can be applied.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use config::{Value, ValueKind};
use serde_json::{Map, json};
use skstore_domain::commands::{
    DepositCommand, DepositCommandKind, ItemCommand, ItemCommandKind, ListItem, MAX_STOCK, ServiceCommand,
};
use skstore_domain::ids::Customer;
use skstore_domain::money::Won;

use crate::config::read_toml;
use crate::files;

/// The built-in catalogue, with its comments.
pub const BUILT_IN: &str = include_str!("../../../config/catalog.toml");

/// Items and opening accounts, each named once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// What is sold.
    pub items: Vec<CatalogItem>,
    /// Who can pay.
    pub accounts: Vec<CatalogAccount>,
}

/// An item and its first stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogItem {
    /// Name and price.
    pub listing: ListItem,
    /// Units on hand, 0 to [`MAX_STOCK`].
    pub stock: u64,
}

/// An account and its first top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogAccount {
    /// The account's owner.
    pub customer: Customer,
    /// How much, 1 to [`Won::MAX_INPUT`].
    pub opening_balance: Won,
}

/// Why there is no catalogue. All of it is for a person to correct.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be read.
    #[error("the catalogue {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// It is not TOML, or an entry is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// The file, or the built-in catalogue.
        place: String,
        /// The entry and what is wrong with it.
        problem: String,
    },
}

impl Catalog {
    /// Reads the catalogue at `path`, or the built-in one.
    ///
    /// # Errors
    /// [`CatalogError`] names the file and the first entry that is wrong.
    pub fn load(path: Option<&Path>) -> Result<Self, CatalogError> {
        let Some(path) = path else { return Self::parse(BUILT_IN, "the built-in catalogue") };
        let text = files::read_text(path)
            .map_err(|error| CatalogError::Unreadable { path: path.to_owned(), cause: error.to_string() })?;
        Self::parse(&text, &format!("the catalogue {}", path.display()))
    }

    /// Reads a catalogue from `text`; `place` is what errors call it.
    ///
    /// # Errors
    /// [`CatalogError::Wrong`].
    pub fn parse(text: &str, place: &str) -> Result<Self, CatalogError> {
        read(text).map_err(|problem| CatalogError::Wrong { place: place.to_owned(), problem })
    }
}

fn read(text: &str) -> Result<Catalog, String> {
    let mut catalog = Catalog { items: Vec::new(), accounts: Vec::new() };
    for (section, value) in read_toml(text)? {
        match section.as_str() {
            "items" => catalog.items = entries(value, "items", item)?,
            "accounts" => catalog.accounts = entries(value, "accounts", account)?,
            _ => {
                return Err(format!(
                    "there is no '{section}' in a catalogue, only [[items]] and [[accounts]]"
                ));
            }
        }
    }
    unique("items", "item_id", catalog.items.iter().map(|item| item.listing.item_id.as_str()))?;
    unique("accounts", "customer", catalog.accounts.iter().map(|account| account.customer.as_str()))?;
    Ok(catalog)
}

/// Reads each table of a list; an error is led by the entry's place, counted from 1.
fn entries<T>(
    value: Value,
    section: &str,
    read: impl Fn(&Map<String, serde_json::Value>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let ValueKind::Array(list) = value.kind else {
        return Err(format!("'{section}' must be a list of tables, each headed [[{section}]]"));
    };
    let read_one = |(at, entry): (usize, Value)| match entry.kind {
        ValueKind::Table(table) => {
            let fields: Map<_, _> = table.into_iter().map(|(key, value)| (key, plain(value.kind))).collect();
            read(&fields).map_err(|problem| format!("{section}, entry {}: {problem}", at + 1))
        }
        _ => Err(format!("{section}, entry {}: it must be a table headed [[{section}]]", at + 1)),
    };
    list.into_iter().enumerate().map(read_one).collect()
}

/// A value as JSON, as a command has it. What no field of ours can be becomes null, which counts as absent.
fn plain(value: ValueKind) -> serde_json::Value {
    match value {
        ValueKind::Boolean(value) => json!(value),
        ValueKind::I64(value) => json!(value),
        ValueKind::U64(value) => json!(value),
        ValueKind::Float(value) => json!(value),
        ValueKind::String(value) => json!(value),
        ValueKind::Array(_) => json!([]),
        ValueKind::Table(_) => json!({}),
        ValueKind::Nil | ValueKind::I128(_) | ValueKind::U128(_) => json!(null),
    }
}

fn item(fields: &Map<String, serde_json::Value>) -> Result<CatalogItem, String> {
    only(fields, &["item_id", "name", "name_en", "unit_price", "stock"])?;
    quoted(fields, "item_id")?;
    let stock = match fields.get("stock").and_then(serde_json::Value::as_u64) {
        Some(stock) if stock <= MAX_STOCK => stock,
        _ => return Err(format!("it needs a 'stock', a whole number from 0 to {MAX_STOCK}")),
    };
    match command(ItemCommandKind::List, fields)? {
        ItemCommand::List(listing) => Ok(CatalogItem { listing, stock }),
        other => Err(format!("it was read as {other:?}")),
    }
}

fn account(fields: &Map<String, serde_json::Value>) -> Result<CatalogAccount, String> {
    only(fields, &["customer", "opening_balance"])?;
    quoted(fields, "customer")?;
    let mut top_up = fields.clone();
    if let Some(amount) = top_up.remove("opening_balance") {
        top_up.insert("amount".into(), amount);
    }
    let read = command(DepositCommandKind::TopUp, &top_up);
    match read.map_err(|problem| problem.replace("'amount'", "'opening_balance'"))? {
        DepositCommand::TopUp(top_up) => {
            Ok(CatalogAccount { customer: top_up.customer, opening_balance: top_up.amount })
        }
        other => Err(format!("it was read as {other:?}")),
    }
}

fn only(fields: &Map<String, serde_json::Value>, known: &[&str]) -> Result<(), String> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key '{key}'; there are: {}", known.join(", "))),
        None => Ok(()),
    }
}

/// A name has to stand in quotes: TOML has more than one way to write a number, and which one it was is not told.
fn quoted(fields: &Map<String, serde_json::Value>, name: &str) -> Result<(), String> {
    match fields.get(name) {
        Some(serde_json::Value::Number(number)) => {
            Err(format!("'{name}' must be a text in quotes: \"{number}\""))
        }
        _ => Ok(()),
    }
}

/// Checks `fields` as the command that they will become.
fn command<C: ServiceCommand>(kind: C::Kind, fields: &Map<String, serde_json::Value>) -> Result<C, String> {
    let body = serde_json::to_vec(fields).map_err(|error| error.to_string())?;
    C::from_json(kind, &body).map_err(|invalid| invalid.problem.to_string())
}

fn unique<'a>(section: &str, key: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (at, name) in names.enumerate() {
        if !seen.insert(name) {
            return Err(format!("{section}, entry {}: the {key} '{name}' is there already", at + 1));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    #[test]
    fn the_built_in_catalogue_suits_its_purposes() {
        let catalog = Catalog::load(None).unwrap();
        let defaults = Sources { flags: vec![("data_dir".into(), "d".into())], ..Sources::default() };
        let walk_in = Config::load(&defaults).unwrap().order.walk_in;
        assert!(catalog.items.len() >= 10, "a dashboard needs something to show");
        assert!(catalog.items.iter().any(|item| item.stock < 5000), "nothing sells out under load");
        assert!(catalog.items.iter().any(|item| item.stock >= 10_000_000), "nothing lasts a load test");
        assert!(
            catalog.items.iter().any(|item| item.listing.item_id.as_str() == "10"),
            "the original's item"
        );
        let rich = catalog.accounts.iter().find(|account| account.customer == walk_in);
        let dearest = catalog.items.iter().map(|item| item.listing.unit_price).max().unwrap();
        let rich = rich.expect("the walk-in account is in the catalogue");
        assert!(rich.opening_balance.0 >= 1_000_000 * dearest.0, "the walk-in account pays for a load test");
        assert!(
            catalog.accounts.iter().any(|account| account.opening_balance < dearest),
            "nobody is poor enough to be declined"
        );
    }

    #[test]
    fn what_is_wrong_is_said_of_its_entry() {
        let item = "[[items]]\nitem_id = \"10\"\nname = \"a\"\nunit_price = 1\nstock = 1\n";
        let account = "[[accounts]]\ncustomer = \"kim\"\nopening_balance = 1\n";
        let table = [
            (item.replace("\"10\"", "\"\""), "items, entry 1: 'item_id' must have 1 to 64 characters"),
            (
                item.replace("stock = 1", "stock = -1"),
                "items, entry 1: it needs a 'stock', a whole number from",
            ),
            (
                item.replace("stock = 1", "stock = 1.5"),
                "items, entry 1: it needs a 'stock', a whole number from",
            ),
            (item.replace("unit_price", "price"), "items, entry 1: unknown key 'price'; there are: item_id"),
            (item.replace("unit_price = 1", ""), "items, entry 1: it needs a 'unit_price'"),
            (
                item.replace("name = \"a\"", "name = \"\\u001b\""),
                "items, entry 1: 'name' must not contain U+001B, a control character",
            ),
            (
                item.replace("\"10\"", "\"10\\u3164\""),
                "items, entry 1: 'item_id' must not contain U+3164, which cannot be seen",
            ),
            (item.replace("\"10\"", "0x10"), "items, entry 1: 'item_id' must be a text in quotes: \"16\""),
            (item.replace("\"10\"", "1e3"), "items, entry 1: 'item_id' must be a text in quotes: "),
            (
                account.replace("\"kim\"", "7"),
                "accounts, entry 1: 'customer' must be a text in quotes: \"7\"",
            ),
            (
                format!("{account}{}", account.replace("kim", " kim\u{3000}")),
                "accounts, entry 2: the customer 'kim' is there already",
            ),
            (
                account.replace("= 1", "= 1e3"),
                "accounts, entry 1: 'opening_balance' must be a whole number from",
            ),
            (item.repeat(2), "items, entry 2: the item_id '10' is there already"),
            (account.repeat(2), "accounts, entry 2: the customer 'kim' is there already"),
            (
                account.replace("= 1", "= 0"),
                "accounts, entry 1: 'opening_balance' must be a whole number from 1 to 1000000000000, not 0",
            ),
            ("items = 5".into(), "'items' must be a list of tables"),
            ("items = [5]".into(), "items, entry 1: it must be a table headed [[items]]"),
            ("[goods]\na = 1".into(), "there is no 'goods' in a catalogue"),
            ("[[items".into(), "TOML parse error at line 1"),
        ];
        for (text, expected) in table {
            let error = Catalog::parse(&text, "x.toml").expect_err(&text).to_string();
            assert!(error.starts_with(&format!("x.toml: {expected}")), "{error}\n  instead of: {expected}");
        }
    }

    #[test]
    fn an_empty_catalogue_is_a_catalogue() {
        assert_eq!(Catalog::parse("", "x"), Ok(Catalog { items: vec![], accounts: vec![] }));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Catalog::load(Some(Path::new("/nowhere/catalog.toml"))).unwrap_err().to_string();
        assert!(error.starts_with("the catalogue /nowhere/catalog.toml cannot be read: "), "{error}");
    }
}
