//! Money and stock for a run, and what is ordered where nobody said it.
//!
//! Top-ups and restocks have ids of the run and amounts that follow from what was asked for alone, so that the same run
//! again adds nothing.

use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::{MAX_STOCK, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::objects::Item;

use super::plan::{MAX_ORDERS, Plan, RunName, Share};
use super::target::{Target, Unanswered};

/// Orders a second that are reckoned with where nothing bounds them: more than any desk here takes.
const RECKONED_PER_SECOND: f64 = 50_000.0;
/// What a unit is reckoned to cost where nothing is listed: more than most things do.
const UNKNOWN_PRICE: Won = Won(1_000_000);
/// Top-ups and restocks at once.
const AT_ONCE: usize = 16;
/// What one of many gets more than its share of orders, at most: twice as many and a hundred, far beyond what chance does.
const MORE_THAN_ITS_SHARE: (u64, u64) = (2, 100);

/// Whose orders they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyers {
    /// Customers that are there for load alone, `load-1` and on: so many. They get the money that they need.
    Own(u32),
    /// Others. They get money only if that was asked for.
    Named(Vec<Customer>),
}

impl Buyers {
    /// Their names.
    #[must_use]
    pub fn customers(&self) -> Vec<Customer> {
        match self {
            Self::Own(count) => {
                (1..=*count).filter_map(|n| Customer::new(&format!("load-{n}")).ok()).collect()
            }
            Self::Named(customers) => customers.clone(),
        }
    }
}

/// What a run shall be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its name.
    pub run: RunName,
    /// What its orders follow from.
    pub seed: u64,
    /// What is ordered; without it what is listed of which there is enough, each as often as any other, and no more than
    /// there is.
    pub items: Option<Vec<Share>>,
    /// Who pays.
    pub buyers: Buyers,
    /// Units of an order.
    pub qty: RangeInclusive<u32>,
    /// How many of a hundred are cancelled.
    pub cancels: u8,
    /// How many of a hundred are sent once more.
    pub repeats: u8,
    /// Whether items are restocked, and named customers get money.
    pub is_funded: bool,
    /// No more orders than this, as far as it is known.
    pub most_orders: u64,
}

/// How many orders there are at most.
#[must_use]
pub fn most_orders(orders: Option<u64>, time: Option<Duration>, rate: Option<f64>) -> u64 {
    let in_time = time.map(|time| rate.unwrap_or(RECKONED_PER_SECOND) * time.as_secs_f64() + 1.0);
    // A number of orders far below where a float is inexact, or else larger than any that counts.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, and is never negative"
    )]
    let in_time = in_time.map_or(MAX_ORDERS, |orders| orders.ceil() as u64);
    orders.unwrap_or(MAX_ORDERS).min(in_time).min(MAX_ORDERS)
}

/// A run that can begin.
#[derive(Debug)]
pub struct Supplied {
    /// Its orders.
    pub plan: Plan,
    /// Units of each item that it may order; without bound where somebody named the items, or had them restocked.
    pub stock: Option<Vec<u64>>,
    /// What a person should know before.
    pub notes: Vec<String>,
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum NoSupply {
    /// Somebody could not be asked.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// There is nothing to order.
    #[error("{0}")]
    Nothing(String),
    /// What was asked for was refused.
    #[error("{0}")]
    Refused(String),
}

/// Finds out what is there, and sees to it that there is enough.
///
/// # Errors
/// [`NoSupply`].
pub async fn supply<T: Target>(target: &T, wish: &Wish) -> Result<Supplied, NoSupply> {
    let listed = listed(target).await?;
    let (items, found) = chosen(wish, &listed)?;
    let plan = Plan {
        run: wish.run.clone(),
        seed: wish.seed,
        items,
        customers: wish.buyers.customers(),
        qty: wish.qty.clone(),
        cancels: wish.cancels,
        repeats: wish.repeats,
    };
    let is_bounded = wish.items.is_none() && !wish.is_funded;
    let stock = is_bounded.then(|| found.iter().map(|item| item.stock).collect::<Vec<u64>>());
    let mut notes = notes(wish, &plan, &listed, &found, stock.as_deref());
    if wish.is_funded {
        restock(target, wish, &plan, &found, &mut notes).await?;
    }
    if wish.is_funded || matches!(wish.buyers, Buyers::Own(_)) {
        top_up(target, wish, &plan, &found, &mut notes).await?;
    }
    Ok(Supplied { plan, stock, notes })
}

/// What a person should know of what is ordered.
fn notes(wish: &Wish, plan: &Plan, listed: &[Item], found: &[Item], stock: Option<&[u64]>) -> Vec<String> {
    let mut notes = Vec::new();
    if listed.is_empty() {
        notes.push(
            "nothing is listed, so prices and stock are not known, and nothing is restocked".to_owned(),
        );
    }
    let left_out = listed.iter().filter(|item| wish.items.is_none() && !found.contains(item));
    let left_out: Vec<&str> = left_out.map(|item| item.item_id.as_str()).collect();
    if !left_out.is_empty() {
        notes.push(format!(
            "of these there is too little for the run, so they are not ordered: items {}",
            left_out.join(", ")
        ));
    }
    if let Some(orders) =
        stock.map(|stock| orders_for(plan, stock)).filter(|orders| *orders < wish.most_orders)
    {
        notes.push(format!(
            "the stock is for about {orders} orders, and it ends with them; --fund restocks what is ordered"
        ));
    }
    notes
}

async fn listed<T: Target>(target: &T) -> Result<Vec<Item>, Unanswered> {
    let mut all: Vec<Item> = Vec::new();
    loop {
        let page = target.items(all.last().map(|item| &item.item_id)).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What is ordered, with the items themselves.
fn chosen(wish: &Wish, listed: &[Item]) -> Result<(Vec<Share>, Vec<Item>), NoSupply> {
    if let Some(shares) = wish.items.as_ref().filter(|_| listed.is_empty()) {
        // Orders are taken while Item, who lists them, is away.
        return Ok((shares.clone(), Vec::new()));
    }
    if listed.is_empty() {
        return Err(NoSupply::Nothing("no item is listed, so there is nothing to order".to_owned()));
    }
    if let Some(shares) = &wish.items {
        let find = |share: &Share| {
            let found = listed.iter().find(|item| item.item_id == share.item_id);
            found.cloned().ok_or_else(|| NoSupply::Nothing(format!("there is no item {}", share.item_id)))
        };
        let found = shares.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        return Ok((shares.clone(), found));
    }
    let least = if wish.is_funded { 0 } else { enough(wish, listed) };
    let found: Vec<Item> = listed.iter().filter(|item| item.stock >= least).cloned().collect();
    if found.is_empty() {
        let why = "nothing that is listed is in stock; --fund restocks it";
        return Err(NoSupply::Nothing(why.to_owned()));
    }
    let share = |item: &Item| Share { item_id: item.item_id.clone(), weight: 1 };
    Ok((found.iter().map(share).collect(), found))
}

/// The least stock of what is ordered: as many items as possible that all last as long as the run; where there is none that
/// does, those that last at least half as long as the one that lasts longest.
fn enough(wish: &Wish, listed: &[Item]) -> u64 {
    let most_units = u64::from(*wish.qty.end());
    let mut stocks: Vec<u64> = listed.iter().map(|item| item.stock).collect();
    stocks.sort_unstable_by(|one, other| other.cmp(one));
    let lasting = stocks
        .iter()
        .zip(1_u64..)
        .filter(|(stock, items)| **stock >= share(wish.most_orders, 1, *items).saturating_mul(most_units));
    let half = stocks.first().map_or(0, |stock| stock / 2);
    lasting.map(|(stock, _)| *stock).last().unwrap_or(half).max(most_units)
}

/// How many of `all` orders one gets whose weight is `weight` of `weights`, at most.
fn share(all: u64, weight: u64, weights: u64) -> u64 {
    let (times, more) = MORE_THAN_ITS_SHARE;
    let part = u128::from(all) * u128::from(weight) / u128::from(weights.max(1));
    let part = u64::try_from(part).unwrap_or(u64::MAX);
    part.saturating_mul(times).saturating_add(more).min(all)
}

/// About how many orders `stock` is for: until the first item is used up.
fn orders_for(plan: &Plan, stock: &[u64]) -> u64 {
    let units = u64::from(*plan.qty.start()) + u64::from(*plan.qty.end());
    let lasts = plan.items.iter().zip(stock).map(|(share, stock)| {
        let orders = u128::from(*stock) * 2 / u128::from(units.max(1));
        u64::try_from(orders * u128::from(plan.weights()) / u128::from(share.weight.max(1)))
            .unwrap_or(u64::MAX)
    });
    lasts.min().unwrap_or(0)
}

async fn restock<T: Target>(
    target: &T,
    wish: &Wish,
    plan: &Plan,
    found: &[Item],
    notes: &mut Vec<String>,
) -> Result<(), NoSupply> {
    for (at, (item, part)) in found.iter().zip(&plan.items).enumerate() {
        let orders = share(wish.most_orders, part.weight.into(), plan.weights());
        let needed = orders.saturating_mul(u64::from(*plan.qty.end())).clamp(1, MAX_STOCK);
        if item.stock >= needed {
            continue;
        }
        let restock = Restock {
            item_id: item.item_id.clone(),
            qty: needed,
            restock_id: plan.run.request_id("stock", at + 1),
        };
        let answer = target.restock(at, &restock).await?;
        done(&answer, || format!("a restock of item {}", item.item_id), notes)?;
    }
    Ok(())
}

async fn top_up<T: Target>(
    target: &T,
    wish: &Wish,
    plan: &Plan,
    found: &[Item],
    notes: &mut Vec<String>,
) -> Result<(), NoSupply> {
    let dearest = found.iter().map(|item| item.unit_price).max().unwrap_or(UNKNOWN_PRICE).0;
    let orders = share(wish.most_orders, 1, u64::try_from(plan.customers.len()).unwrap_or(u64::MAX));
    let needed = dearest
        .saturating_mul(i64::from(*plan.qty.end()))
        .saturating_mul(i64::try_from(orders).unwrap_or(i64::MAX))
        .clamp(1, Won::MAX_INPUT.0);
    let asked = plan.customers.iter().enumerate().map(|(at, customer)| async move {
        let known = target.account(at % AT_ONCE, customer).await?;
        if known.account.is_some_and(|account| account.balance.0 >= needed) {
            return Ok(None);
        }
        let topup_id = plan.run.request_id("money", at + 1);
        let top_up = TopUp { customer: customer.clone(), amount: Won(needed), topup_id };
        Ok::<_, Unanswered>(Some((customer, target.top_up(at % AT_ONCE, &top_up).await?)))
    });
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        if let Some((customer, answer)) = answer? {
            done(&answer, || format!("a top-up of {customer}"), notes)?;
        }
    }
    Ok(())
}

/// Whether something was added. What was added before under the same name, or does not fit, is told of.
fn done(answer: &Answer, what: impl FnOnce() -> String, notes: &mut Vec<String>) -> Result<(), NoSupply> {
    let Some(error) = &answer.error else { return Ok(()) };
    let told = format!("{} was refused: {}", what(), error.message);
    if !matches!(error.code, ErrorCode::Conflict | ErrorCode::Invalid) {
        return Err(NoSupply::Refused(told));
    }
    notes.push(told);
    Ok(())
}

/// Reads items with their weights: `10:3,20:1`, or `10,20`.
///
/// # Errors
/// A sentence.
pub fn shares(text: &str) -> Result<Vec<Share>, String> {
    let mut shares: Vec<Share> = Vec::new();
    for part in text.split(',') {
        let (name, weight) = part.rsplit_once(':').unwrap_or((part, "1"));
        let item_id = ItemId::new(name.trim()).map_err(|why| format!("the item '{name}' {why}"))?;
        let weight = weight.trim().parse().ok().filter(|weight| *weight > 0);
        let weight =
            weight.ok_or_else(|| format!("the weight of item {item_id} must be a whole number above 0"))?;
        if shares.iter().any(|share| share.item_id == item_id) {
            return Err(format!("item {item_id} stands there twice"));
        }
        shares.push(Share { item_id, weight });
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_with_their_weights() {
        let read = |text| {
            shares(text)
                .map(|all| all.iter().map(|one| (one.item_id.to_string(), one.weight)).collect::<Vec<_>>())
        };
        assert_eq!(read("10:3,20"), Ok(vec![("10".to_owned(), 3), ("20".to_owned(), 1)]));
        for (wrong, why) in [("10:0", "above 0"), ("10:x", "above 0"), ("", "1 to 64"), ("10,10:2", "twice")]
        {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_would_end_the_run_early_is_not_ordered_by_itself() {
        let wish = |most_orders| Wish {
            run: RunName::minted(1),
            seed: 1,
            items: None,
            buyers: Buyers::Own(1),
            qty: 1..=2,
            cancels: 0,
            repeats: 0,
            is_funded: false,
            most_orders,
        };
        let item = |stock: u64| Item {
            item_id: ItemId::new(&format!("i{stock}")).unwrap(),
            name: "x".to_owned(),
            name_en: None,
            unit_price: Won(1),
            stock,
            revision: 1,
        };
        let table: [(u64, &[u64], &[u64]); 5] = [
            (1000, &[10_000, 12, 9000], &[10_000, 9000]),
            // Nothing lasts, so it ends with what there is most of.
            (1_000_000, &[100, 12, 60, 0], &[100, 60]),
            (10, &[100, 20, 19], &[100, 20]),
            (10, &[2], &[2]),
            (10, &[0, 1], &[]),
        ];
        for (orders, stocks, expected) in table {
            let listed: Vec<Item> = stocks.iter().copied().map(item).collect();
            let found = chosen(&wish(orders), &listed).map(|(_, found)| found).unwrap_or_default();
            let found: Vec<u64> = found.iter().map(|item| item.stock).collect();
            assert_eq!(found, expected, "{orders} of {stocks:?}");
        }
    }

    #[test]
    fn what_is_needed_is_bounded_by_what_was_asked_for() {
        let seconds = Duration::from_secs;
        let table = [
            ((Some(500), Some(seconds(10)), None), 500),
            ((None, Some(seconds(10)), Some(20.0)), 201),
            ((Some(10), Some(seconds(10)), Some(20.0)), 10),
            ((None, Some(seconds(1)), None), 50_001),
            ((None, None, Some(1.0)), MAX_ORDERS),
            ((None, Some(seconds(86_400)), None), MAX_ORDERS),
        ];
        for ((orders, time, rate), expected) in table {
            assert_eq!(most_orders(orders, time, rate), expected, "{orders:?} {time:?} {rate:?}");
        }
        assert_eq!((share(1000, 1, 100), share(1000, 1, 1), share(u64::MAX, 1, 1)), (120, 1000, u64::MAX));
    }
}
