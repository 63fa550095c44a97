//! A batch of writes as `apply.lua` takes it: in pieces, each with what is new of one order in one place.

use std::collections::{BTreeMap, HashMap, HashSet};

use redis::Cmd;
use skstore_domain::ids::OrderId;
use skstore_domain::myinfo::{FeedEntry, Step, ViewWrite};
use skstore_domain::objects::{Account, Item, Order, Payment};

use super::fields;

/// Writes in one script: a few milliseconds, in which Redis serves nobody else.
pub(super) const WRITE_AT_ONCE: usize = 500;

/// What they say at most together, in bytes; more only where a single one does.
const WRITE_BYTES: usize = 256 * 1024;

/// One script's writes.
#[derive(Debug, Default)]
pub(super) struct Piece<'a> {
    parts: Vec<Part<'a>>,
    writes: usize,
    bytes: usize,
}

/// What is written as one.
#[derive(Debug)]
enum Part<'a> {
    Row(Row<'a>),
    Account(&'a Account),
    Item(&'a Item),
    Feed(&'a FeedEntry),
}

/// What is new of one order: of several revisions the highest, of several equal ones the first.
#[derive(Debug)]
struct Row<'a> {
    id: &'a OrderId,
    order: Option<&'a Order>,
    payment: Option<&'a Payment>,
    steps: Vec<StepAndLine<'a>>,
}

/// A step, and where it has just happened, its line in the feed with its place in the batch.
#[derive(Debug)]
struct StepAndLine<'a> {
    step: &'a Step,
    line: Option<(usize, &'a FeedEntry)>,
}

/// Divides a batch into pieces of about [`WRITE_AT_ONCE`] writes and [`WRITE_BYTES`] at most. One that is empty is a
/// piece: it finds out whether the contents were lost.
pub(super) fn pieces(writes: &[ViewWrite]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    for part in parts(writes) {
        let (writes, bytes) = (part.writes(), part.bytes());
        let is_full = piece.writes + writes > WRITE_AT_ONCE || piece.bytes + bytes > WRITE_BYTES;
        if is_full && piece.writes > 0 {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.parts.push(part);
        piece.writes += writes;
        piece.bytes += bytes;
    }
    pieces.push(piece);
    pieces
}

/// Puts together what is about the same order, where the first of it stands. Of an account and an item only the highest
/// revision is left: in a batch of a busy second they come many times. An event is in the feed once.
fn parts(writes: &[ViewWrite]) -> Vec<Part<'_>> {
    let (mut rows, mut feed, mut told) = (Rows::default(), Vec::new(), HashSet::new());
    let (mut accounts, mut items) = (BTreeMap::new(), BTreeMap::new());
    for (place, write) in writes.iter().enumerate() {
        match write {
            ViewWrite::Order(order) => rows.of(&order.order_id).take_order(order),
            ViewWrite::Payment(payment) => rows.of(&payment.order_id).take_payment(payment),
            ViewWrite::Step(id, step) => rows.of(id).take_step(step, None),
            ViewWrite::Happened(id, step, entry) => rows.of(id).take_step(step, Some((place, entry))),
            ViewWrite::Account(account) => {
                let held = accounts.entry(&account.customer).or_insert(account);
                if held.revision < account.revision {
                    *held = account;
                }
            }
            ViewWrite::Item(item) => {
                let held = items.entry(&item.item_id).or_insert(item);
                if held.revision < item.revision {
                    *held = item;
                }
            }
            ViewWrite::Feed(entry) => {
                if told.insert(entry.id.as_str()) {
                    feed.push(entry);
                }
            }
        }
    }
    let rows = rows.rows.into_iter().map(Part::Row);
    let accounts = accounts.into_values().map(Part::Account);
    let items = items.into_values().map(Part::Item);
    rows.chain(accounts).chain(items).chain(feed.into_iter().map(Part::Feed)).collect()
}

/// Rows, each in its place.
#[derive(Default)]
struct Rows<'a> {
    rows: Vec<Row<'a>>,
    places: HashMap<&'a OrderId, usize>,
}

impl<'a> Rows<'a> {
    fn of(&mut self, id: &'a OrderId) -> &mut Row<'a> {
        let place = *self.places.entry(id).or_insert(self.rows.len());
        if place == self.rows.len() {
            self.rows.push(Row { id, order: None, payment: None, steps: Vec::new() });
        }
        &mut self.rows[place]
    }
}

impl Piece<'_> {
    /// Adds the writes to a call of `apply.lua`.
    pub(super) fn add_to(&self, call: &mut Cmd) {
        let (mut feed, mut lines, mut steps) = (Vec::new(), Vec::new(), 0);
        for part in &self.parts {
            match part {
                Part::Row(row) => {
                    row.add_to(call);
                    let told =
                        row.steps.iter().enumerate().filter_map(|(n, step)| Some((step.line?, steps + n)));
                    lines.extend(told);
                    steps += row.steps.len();
                }
                Part::Account(account) => {
                    call.arg("account").arg(account.customer.as_str());
                    call.arg(account.revision).arg(account.balance.0);
                }
                Part::Item(item) => {
                    call.arg("item").arg(item.item_id.as_str()).arg(item.revision);
                    fields::add_item(call, item);
                }
                Part::Feed(entry) => feed.push((entry.id.as_str(), *entry)),
            }
        }
        lines.sort_unstable_by_key(|((place, _), _)| *place);
        add_events(
            call,
            "lines",
            &lines.iter().map(|((_, entry), step)| (*step, *entry)).collect::<Vec<_>>(),
        );
        add_events(call, "feed", &feed);
    }
}

/// Their tag, how many events there are, what names each, then their JSONs.
fn add_events<N: redis::ToRedisArgs + Copy>(call: &mut Cmd, tag: &str, events: &[(N, &FeedEntry)]) {
    if events.is_empty() {
        return;
    }
    call.arg(tag).arg(events.len());
    for (name, _) in events {
        call.arg(*name);
    }
    for (_, entry) in events {
        call.arg(serde_json::to_string(entry).unwrap_or_default());
    }
}

impl Part<'_> {
    fn writes(&self) -> usize {
        match self {
            Self::Row(row) => {
                row.order.is_some() as usize
                    + row.payment.is_some() as usize
                    + row.steps.len()
                    + row.lines().count()
            }
            Self::Account(_) | Self::Item(_) | Self::Feed(_) => 1,
        }
    }

    /// About how many bytes it takes: those of the texts that come from outside, and what the rest has at most.
    fn bytes(&self) -> usize {
        const REST: usize = 512;
        let reason = |reason: &Option<String>| reason.as_ref().map_or(0, String::len);
        let line = |entry: &FeedEntry| entry.id.len() + entry.subject.len() + reason(&entry.reason);
        let texts = match self {
            Self::Row(row) => {
                row.order.map_or(0, |order| order.item_name.len())
                    + row.steps.iter().map(|held| reason(&held.step.reason)).sum::<usize>()
                    + row.lines().map(line).sum::<usize>()
            }
            Self::Account(_) => 0,
            Self::Item(item) => item.name.len() + item.name_en.as_ref().map_or(0, String::len),
            Self::Feed(entry) => line(entry),
        };
        texts + REST * self.writes()
    }
}

impl<'a> Row<'a> {
    fn take_order(&mut self, order: &'a Order) {
        if self.order.is_none_or(|held| held.revision < order.revision) {
            self.order = Some(order);
        }
    }

    fn take_payment(&mut self, payment: &'a Payment) {
        if self.payment.is_none_or(|held| held.revision < payment.revision) {
            self.payment = Some(payment);
        }
    }

    fn take_step(&mut self, step: &'a Step, line: Option<(usize, &'a FeedEntry)>) {
        let is_same = |held: &&mut StepAndLine<'_>| {
            (held.step.source, held.step.revision) == (step.source, step.revision)
        };
        match self.steps.iter_mut().find(is_same) {
            Some(held) => {
                held.line = held.line.or(line);
                if held.step.told_again < step.told_again {
                    held.step = step;
                }
            }
            None => self.steps.push(StepAndLine { step, line }),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &'a FeedEntry> {
        self.steps.iter().filter_map(|held| Some(held.line?.1))
    }

    /// Its tag, the order's id, how many arguments its parts take, and how many steps there are; then each part: whether
    /// it is there, and what it says; of the steps their fields, then their JSONs.
    fn add_to(&self, call: &mut Cmd) {
        let order = if self.order.is_some() { 1 + fields::ORDER.len() } else { 0 };
        let payment = if self.payment.is_some() { fields::PAYMENT.len() } else { 0 };
        let arguments = 2 + order + payment + 2 * self.steps.len();
        call.arg("row").arg(self.id.as_str()).arg(arguments).arg(self.steps.len());
        call.arg(if self.order.is_some() { "order" } else { "" });
        if let Some(order) = self.order {
            call.arg(order.placed_at.0);
            fields::add_order(call, order);
        }
        call.arg(if self.payment.is_some() { "payment" } else { "" });
        if let Some(payment) = self.payment {
            fields::add_payment(call, payment);
        }
        for StepAndLine { step, .. } in &self.steps {
            call.arg(format!("{}/{}", step.source, step.revision));
        }
        for held in &self.steps {
            call.arg(held.open_json());
        }
    }
}

impl StepAndLine<'_> {
    /// Its JSON, which the script closes, behind the rebuild that named it.
    fn open_json(&self) -> String {
        let mut json = serde_json::to_string(self.step).unwrap_or_default();
        json.pop();
        if self.line.is_none() {
            json.push_str(fields::UNTOLD);
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::events::{EventKind, OrderKind, Source};
    use skstore_domain::ids::{Customer, ItemId};
    use skstore_domain::money::Won;
    use skstore_domain::time::Timestamp;

    use super::*;

    fn item(id: usize, revision: u64, name_bytes: usize) -> Item {
        Item {
            item_id: ItemId::new(&id.to_string()).unwrap(),
            name: "x".repeat(name_bytes),
            name_en: None,
            unit_price: Won(1),
            stock: 1,
            revision,
        }
    }

    /// Items with names of so many bytes.
    fn items(bytes: impl IntoIterator<Item = usize>) -> Vec<ViewWrite> {
        bytes.into_iter().enumerate().map(|(id, bytes)| ViewWrite::Item(item(id + 100, 1, bytes))).collect()
    }

    #[test]
    fn no_script_is_given_more_than_it_may_have() {
        let small = |count: usize| items(vec![1; count]);
        let large = |count: usize| items(vec![100 * 1024; count]);
        let table: [(Vec<ViewWrite>, &[usize]); 6] = [
            (Vec::new(), &[0]),
            (small(400), &[400]),
            (small(501), &[500, 1]),
            (large(5), &[2, 2, 1]),
            (items([1024 * 1024]), &[1]),
            (items([1, 1024 * 1024, 1]), &[1, 1, 1]),
        ];
        for (writes, expected) in table {
            let sizes: Vec<usize> = pieces(&writes).iter().map(|piece| piece.writes).collect();
            assert_eq!(sizes, expected, "{} writes", writes.len());
        }
    }

    #[test]
    fn of_accounts_and_items_only_the_highest_revision_is_written() {
        let account = |name: &str, revision| Account {
            customer: Customer::new(name).unwrap(),
            balance: Won(i64::try_from(revision).unwrap()),
            revision,
        };
        let accounts = [("kim", 2), ("lee", 1), ("kim", 3), ("kim", 1)].map(|(name, n)| account(name, n));
        let items = [(1, 1), (2, 5), (1, 2), (2, 4)].map(|(id, revision)| item(id, revision, 1));
        let writes: Vec<ViewWrite> = std::iter::zip(accounts, items)
            .flat_map(|(account, item)| [ViewWrite::Account(account), ViewWrite::Item(item)])
            .collect();
        let pieces = pieces(&writes);
        let parts = pieces.iter().flat_map(|piece| &piece.parts).map(|part| match part {
            Part::Account(account) => (account.customer.as_str(), account.revision),
            Part::Item(item) => (item.item_id.as_str(), item.revision),
            other => panic!("nothing else was written: {other:?}"),
        });
        assert_eq!(parts.collect::<Vec<_>>(), [("kim", 3), ("lee", 1), ("1", 2), ("2", 5)]);
    }

    #[test]
    fn what_is_new_of_an_order_is_written_in_one_place_however_scattered_it_comes() {
        let ids: Vec<_> = (0..600).map(|n| OrderId::new(&format!("order-{n}")).unwrap()).collect();
        let step = |id: &OrderId, revision| {
            let (source, kind, at) = (Source::Order, EventKind::Order(OrderKind::Placed), Timestamp(0));
            ViewWrite::Step(id.clone(), Step { source, revision, kind, at, reason: None, told_again: 0 })
        };
        let writes: Vec<ViewWrite> =
            [1, 2, 1].iter().flat_map(|revision| ids.iter().map(|id| step(id, *revision))).collect();
        let pieces = pieces(&writes);
        let rows = pieces.iter().flat_map(|piece| &piece.parts).map(|part| match part {
            Part::Row(row) => (row.id.as_str(), row.steps.iter().map(|held| held.step.revision).collect()),
            other => panic!("nothing else was written: {other:?}"),
        });
        let expected: Vec<(&str, Vec<u64>)> = ids.iter().map(|id| (id.as_str(), vec![1, 2])).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected);
        assert_eq!(pieces.iter().map(|piece| piece.writes).collect::<Vec<_>>(), [500, 500, 200]);
    }
}
