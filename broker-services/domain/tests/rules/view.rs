//! The view comes out the same in whatever order and however often it hears of an order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;
use skstore_domain::events::{BadEvent, Event, EventKind, OrderKind, Source};
use skstore_domain::ids::OrderId;
use skstore_domain::money::Won;
use skstore_domain::myinfo::{Step, ViewWrite, coalesce, writes};
use skstore_domain::objects::{Account, Item, Order, Payment};

use crate::world::{Budget, Message, Move, Setup, Way, World};

/// A view in memory: no more than the guards that the writes name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Folded {
    order: Option<Order>,
    payment: Option<Payment>,
    account: Option<Account>,
    item: Option<Item>,
    steps: BTreeMap<(OrderId, Source, u64), Step>,
    feed: BTreeSet<String>,
}

fn newest<T>(have: &mut Option<T>, got: T, revision: impl Fn(&T) -> u64) {
    if have.as_ref().is_none_or(|have| revision(have) < revision(&got)) {
        *have = Some(got);
    }
}

impl Folded {
    fn put_step(&mut self, order_id: OrderId, step: &Step) -> Result<(), String> {
        let key = (order_id, step.source, step.revision);
        let there = self.steps.entry(key).or_insert_with(|| step.clone());
        if *there == *step { Ok(()) } else { Err(format!("two steps in one place: {there:?} and {step:?}")) }
    }
}

fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Folded, String> {
    let mut all = Vec::new();
    for event in events {
        all.extend(writes(event));
    }
    apply(all)
}

fn apply(writes: Vec<ViewWrite>) -> Result<Folded, String> {
    let mut view = Folded::default();
    for write in writes {
        match write {
            ViewWrite::Order(order) => newest(&mut view.order, order, |order| order.revision),
            ViewWrite::Payment(payment) => newest(&mut view.payment, payment, |payment| payment.revision),
            ViewWrite::Account(account) => newest(&mut view.account, account, |account| account.revision),
            ViewWrite::Item(item) => newest(&mut view.item, item, |item| item.revision),
            ViewWrite::Step(order_id, step) => view.put_step(order_id, &step)?,
            ViewWrite::Happened(order_id, step, entry) => {
                view.put_step(order_id, &step)?;
                view.feed.insert(entry.id);
            }
            ViewWrite::Feed(entry) => {
                view.feed.insert(entry.id);
            }
        }
    }
    Ok(view)
}

/// The log of a random walk through everything that may happen to an order.
fn walk(setup: Setup, choices: &[u8]) -> Vec<Event> {
    let mut world = World::new(setup);
    world.log = Some(Vec::new());
    for choice in choices {
        let moves = world.moves();
        if moves.is_empty() {
            break;
        }
        world.step(moves[usize::from(*choice) % moves.len()]).expect("no promise breaks");
    }
    world.log.unwrap_or_default()
}

fn setup() -> impl Strategy<Value = Setup> {
    (1..3_u8, 0..3_u8, any::<bool>(), 0..2_u64, any::<bool>()).prop_map(
        |(places, cancels, is_rich, stock, answerable)| Setup {
            places,
            cancels,
            balance: Won(if is_rich { 1_000 } else { 99 }),
            stock,
            answerable,
            budget: Budget { crashes: 1, repeats: 1, parked: 0, prices: 0 },
            shortcut: None,
        },
    )
}

proptest! {
    #[test]
    fn the_view_is_the_same_in_any_order_of_arrival(
        setup in setup(),
        choices: [u8; 32],
        more: [u8; 32],
        arrivals in proptest::collection::vec((any::<u16>(), 1..3_usize, any::<bool>()), 64),
    ) {
        let log = walk(setup, &[choices, more].concat());
        for event in &log {
            let read = Event::from_json(&event.to_json());
            prop_assert_eq!(read.as_ref().ok(), Some(event), "it does not survive its wire form: {:?}", read);
        }
        let in_order = fold(&log).map_err(proptest::test_runner::TestCaseError::fail)?;

        // Live, some events are never published, some come twice, and all come in any order.
        let mut live = Vec::new();
        for (event, (place, times, is_published)) in log.iter().zip(&arrivals) {
            let has_next =
                log.iter().any(|next| next.kind().aggregate_kind() == "order" && next.revision == event.revision + 1);
            if *is_published || !event.kind().is_superseded_by_next() || !has_next {
                live.extend([*place, place.rotate_left(7)].into_iter().take(*times).map(|place| (place, event)));
            }
        }
        live.sort_by_key(|(place, _)| *place);
        let heard: Vec<ViewWrite> = live.iter().flat_map(|(_, event)| writes(event)).collect();
        let coalesced: Vec<ViewWrite> = coalesce(&heard).into_iter().cloned().collect();
        prop_assert!(coalesced.len() <= heard.len());
        let mut live = apply(heard).map_err(proptest::test_runner::TestCaseError::fail)?;
        let coalesced = apply(coalesced).map_err(proptest::test_runner::TestCaseError::fail)?;
        prop_assert_eq!(&coalesced, &live, "a coalesced batch says something else");
        // A line of the feed is told only by the event itself.
        live.feed.clone_from(&in_order.feed);
        prop_assert_eq!(&live, &in_order);

        let began = log.iter().any(|event| event.kind() == EventKind::Order(OrderKind::Paying));
        let shown = live.steps.values().any(|step| step.kind == EventKind::Order(OrderKind::Paying));
        prop_assert!(began == shown, "paying: {} in the log, {} in the timeline", began, shown);
    }
}

const ONE_PLACE: Setup = Setup {
    places: 1,
    cancels: 0,
    balance: Won(1_000),
    stock: 1,
    answerable: true,
    budget: Budget { crashes: 0, repeats: 0, parked: 0, prices: 0 },
    shortcut: None,
};

/// The whole log of a world that always takes the first move that `wanted` likes, and else the first that loses
/// nothing.
fn log_of(setup: Setup, wanted: fn(&Move) -> bool) -> Vec<Event> {
    let mut world = World::new(setup);
    world.log = Some(Vec::new());
    log_from(world, wanted)
}

fn log_from(mut world: World, wanted: fn(&Move) -> bool) -> Vec<Event> {
    let is_kind = |what: &Move| matches!(what, Move::Deliver { late: false, .. } | Move::Reply { .. });
    while let Some(what) = {
        let moves = world.moves();
        moves.iter().find(|what| wanted(what)).or_else(|| moves.iter().find(|what| is_kind(what))).copied()
    } {
        world.step(what).expect("no promise breaks");
    }
    world.check_quiet().expect("it ends properly");
    world.log.unwrap_or_default()
}

#[test]
fn only_orders_that_began_as_paying_show_it() {
    let delivered = log_of(ONE_PLACE, |what| matches!(what, Move::Place(Way::Sent)));
    let refused =
        log_of(Setup { answerable: false, ..ONE_PLACE }, |what| matches!(what, Move::Place(Way::Refused)));
    let mut is_cancelled = World::new(Setup { cancels: 1, ..ONE_PLACE });
    is_cancelled.log = Some(Vec::new());
    is_cancelled.step(Move::Deliver { message: Message::Cancel, late: false }).unwrap();
    let buried = log_from(is_cancelled, |what| matches!(what, Move::Place(Way::Sent)));
    for (what, log, expected) in [("delivered", delivered, 1), ("refused", refused, 0), ("buried", buried, 0)]
    {
        let published = log.iter().filter(|event| event.kind() != EventKind::Order(OrderKind::Paying));
        let steps = fold(published).unwrap().steps;
        let paying = steps.values().filter(|step| step.kind == EventKind::Order(OrderKind::Paying)).count();
        assert_eq!(paying, expected, "{what}: {:?}", log.iter().map(Event::id).collect::<Vec<_>>());
    }
}

#[test]
fn a_cancel_before_its_order_lists_nothing() {
    let log = log_of(Setup { places: 0, cancels: 1, ..ONE_PLACE }, |_| false);
    assert_eq!(log.len(), 1);
    let written = writes(&log[0]);
    assert!(
        matches!(&written[..], [ViewWrite::Feed(entry)] if entry.kind == EventKind::Order(OrderKind::Noted)),
        "{written:?}"
    );
}

#[test]
fn an_event_without_its_objects_is_refused() {
    let delivered = log_of(ONE_PLACE, |what| matches!(what, Move::Place(Way::Sent)));
    let mut json: Value = serde_json::from_str(&delivered[0].to_json()).unwrap();
    json["data"] = Value::Object(serde_json::Map::new());
    for kind in EventKind::all() {
        json["type"] = format!("skstore.{kind}").into();
        let refused = Event::from_json(&json.to_string());
        assert!(
            matches!(refused, Err(BadEvent::Missing { kind: named, .. }) if named == kind),
            "{kind}: {refused:?}"
        );
    }
}

#[test]
fn what_an_event_writes_last_is_its_line() {
    for event in &log_of(ONE_PLACE, |what| matches!(what, Move::Place(Way::Sent))) {
        let last = writes(event).pop();
        assert!(
            matches!(
                &last,
                Some(ViewWrite::Feed(entry) | ViewWrite::Happened(_, _, entry)) if entry.id == event.id()
            ),
            "{last:?}"
        );
    }
}
