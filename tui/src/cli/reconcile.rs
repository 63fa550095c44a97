//! `skstore reconcile`: what no message can settle since a store was put back to an older copy, and settling it.
//!
//! What differs is found by the audit, over the stores. What is done about it is Order's to decide: each order is sent to
//! it as `order.settle`, which does nothing to one that is in order. So nothing here has to be done only once, and to begin
//! again after an interruption is to go on.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;
use skstore::text::fit::{Side, clean};
use skstore::text::numbers::grouped;
use skstore::text::words::Worded;
use skstore::text::{Language, Text};
use skstore_domain::commands::Settle;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{OrderReason, OrderStatus};
use skstore_workers::desk::Desk;
use skstore_workers::desk::audit::{self, Remedy, Report, Unsettled};
use skstore_workers::desk::config::Config;
use tokio::time::{Instant, sleep};

use super::audit::{LONGEST_WAIT_S, Reached, Seen};
use super::columns::table;
use super::failure::Failure;
use super::labels;
use super::output::Output;
use super::stderr::tell;

/// Orders that are sent at once: Order takes them in one batch, and the breaker lets as many charges through.
const AT_ONCE: usize = 32;
/// All of them are settled by then: every order ends within a minute after the last fault.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// When an order that nobody has answered is sent again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct ReconcileArguments {
    /// Settle what is listed; without it nothing is changed
    #[arg(long)]
    settle: bool,
    /// Wait this many seconds for what is still on its way before taking a difference for certain
    #[arg(long, value_name = "SECONDS", default_value_t = audit::WAIT.as_secs(),
        value_parser = clap::value_parser!(u64).range(0..=LONGEST_WAIT_S))]
    wait: u64,
}

/// What became of an order.
#[derive(Debug, Serialize)]
struct Settled {
    order_id: String,
    /// Whether the services agree on it now.
    is_settled: bool,
    /// As Order tells it: its status; absent if it is disowned, or nobody has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<OrderStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<OrderReason>,
    /// What still does not fit, or why it was not settled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<String>,
}

/// Lists what has to be settled, and settles it if that is asked for.
///
/// # Errors
/// [`Failure::Unsettled`] if something is left.
pub(crate) async fn run<W: Write>(
    arguments: &ReconcileArguments,
    config: &Config,
    reached: &Reached,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let seen = Seen::of(reached, config, Duration::from_secs(arguments.wait)).await?;
    let (report, found) = look(&seen).await?;
    let (found, under_way): (Vec<_>, Vec<_>) = found.into_iter().partition(|order| order.is_certain);
    if !under_way.is_empty() {
        tell(&format!("skstore: orders that are still under way, and not listed: {}", under_way.len()));
    }
    if !arguments.settle || found.is_empty() {
        out.list(&found, list)?;
        return if found.is_empty() { Ok(()) } else { Err(Failure::Unsettled(found.len())) };
    }
    let Some(desk) = seen.desk.as_ref().filter(|_| seen.lost.is_none()) else {
        let why = reached.missing.clone().or(seen.lost).or(report.notes.into_iter().next());
        return Err(Failure::Unreachable(format!(
            "nothing was settled, since Order cannot be asked. If somebody else has the data directory, end that first: {}",
            why.unwrap_or_default()
        )));
    };
    let left = settle_all(desk, &seen, &found).await?;
    let mut settled = Vec::new();
    for order in &found {
        settled.push(what_became(desk, order, &left).await);
    }
    out.list(&settled, became)?;
    if left.is_empty() { Ok(()) } else { Err(Failure::LeftUnsettled(left.len())) }
}

async fn look(seen: &Seen) -> Result<(Report, Vec<Unsettled>), Failure> {
    Ok(audit::unsettled(&seen.sources, async || seen.traffic().await).await?)
}

/// Sends them to Order, again and again, until the services agree or it has taken too long. Returns those that are left.
async fn settle_all(desk: &Desk, seen: &Seen, found: &[Unsettled]) -> Result<Vec<Unsettled>, Failure> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    let ours: BTreeSet<&str> = found.iter().map(|order| order.order_id.as_str()).collect();
    let mut left = found.to_vec();
    loop {
        let commands: Vec<Settle> = left.iter().filter_map(command).collect();
        tell(&format!("skstore: settling orders: {}", commands.len()));
        let mut refusal = None;
        for some in commands.chunks(AT_ONCE) {
            let answers = join_all(some.iter().map(|settle| send(desk, settle))).await;
            refusal = answers.into_iter().find_map(Result::err).or(refusal);
        }
        if let Some(refusal) = refusal {
            tell(&format!("skstore: {refusal}"));
        }
        left = look(seen).await?.1;
        // One that came to be meanwhile is not ours to settle unseen.
        left.retain(|order| ours.contains(order.order_id.as_str()));
        if left.iter().filter_map(command).next().is_none() || Instant::now() >= deadline {
            return Ok(left);
        }
        sleep(AGAIN_AFTER).await;
    }
}

/// The command that settles it; none of one that a person has to look at.
fn command(order: &Unsettled) -> Option<Settle> {
    if order.remedies.contains(&Remedy::ByHand) {
        return None;
    }
    Some(Settle {
        order_id: OrderId::new(&order.order_id).ok()?,
        customer: order.customer.as_deref().and_then(|name| Customer::to_look_up(name).ok()),
        item_id: order.item_id.as_deref().and_then(|id| ItemId::to_look_up(id).ok()),
    })
}

/// Sends it once. What is done about it is looked up in the stores.
///
/// # Errors
/// The sentence of a refusal, or why there is no answer.
async fn send(desk: &Desk, settle: &Settle) -> Result<(), String> {
    let answer = desk.settle(settle).await.map_err(|error| error.to_string())?;
    answer.error.map_or(Ok(()), |error| Err(error.message))
}

async fn what_became(desk: &Desk, order: &Unsettled, left: &[Unsettled]) -> Settled {
    let still = left.iter().find(|left| left.order_id == order.order_id);
    let id = OrderId::new(&order.order_id).ok();
    let told = match &id {
        Some(id) => desk.order(id).await.ok().and_then(|answer| answer.order),
        None => None,
    };
    Settled {
        order_id: order.order_id.clone(),
        is_settled: still.is_none(),
        status: told.as_ref().map(|order| order.status),
        reason: told.as_ref().and_then(|order| order.reason),
        left: still.map(|still| still.differences.clone()).unwrap_or_default(),
    }
}

/// What is to be settled, for people.
fn list(language: Language, orders: &[Unsettled]) -> String {
    if orders.is_empty() {
        return format!("{}\n", language.get(Text::SettleNothing));
    }
    let headings = [(labels::ORDER, Side::Left), (labels::REMEDY, Side::Left), (labels::REASON, Side::Left)];
    let row = |order: &Unsettled| {
        let remedies: Vec<String> = order.remedies.iter().map(|remedy| words(language, remedy)).collect();
        [order.order_id.clone(), remedies.join("; "), order.differences.join("; ")]
    };
    table(language, headings, orders.iter().map(row))
}

/// What became of it, for people.
fn became(language: Language, orders: &[Settled]) -> String {
    let headings = [(labels::ORDER, Side::Left), (labels::FATE, Side::Left), (labels::NOTE, Side::Left)];
    let row = |order: &Settled| {
        let fate = match (order.is_settled, order.status) {
            (false, _) => language.get(Text::SettleLeft).to_owned(),
            (true, None) => language.get(Text::EventDisowned).to_owned(),
            (true, Some(status)) => match order.reason {
                Some(reason) => format!("{} ({})", language.get(status.text()), language.get(reason.text())),
                None => language.get(status.text()).to_owned(),
            },
        };
        [order.order_id.clone(), fate, clean(&order.left.join("; ")).into_owned()]
    };
    table(language, headings, orders.iter().map(row))
}

fn words(language: Language, remedy: &Remedy) -> String {
    let number = |value: &i64| grouped(u64::try_from(*value).unwrap_or(0));
    match remedy {
        Remedy::Charge { customer, amount, is_covered } => {
            let text = if *is_covered { Text::SettleCharge } else { Text::SettleUncovered };
            language.fill(text, &[customer, &number(amount)])
        }
        Remedy::Deliver { item_id, qty, is_there } => {
            let text = if *is_there { Text::SettleDeliver } else { Text::SettleSoldOut };
            language.fill(text, &[item_id, &number(qty)])
        }
        Remedy::Cancel => language.get(Text::SettleCancel).to_owned(),
        Remedy::Release { customer, amount } => {
            language.fill(Text::SettleRelease, &[customer, &number(amount)])
        }
        Remedy::TakeBack { item_id, qty } => language.fill(Text::SettleTakeBack, &[item_id, &number(qty)]),
        Remedy::TellAgain => language.get(Text::SettleTellAgain).to_owned(),
        Remedy::Disown => language.get(Text::SettleDisown).to_owned(),
        Remedy::ByHand => language.get(Text::SettleByHand).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_would_be_done_to_each_order_and_why() {
        let order = Unsettled {
            order_id: "a-1".into(),
            customer: None,
            item_id: None,
            differences: vec!["it is delivering for 5000 won, but Deposit has never charged it".into()],
            remedies: vec![Remedy::Charge { customer: "kim".into(), amount: 5_000, is_covered: true }],
            is_certain: true,
        };
        let english = list(Language::English, std::slice::from_ref(&order));
        assert!(english.contains("a-1") && english.contains("charge kim 5,000 won"), "{english}");
        let korean = list(Language::Korean, &[order]);
        assert!(korean.contains("kim") && korean.contains("5,000원"), "{korean}");
        assert_eq!(list(Language::English, &[]), "the services agree: there is nothing to settle\n");
    }

    #[test]
    fn what_became_of_an_order_is_told_with_its_reason_and_what_is_left() {
        let settled = |status, reason, left: &[&str]| Settled {
            order_id: "a-1".into(),
            is_settled: left.is_empty(),
            status,
            reason,
            left: left.iter().map(|text| (*text).to_owned()).collect(),
        };
        let table = [
            (settled(Some(OrderStatus::Delivering), None, &[]), "delivering"),
            (settled(Some(OrderStatus::Cancelled), Some(OrderReason::Declined), &[]), "cancelled (declined)"),
            (settled(None, None, &[]), "disowned"),
            (settled(Some(OrderStatus::Placed), None, &["its \u{1b}[2J"]), "not settled"),
        ];
        for (order, fate) in table {
            let text = became(Language::English, &[order]);
            assert!(text.contains(fate) && !text.contains('\u{1b}'), "{text}");
        }
    }

    #[test]
    fn an_order_that_a_person_has_to_look_at_is_not_sent() {
        let order = |remedy| Unsettled {
            order_id: "a-1".into(),
            customer: Some("kim".into()),
            item_id: None,
            differences: Vec::new(),
            remedies: vec![remedy],
            is_certain: true,
        };
        assert_eq!(command(&order(Remedy::ByHand)), None);
        let settle = command(&order(Remedy::Disown)).expect("a command");
        assert_eq!(
            (settle.customer.map(|name| name.to_string()), settle.item_id),
            (Some("kim".into()), None)
        );
    }
}
