//! What `skstore load` can be told.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Read as _;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use skstore::load::plan::{MAX_ORDERS, RunName, Share};
use skstore::load::runner::{Limits, MAX_CLIENTS};
use skstore::load::supply::{Buyers, Wish, most_orders, shares};
use skstore_domain::ids::Customer;
use skstore_domain::objects::MAX_QTY;

use crate::cli::durations::up_to_a_day;

/// How long it runs if nothing else ends it.
const USUAL_TIME: Duration = Duration::from_secs(10);
/// Most orders a second: far more than any desk takes.
const MAX_RATE: f64 = 1_000_000.0;
/// Fewest: one in some quarter of an hour.
const MIN_RATE: f64 = 0.001;
/// Most customers of its own: each is an account.
const MAX_CUSTOMERS: u32 = 100_000;
/// Longest token, in bytes: the head of a request has 16 KiB.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// How many clients order at once, each its next order when its last was answered
    #[arg(short, long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_CLIENTS)))]
    clients: u16,
    /// Take no more orders after this: 500ms, 60s, 2m or 1h [default: 10s without --orders]
    #[arg(short, long, value_name = "TIME", value_parser = up_to_a_day)]
    time: Option<Duration>,
    /// Take no more orders than this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_ORDERS))]
    orders: Option<u64>,
    /// Place this many orders a second, whoever is still waiting; times count from when an order was due
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// What is ordered, with weights: 10:3,20:1 [default: what there is enough of, and no more than there is]
    #[arg(long, value_name = "ITEM:WEIGHT,…", value_parser = Items::read)]
    items: Option<Items>,
    /// Order for load-1 to load-N, which get the money that they need
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "customer",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CUSTOMERS)))]
    customers: u32,
    /// Order for this customer, with the money that is there. May be given several times
    #[arg(long, value_name = "NAME", value_parser = Customer::new)]
    customer: Vec<Customer>,
    /// Units of an order: 1, or from 1 to 3: 1-3
    #[arg(long, value_name = "UNITS", default_value = "1", value_parser = qty)]
    qty: RangeInclusive<u32>,
    /// Cancel this many of a hundred orders that were accepted
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    cancels: u8,
    /// Send this many of a hundred orders once more, which must be answered as the first time
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    repeats: u8,
    /// What all orders follow from: the same seed, the same orders [default: a new one]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// The name of the run, of which the ids of its orders are made: load-NAME-1 and on [default: a new one]
    #[arg(long, value_name = "NAME", value_parser = RunName::new)]
    run: Option<RunName>,
    /// Restock the items before, and give named customers money
    #[arg(long)]
    fund: bool,
    /// Order over HTTP, at this gateway: http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// The gateway's token, in a file
    #[arg(long, value_name = "PATH", requires = "to")]
    token_file: Option<PathBuf>,
}

/// Items with their weights.
#[derive(Debug, Clone)]
struct Items(Vec<Share>);

impl Items {
    fn read(text: &str) -> Result<Self, String> {
        shares(text).map(Self)
    }
}

impl LoadArguments {
    /// The gateway to order at, if it is one.
    pub(crate) fn to(&self) -> Option<&str> {
        self.to.as_deref()
    }

    /// Clients at once.
    pub(super) fn clients(&self) -> usize {
        usize::from(self.clients)
    }

    /// Orders a second, if that is fixed.
    pub(super) const fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// What ends it.
    pub(super) fn limits(&self) -> Limits {
        let time = self.time.or_else(|| self.orders.is_none().then_some(USUAL_TIME));
        Limits { clients: self.clients(), time, orders: self.orders }
    }

    /// What is ordered. Where nobody said what run it is, each call makes up another.
    pub(super) fn wish(&self) -> Wish {
        let Limits { time, orders, .. } = self.limits();
        Wish {
            run: self.run.clone().unwrap_or_else(|| RunName::minted(chance())),
            // 32 bits: people copy it.
            seed: self.seed.unwrap_or_else(|| chance() >> 32),
            items: self.items.as_ref().map(|items| items.0.clone()),
            buyers: if self.customer.is_empty() {
                Buyers::Own(self.customers)
            } else {
                Buyers::Named(self.customer.clone())
            },
            qty: self.qty.clone(),
            cancels: self.cancels,
            repeats: self.repeats,
            is_funded: self.fund,
            most_orders: most_orders(orders, time, self.rate),
        }
    }

    /// What the gateway shall know us by.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn token(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.token_file else { return Ok(None) };
        // One byte more than a token and the end of its line: whatever is longer is none, and may have no end.
        let mut text = String::new();
        let read =
            File::open(path).and_then(|file| file.take(MAX_TOKEN_BYTES as u64 + 3).read_to_string(&mut text));
        read.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let token = text.trim();
        if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
            return Err(format!("{} must hold a token of 1 to {MAX_TOKEN_BYTES} bytes", path.display()));
        }
        Ok(Some(token.to_owned()))
    }
}

/// A number by chance: what the standard library begins its hash tables with.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A time with its unit, in small or large letters as siege has them.
fn rate(text: &str) -> Result<f64, String> {
    let read = text.parse().ok().filter(|rate| (MIN_RATE..=MAX_RATE).contains(rate));
    read.ok_or_else(|| format!("it must be a number from {MIN_RATE} to {MAX_RATE}"))
}

fn qty(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let read = |text: &str| text.trim().parse().ok().filter(|qty| (1..=MAX_QTY).contains(qty));
    match (read(least), read(most)) {
        (Some(least), Some(most)) if least <= most => Ok(least..=most),
        _ => Err(format!("it must be a number from 1 to {MAX_QTY}, or two of them like 1-3")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_rates_are_within_what_an_order_may_have() {
        assert_eq!(qty("1-3"), Ok(1..=3));
        assert_eq!(qty("7"), Ok(7..=7));
        for wrong in ["0", "3-1", "1-1001", "x", ""] {
            assert!(qty(wrong).is_err(), "{wrong}");
        }
        assert_eq!(rate("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
