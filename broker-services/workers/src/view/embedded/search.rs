//! Which orders match, newest first or oldest first: walks the smallest index that helps and checks the rest.

use std::collections::btree_map::Range;
use std::iter::Rev;
use std::ops::Bound;

use skstore_domain::ids::OrderId;
use skstore_domain::myinfo::OrderRow;
use skstore_domain::time::Timestamp;

use super::compact::{CompactId, Place, UUID_CHARS};
use super::indexes::Index;
use super::orders::Orders;
use super::record::Record;
use super::slab::Slot;
use crate::view::matching::{Candidate, Wanted};
use crate::view::orders::Towards;
use crate::view::{Cursor, OrderFilter};

/// Orders with one id prefix that are sorted by time on the spot. Where there are more, the prefix is common
/// enough to be found by walking another index.
pub(super) const PREFIX_SORTED: usize = 1000;

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Orders that match, in the order in which they were looked at.
    pub(super) rows: Vec<OrderRow>,
    /// Orders looked at.
    pub(super) looked: usize,
    /// The last order looked at.
    pub(super) last: Option<Cursor>,
    /// Whether there are orders left to look at after that.
    pub(super) more: bool,
}

impl Orders {
    /// Looks at no more than `max_looked` orders from `from` on, until `max` match.
    pub(super) fn look(
        &self,
        wanted: &Wanted<'_>,
        from: Option<&Cursor>,
        towards: Towards,
        max: usize,
        max_looked: usize,
    ) -> Look {
        let mut look = Look::default();
        let from = from.map(Place::new);
        let mut walk = self.walk(wanted, from.as_ref(), towards).peekable();
        let mut last = None;
        while look.rows.len() < max && look.looked < max_looked {
            let Some(record) = walk.next().and_then(|slot| self.records.get(slot)) else { break };
            look.looked += 1;
            last = Some(record);
            if matches(wanted, record) {
                look.rows.extend(record.row());
            }
        }
        look.last = last.and_then(Record::cursor);
        look.more = walk.peek().is_some();
        look
    }

    /// The orders from `from` on among which all that match are, in the order in which they are looked at.
    fn walk(&self, wanted: &Wanted<'_>, from: Option<&Place>, towards: Towards) -> Walk<'_> {
        let Some(index) = self.smallest_index(wanted.filter) else { return Walk::default() };
        if !wanted.prefix.is_empty()
            && let Some(slots) = self.with_prefix(wanted.prefix, index.len().min(PREFIX_SORTED))
        {
            return Walk::Sorted(self.sorted(&slots, from, towards).into_iter());
        }
        let edge = from.map_or(Bound::Unbounded, Bound::Excluded);
        match towards {
            Towards::Older => Walk::Older(index.range::<Place, _>((Bound::Unbounded, edge)).rev()),
            Towards::Newer => Walk::Newer(index.range::<Place, _>((edge, Bound::Unbounded))),
        }
    }

    /// None if nothing can match.
    fn smallest_index(&self, filter: &OrderFilter) -> Option<&Index> {
        let mut smallest = &self.indexes.all;
        if let Some(status) = filter.status {
            smallest = smaller(smallest, self.indexes.status(status));
        }
        if let Some(customer) = &filter.customer {
            smallest = smaller(smallest, self.indexes.customer(customer)?);
        }
        if let Some(item_id) = &filter.item_id {
            smallest = smaller(smallest, self.indexes.item(item_id)?);
        }
        Some(smallest)
    }

    /// All with that prefix, unless there are more than `max`.
    fn with_prefix(&self, prefix: &str, max: usize) -> Option<Vec<Slot>> {
        // A prefix that is no id itself (too long, another alphabet) is the prefix of none.
        let Ok(first) = OrderId::new(prefix) else { return Some(Vec::new()) };
        let range = self.by_id.range(CompactId::new(&first)..).take_while(|(id, _)| id.starts_with(prefix));
        let slots: Vec<Slot> = range.take(max.saturating_add(1)).map(|(_, slot)| *slot).collect();
        (slots.len() <= max).then_some(slots)
    }

    /// Those of `slots` that are orders and come from `from` on, in the order in which they are looked at.
    fn sorted(&self, slots: &[Slot], from: Option<&Place>, towards: Towards) -> Vec<Slot> {
        let from = from.map(|place| (place.placed_at, &place.id));
        let mut found: Vec<(Timestamp, &CompactId, Slot)> = slots
            .iter()
            .filter_map(|slot| {
                let record = self.records.get(*slot)?;
                Some((record.order.as_ref()?.placed_at, &record.id, *slot))
            })
            .filter(|(placed_at, id, _)| {
                from.is_none_or(|from| match towards {
                    Towards::Older => (*placed_at, *id) < from,
                    Towards::Newer => (*placed_at, *id) > from,
                })
            })
            .collect();
        match towards {
            Towards::Older => found.sort_unstable_by(|a, b| b.cmp(a)),
            Towards::Newer => found.sort_unstable(),
        }
        found.into_iter().map(|(_, _, slot)| slot).collect()
    }
}

/// Slots in the order in which they are looked at.
enum Walk<'a> {
    Older(Rev<Range<'a, Place, Slot>>),
    Newer(Range<'a, Place, Slot>),
    Sorted(std::vec::IntoIter<Slot>),
}

impl Default for Walk<'_> {
    fn default() -> Self {
        Self::Sorted(Vec::new().into_iter())
    }
}

impl Iterator for Walk<'_> {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        match self {
            Self::Older(range) => range.next().map(|(_, slot)| *slot),
            Self::Newer(range) => range.next().map(|(_, slot)| *slot),
            Self::Sorted(slots) => slots.next(),
        }
    }
}

fn matches(wanted: &Wanted<'_>, record: &Record) -> bool {
    let Some(order) = &record.order else { return false };
    let mut buffer = [0; UUID_CHARS];
    wanted.matches(Candidate {
        id: if wanted.reads_id() { record.id.text(&mut buffer) } else { "" },
        status: order.status,
        customer: &order.customer,
        item_id: &order.item_id,
        item_name: &order.item_name,
        reason: order.reason,
    })
}

fn smaller<'a>(one: &'a Index, other: &'a Index) -> &'a Index {
    if other.len() < one.len() { other } else { one }
}
