//! What looks wrong between parts is looked at again, until it is right, or certain.
//!
//! A difference is certain when it has not moved for as long as the audit waits, and no message is known to be on
//! its way that may mend it. One that is not certain by then stays undecided, and is told as such. One that is certain breaks
//! a promise, unless a store that was put back to an older copy explains it.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::ledger::{ENDS_WITHIN, is_stuck};
use skstore_domain::time::Timestamp;
use tokio::time::{Instant, sleep};

use super::crossing::{Difference, Trio, look};
use super::history::Known;
use super::mirror;
use super::report::{AuditError, Finding, Findings, Promise};
use super::restored::Restored;
use super::sources::Sources;
use super::suspects::{Shown, Suspects};
use super::tables::Stores;
use super::traffic::Traffic;
use crate::topology;

/// How often suspicious ones are looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Undecided ones that are told one by one; the rest is counted.
const MAX_UNDECIDED: usize = 20;

/// A suspicious one, as it last was.
struct Case<T> {
    seen: T,
    since: Instant,
}

/// An order on which the services differ, and whether nothing is on its way that may mend it.
pub(super) struct Differing {
    pub(super) id: String,
    pub(super) seen: Trio,
    pub(super) is_certain: bool,
}

/// Judges all of them, and says which orders differ.
pub(super) async fn all(
    sources: &Sources,
    stores: &Stores,
    suspects: Suspects,
    traffic: impl AsyncFn() -> Traffic,
    findings: &mut Findings<'_>,
) -> Result<Vec<Differing>, AuditError> {
    let began = Instant::now();
    let mut orders: BTreeMap<String, Option<Case<Trio>>> =
        suspects.orders.into_iter().map(|id| (id, None)).collect();
    let mut shown: BTreeMap<Shown, Option<Case<String>>> =
        suspects.shown.into_iter().map(|shown| (shown, None)).collect();
    loop {
        look_at_orders(stores, &mut orders)?;
        if let Some(view) = &sources.view {
            let differing = mirror::again(view, stores, shown.keys()).await?;
            retain(&mut shown, differing);
        }
        if (orders.is_empty() && shown.is_empty()) || began.elapsed() >= sources.wait {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    let mut court = Court {
        sources,
        stores,
        traffic: Traffic::default(),
        restored: Restored::default(),
        undecided: BTreeMap::new(),
        differing: Vec::new(),
    };
    if !orders.is_empty() || !shown.is_empty() {
        court.restored = Restored::find(sources, stores).await?;
        court.traffic = traffic().await;
        if court.traffic.waiting.is_none() {
            findings.note("nobody can tell what waits in the queues: what they hold may mend some of it");
        }
    }
    for (id, case) in orders {
        court.order(&id, case.as_ref(), findings)?;
    }
    for (shown, case) in shown {
        court.shown(&shown, case.as_ref(), findings)?;
    }
    Ok(court.close(findings))
}

/// Forgets those that are right now, and notes which ones have moved.
fn look_at_orders(
    stores: &Stores,
    orders: &mut BTreeMap<String, Option<Case<Trio>>>,
) -> Result<(), AuditError> {
    let ids: Vec<String> = orders.keys().cloned().collect();
    for id in ids {
        // One that moved while it was looked at is looked at again.
        let Some(trio) = look(stores, &id)? else { continue };
        if trio.differences(&id).is_empty() {
            orders.remove(&id);
        } else if let Some(case) = orders.get_mut(&id) {
            put(case, trio, |one, other| one.revisions() == other.revisions());
        }
    }
    Ok(())
}

fn retain(shown: &mut BTreeMap<Shown, Option<Case<String>>>, differing: BTreeMap<Shown, String>) {
    shown.retain(|one, _| differing.contains_key(one));
    for (one, how) in differing {
        if let Some(case) = shown.get_mut(&one) {
            put(case, how, |one, other| one == other);
        }
    }
}

fn put<T>(case: &mut Option<Case<T>>, seen: T, is_same: impl FnOnce(&T, &T) -> bool) {
    let since = match case {
        Some(before) if is_same(&before.seen, &seen) => before.since,
        _ => Instant::now(),
    };
    *case = Some(Case { seen, since });
}

/// What is needed to judge.
struct Court<'a> {
    sources: &'a Sources,
    stores: &'a Stores,
    traffic: Traffic,
    restored: Restored,
    /// How many are undecided, and the first of them, by why.
    undecided: BTreeMap<String, (u64, String)>,
    differing: Vec<Differing>,
}

impl Court<'_> {
    fn order(
        &mut self,
        id: &str,
        case: Option<&Case<Trio>>,
        findings: &mut Findings<'_>,
    ) -> Result<(), AuditError> {
        let Some(case) = case else {
            self.undecided(id, "it is still moving".to_owned());
            return Ok(());
        };
        if !self.is_stable(case.since) {
            self.undecided(id, "it is still moving".to_owned());
            self.differing.push(Differing { id: id.to_owned(), seen: case.seen.clone(), is_certain: false });
            return Ok(());
        }
        let on_its_way = self.on_its_way(id)?;
        let mut is_certain = false;
        for Difference { finding, may_mend, forgotten } in case.seen.differences(id) {
            let excuse = match (&on_its_way, finding.promise) {
                (Some(why), _) if may_mend => Some(why.clone()),
                (_, Promise::P9) => self.may_still_end(id, &case.seen),
                _ => None,
            };
            is_certain |= excuse.is_none();
            match excuse {
                Some(why) => self.undecided(id, why),
                None if self.restored.is_any_of(forgotten) => findings.forgotten(&finding),
                None => findings.violated(&finding),
            }
        }
        self.differing.push(Differing { id: id.to_owned(), seen: case.seen.clone(), is_certain });
        Ok(())
    }

    fn shown(
        &mut self,
        shown: &Shown,
        case: Option<&Case<String>>,
        findings: &mut Findings<'_>,
    ) -> Result<(), AuditError> {
        let id = shown.id();
        let Some(case) = case.filter(|case| self.is_stable(case.since)) else {
            self.undecided(id, "its row in the view is still moving".to_owned());
            return Ok(());
        };
        let unsent = match shown {
            Shown::Order(id) => self.unsent(id)?,
            // Their entries are in the log under the orders that changed them.
            Shown::Account(_) | Shown::Item(_) | Shown::Counts => None,
        };
        match unsent.or_else(|| self.waits_in(&[topology::MYINFO_EVENTS])) {
            Some(why) => self.undecided(id, why),
            None => findings.violated(&Finding::new(Promise::P6, shown.of(), id, case.seen.clone())),
        }
        Ok(())
    }

    /// A look that was the only one is as good as it gets.
    fn is_stable(&self, since: Instant) -> bool {
        since.elapsed() + LOOK_EVERY * 2 >= self.sources.wait
    }

    /// Why a message that is about the order may still come.
    fn on_its_way(&self, id: &str) -> Result<Option<String>, AuditError> {
        const WORK: &[&str] = &[
            topology::ORDER_COMMANDS,
            topology::DEPOSIT_PAYMENTS,
            topology::ORDER_EVENTS,
            topology::DEPOSIT_EVENTS,
            topology::ITEM_EVENTS,
        ];
        Ok(self.unsent(id)?.or_else(|| self.waits_in(WORK)))
    }

    fn unsent(&self, id: &str) -> Result<Option<String>, AuditError> {
        let of = [
            (&self.stores.order, "order"),
            (&self.stores.deposit, "payment"),
            (&self.stores.item, "delivery"),
        ];
        for (tables, kind) in of {
            if tables.is_unsent(kind, id)? {
                return Ok(Some("an event about it is committed and not yet taken by the bus".to_owned()));
            }
        }
        Ok(None)
    }

    fn waits_in(&self, queues: &[&str]) -> Option<String> {
        let waiting = self.traffic.waiting.as_ref()?;
        let queue = queues.iter().find(|queue| waiting.get(**queue).is_some_and(|count| *count > 0))?;
        Some(format!("messages wait in the queue {queue}"))
    }

    /// Why an order that has not ended does not break the promise that it will.
    fn may_still_end(&self, id: &str, trio: &Trio) -> Option<String> {
        if self.traffic.parked.contains(id) {
            return Some("a parked message is about it: skstore dead list".to_owned());
        }
        let Some(Known::Order(order)) = &trio.order else { return None };
        let text = serde_json::Value::String(order.updated_at.clone());
        let at: Timestamp = serde_json::from_value(text).ok()?;
        let may_end = !is_stuck(at, ENDS_WITHIN, self.sources.now);
        may_end.then(|| format!("it has {} s to end", ENDS_WITHIN.as_secs()))
    }

    fn undecided(&mut self, id: &str, why: String) {
        self.undecided.entry(why).or_insert_with(|| (0, id.to_owned())).0 += 1;
    }

    fn close(self, findings: &mut Findings<'_>) -> Vec<Differing> {
        for (why, (count, first)) in self.undecided.into_iter().take(MAX_UNDECIDED) {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            findings.report.undecided.push(format!("{first}{more}: {why}"));
        }
        if findings.report.forgotten > 0 {
            findings.report.restored = self.restored.sentences();
        } else if self.differing.iter().any(|one| one.is_certain) {
            findings.note("if a store was put back to an older copy: skstore reconcile");
        }
        self.differing
    }
}
