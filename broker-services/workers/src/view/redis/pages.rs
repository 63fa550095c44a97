//! What readers see: pages of orders by the indexes, objects by their names, the feed by its numbers.

use redis::Pipeline;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow};
use skstore_domain::objects::{Account, Item, OrderStatus};
use skstore_domain::signals::{Beat, BreakerChanged};

use super::fields::Hash;
use super::link::script_call;
use super::{FEED, LOOK, RedisView};
use crate::view::bounds::{FEED_ENTRIES, SCAN_ORDERS};
use crate::view::matching::Wanted;
use crate::view::orders::Towards;
use crate::view::steps;
use crate::view::{Counts, Cursor, Health, OrderDetail, OrderFilter, OrderPage, ViewError, Written};

/// Orders looked at in one script: Redis serves nobody else for a few milliseconds.
const LOOK_AT_ONCE: usize = 250;

/// Objects read in one round trip, which Redis does in one go: a hundred KiB of answer.
const READ_AT_ONCE: usize = 250;

/// Orders with one id prefix that are sorted by time on the spot. Where there are more, the prefix is common
/// enough to be found by walking another index.
const PREFIX_SORTED: usize = 1000;

/// What one script call saw: whether there are more, orders, and how many members on the way were none.
type Look = (u8, Vec<Vec<String>>, usize);
/// What one script call saw of the feed: the number of its newest event, then entries, each with its id and fields.
type Told = (u64, Vec<(String, Vec<String>)>);

impl RedisView {
    /// A page that has to scan is read in pieces, and may show what was written in between.
    pub(in crate::view) async fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<&Cursor>,
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        self.page(filter, after, Towards::Older, max).await
    }

    pub(in crate::view) async fn orders_before(
        &self,
        filter: &OrderFilter,
        before: Option<&Cursor>,
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        let mut page = self.page(filter, before, Towards::Newer, max).await?;
        page.rows.reverse();
        Ok(page)
    }

    /// Rows in the order in which they are walked.
    async fn page(
        &self,
        filter: &OrderFilter,
        from: Option<&Cursor>,
        towards: Towards,
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        let mut page = OrderPage { next: from.cloned(), ..OrderPage::default() };
        let prefix = filter.id_prefix.as_deref().unwrap_or_default();
        if !prefix.is_empty() && OrderId::new(prefix).is_err() {
            // What is no id itself (too long, another alphabet) is the beginning of none.
            page.next = None;
            return Ok(page);
        }
        let wanted = Wanted::new(filter);
        let mut looked = 0;
        while page.rows.len() < max {
            // An index alone fills the page with the first look; later ones scan, and a scan ends.
            let at_once = if looked == 0 { max } else { SCAN_ORDERS.saturating_sub(looked) };
            let at_once = if at_once == 0 { LOOK_AT_ONCE } else { at_once.min(LOOK_AT_ONCE) };
            let (more, rows, strays) = self.look(filter, page.next.as_ref(), towards, at_once).await?;
            page.strays += strays;
            let (before, mut left) = (looked, rows.len());
            for fields in rows {
                left -= 1;
                // What somebody else wrote here is no order.
                let Some(row) = Hash::new(fields).row() else {
                    page.strays += 1;
                    continue;
                };
                looked += 1;
                page.next = Some(place(&row));
                if wanted.matches((&row).into()) {
                    page.rows.push(row);
                    if page.rows.len() >= max {
                        break;
                    }
                }
            }
            if (more == 0 && left == 0) || looked == before {
                page.next = None;
                break;
            }
            if looked > page.rows.len() && looked >= SCAN_ORDERS {
                break;
            }
        }
        page.scanned = (looked > page.rows.len()).then_some(looked);
        Ok(page)
    }

    async fn look(
        &self,
        filter: &OrderFilter,
        from: Option<&Cursor>,
        towards: Towards,
        max: usize,
    ) -> Result<Look, ViewError> {
        let mut call = script_call(&LOOK, &self.prefix);
        call.arg(max).arg(match towards {
            Towards::Older => "older",
            Towards::Newer => "newer",
        });
        match from {
            Some(place) => call.arg(place.placed_at.0).arg(place.order_id.as_str()),
            None => call.arg("").arg(""),
        };
        call.arg(filter.id_prefix.as_deref().unwrap_or_default()).arg(PREFIX_SORTED).arg("orders");
        if let Some(status) = filter.status {
            call.arg(format!("orders:status:{status}"));
        }
        if let Some(customer) = &filter.customer {
            call.arg(format!("orders:customer:{customer}"));
        }
        if let Some(item_id) = &filter.item_id {
            call.arg(format!("orders:item:{item_id}"));
        }
        self.run(&LOOK, &call).await
    }

    pub(in crate::view) async fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        let mut both = redis::pipe();
        both.atomic();
        both.cmd("HGETALL").arg(self.key("order:", id.as_str()));
        both.cmd("HVALS").arg(self.key("timeline:", id.as_str()));
        let (fields, steps): (Vec<String>, Vec<String>) = self.pipeline(&both).await?;
        let timeline =
            steps::in_order(steps.iter().filter_map(|step| serde_json::from_str(step).ok()).collect());
        Ok(Hash::new(fields).row().map(|row| OrderDetail { row, timeline }))
    }

    pub(in crate::view) async fn accounts(
        &self,
        after: Option<&Customer>,
        max: usize,
    ) -> Result<Vec<Account>, ViewError> {
        self.by_name("accounts", "account:", after.map(Customer::as_str), max, Hash::account).await
    }

    pub(in crate::view) async fn items(
        &self,
        after: Option<&ItemId>,
        max: usize,
    ) -> Result<Vec<Item>, ViewError> {
        self.by_name("items", "item:", after.map(ItemId::as_str), max, Hash::item).await
    }

    /// Objects of one kind, by name. One that is removed meanwhile is left out.
    async fn by_name<T>(
        &self,
        set: &str,
        kind: &str,
        after: Option<&str>,
        max: usize,
        read: impl Fn(&Hash) -> Option<T>,
    ) -> Result<Vec<T>, ViewError> {
        let mut found = Vec::new();
        let mut from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        while found.len() < max {
            let mut range = redis::cmd("ZRANGEBYLEX");
            range.arg(self.key(set, "")).arg(&from).arg("+").arg("LIMIT").arg(0);
            range.arg((max - found.len()).min(READ_AT_ONCE));
            let names: Vec<String> = self.query(&range).await?;
            let Some(last) = names.last() else { break };
            from = format!("({last}");
            found.extend(self.hashes(kind, &names).await?.iter().filter_map(&read));
        }
        Ok(found)
    }

    async fn hashes(&self, kind: &str, names: &[String]) -> Result<Vec<Hash>, ViewError> {
        let mut all = redis::pipe();
        for name in names {
            all.cmd("HGETALL").arg(self.key(kind, name));
        }
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let hashes: Vec<Vec<String>> = self.pipeline(&all).await?;
        Ok(hashes.into_iter().map(Hash::new).collect())
    }

    async fn pipeline<T: redis::FromRedisValue>(&self, commands: &Pipeline) -> Result<T, ViewError> {
        self.explained(self.link.pipeline(commands).await).await
    }

    /// Kept up with every batch, so asking costs nothing.
    pub(in crate::view) async fn counts(&self) -> Result<Counts, ViewError> {
        let mut get = redis::cmd("HMGET");
        get.arg(self.key("counts", "")).arg("accounts").arg("items").arg("balances");
        for status in OrderStatus::ALL {
            get.arg(status.word());
        }
        let counts: Vec<Option<i64>> = self.query(&get).await?;
        let count = |at: usize| counts.get(at).copied().flatten().unwrap_or(0);
        let size = |at: usize| u64::try_from(count(at)).unwrap_or(0);
        let mut orders = [0; OrderStatus::ALL.len()];
        for (at, orders) in orders.iter_mut().enumerate() {
            *orders = size(3 + at);
        }
        Ok(Counts { orders, accounts: size(0), items: size(1), balances: Won(count(2)) })
    }

    pub(in crate::view) async fn written(&self) -> Result<Option<Written>, ViewError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.key("counts", "")).arg("written");
        let written: Option<String> = self.query(&get).await?;
        Ok(written.map(Written))
    }

    pub(in crate::view) async fn health(&self) -> Result<Health, ViewError> {
        let mut sets = redis::pipe();
        for set in ["services", "breakers"] {
            sets.cmd("ZRANGE").arg(self.key(set, "")).arg(0).arg(-1);
        }
        let (services, breakers): (Vec<String>, Vec<String>) = self.pipeline(&sets).await?;
        let mut services: Vec<Beat> =
            self.hashes("service:", &services).await?.iter().filter_map(Hash::beat).collect();
        services.sort_by(|a, b| (a.service, &a.instance).cmp(&(b.service, &b.instance)));
        let mut breaker_changes: Vec<BreakerChanged> = Vec::new();
        for breaker in self.hashes("breaker:", &breakers).await? {
            let changes = breaker.pairs().filter(|(field, _)| field.starts_with("change:"));
            breaker_changes.extend(changes.filter_map(|(_, json)| serde_json::from_str(json).ok()));
        }
        breaker_changes.sort_by(|a, b| (b.at, &a.instance).cmp(&(a.at, &b.instance)));
        Ok(Health { services, breaker_changes })
    }

    pub(in crate::view) async fn feed(
        &self,
        after: u64,
        max: usize,
    ) -> Result<(Vec<FeedEntry>, u64), ViewError> {
        let max = max.min(FEED_ENTRIES);
        let mut call = script_call(&FEED, &self.prefix);
        call.arg(after).arg(max);
        let (newest, entries): Told = self.run(&FEED, &call).await?;
        let mut events: Vec<FeedEntry> =
            entries.into_iter().flat_map(|(_, fields)| Hash::new(fields).feed_entries()).collect();
        let wanted = usize::try_from(newest.saturating_sub(after)).unwrap_or(max).min(max);
        events.drain(..events.len().saturating_sub(wanted));
        Ok((events, newest))
    }

    pub(super) fn key(&self, kind: &str, name: &str) -> String {
        format!("{}{kind}{name}", self.prefix)
    }
}

fn place(row: &OrderRow) -> Cursor {
    Cursor { placed_at: row.order.placed_at, order_id: row.order.order_id.clone() }
}
