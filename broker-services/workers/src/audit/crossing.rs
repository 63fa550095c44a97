//! Order by order: the services against each other.

use skstore_domain::events::Source;

use super::history::{self, Known};
use super::report::{AuditError, Finding, Findings, Promise};
use super::shapes::{Delivery, Order, Payment, quote, read};
use super::suspects::Suspects;
use super::tables::{History, State, Stores, next_id};

/// What the three services say of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trio {
    pub(super) order: Option<Known>,
    pub(super) payment: Option<Payment>,
    pub(super) delivery: Option<Delivery>,
}

/// A difference between services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) finding: Finding,
    /// Whether a message that is still on its way may mend it.
    pub(super) may_mend: bool,
    /// Whose store may have been put back to an older copy, if that explains it.
    pub(super) forgotten: &'static [Source],
}

/// Money that Order and Deposit see differently.
const MONEY: &[Source] = &[Source::Order, Source::Deposit];
/// Units that Order and Item see differently.
const UNITS: &[Source] = &[Source::Order, Source::Item];
/// What no lack of memory explains.
const UNEXPLAINED: &[Source] = &[];

/// Every order, payment and delivery. What is wrong within a service is told; what is wrong between them becomes
/// suspicious.
pub(super) fn all(
    stores: &Stores,
    findings: &mut Findings<'_>,
    suspects: &mut Suspects,
) -> Result<(), AuditError> {
    let mut orders = stores.order.histories("order").peekable();
    let mut payments = stores.deposit.histories("payment").peekable();
    let mut deliveries = stores.item.histories("delivery").peekable();
    let of_history: fn(&History) -> &String = |history| &history.id;
    loop {
        let ids = [
            next_id(&mut orders, of_history)?,
            next_id(&mut payments, of_history)?,
            next_id(&mut deliveries, of_history)?,
        ];
        let Some(id) = ids.into_iter().flatten().min() else { return Ok(()) };
        let of =
            |history: &Result<History, AuditError>| history.as_ref().is_ok_and(|history| history.id == id);
        let mut trio = Trio::default();
        if let Some(history) = orders.next_if(of).transpose()? {
            findings.report.orders += 1;
            findings.report.events += history.entries.len() as u64;
            trio.order = history::order(&history, findings);
            match &trio.order {
                Some(Known::Order(_)) => suspects.placed += 1,
                Some(Known::Tombstone(_)) | None => {}
            }
        }
        if let Some(history) = payments.next_if(of).transpose()? {
            trio.payment = history::payment(&history, findings);
        }
        if let Some(history) = deliveries.next_if(of).transpose()? {
            trio.delivery = history::delivery(&history, findings);
        }
        let differences = trio.differences(&id);
        if !differences.is_empty() && !suspects.add(&id) {
            differences.iter().for_each(|difference| findings.violated(&difference.finding));
        }
    }
}

/// What the stores say of order `id` now, unless Order has moved while they were asked.
pub(super) fn look(stores: &Stores, id: &str) -> Result<Option<Trio>, AuditError> {
    let before = stores.order.state("order", id)?;
    let trio = Trio {
        order: before.as_ref().and_then(|state| history::known(state).ok()).map(|(known, _)| known),
        payment: stores.deposit.state("payment", id)?.and_then(|state| read(&state.body).ok()),
        delivery: stores.item.state("delivery", id)?.and_then(|state| read(&state.body).ok()),
    };
    let after = stores.order.state("order", id)?;
    let revision = |state: &Option<State>| state.as_ref().map(|state| state.revision);
    Ok((revision(&before) == revision(&after)).then_some(trio))
}

impl Trio {
    /// How often each service has changed it.
    pub(super) fn revisions(&self) -> [i64; 3] {
        let of_order = match &self.order {
            Some(Known::Order(order)) => order.revision,
            Some(Known::Tombstone(tombstone)) => tombstone.revision,
            None => 0,
        };
        let of_payment = self.payment.as_ref().map_or(0, |payment| payment.revision);
        [of_order, of_payment, self.delivery.as_ref().map_or(0, |delivery| delivery.revision)]
    }

    /// What does not fit together.
    pub(super) fn differences(&self, id: &str) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut add = |forgotten, promise, may_mend, message: String| {
            let finding = Finding::new(promise, "order", id, message);
            found.push(Difference { finding, may_mend, forgotten });
        };
        let Some(Known::Order(order)) = &self.order else {
            self.nobodys(&mut add);
            return found;
        };
        if order.order_id != id {
            add(UNEXPLAINED, Promise::P5, false, format!("it calls itself {}", quote(&order.order_id)));
        }
        self.money(order, &mut |promise, may_mend, message| add(MONEY, promise, may_mend, message));
        self.units(order, &mut |promise, may_mend, message| add(UNITS, promise, may_mend, message));
        if matches!(order.status.as_str(), "paying" | "placed") {
            let message =
                format!("it is {} since {} and has not ended", order.status, quote(&order.updated_at));
            add(UNEXPLAINED, Promise::P9, true, message);
        }
        found
    }

    /// What others hold for an order that there is not.
    fn nobodys(&self, add: &mut impl FnMut(&'static [Source], Promise, bool, String)) {
        let is_disowned =
            matches!(&self.order, Some(Known::Tombstone(tombstone)) if tombstone.disowned.is_some());
        let why = match &self.order {
            Some(_) if is_disowned => "was disowned",
            Some(_) => "was cancelled before it was placed",
            None => "is not known to Order",
        };
        if let Some(payment) =
            self.payment.as_ref().filter(|payment| !is_disowned || payment.status == "paid")
        {
            let message = format!("it {why}, but its payment is {}", quote(&payment.status));
            add(MONEY, Promise::P1, is_disowned, message);
        }
        let delivery = self.delivery.as_ref();
        if let Some(delivery) = delivery.filter(|delivery| !is_disowned || delivery.status == "started") {
            let message = format!("it {why}, but its delivery is {}", quote(&delivery.status));
            add(UNITS, Promise::P4, is_disowned, message);
        }
    }

    fn money(&self, order: &Order, add: &mut impl FnMut(Promise, bool, String)) {
        use Promise::{P1, P3, P5};
        let Order { status, amount, customer, .. } = order;
        let is_live = matches!(status.as_str(), "placed" | "delivering");
        let has_ended = matches!(status.as_str(), "cancelled" | "rejected");
        let Some(payment) = &self.payment else {
            if is_live || matches!(order.payment.as_str(), "paid" | "declined") {
                add(P1, false, format!("it is {status} for {amount} won, but Deposit has never charged it"));
            }
            if has_ended {
                add(P3, true, format!("it is {status}, but Deposit has not closed its payment"));
            }
            return;
        };
        // What is left of another order under this id, once all of it was given back, is nobody's concern.
        let counts = is_live || payment.status == "paid";
        if counts && (payment.amount != *amount || payment.customer != *customer) {
            let Payment { amount: charged, customer: of, .. } = payment;
            let message = format!(
                "it costs {customer} {amount} won, but Deposit has {charged} won of {} for it",
                quote(of)
            );
            add(P1, false, message);
        }
        match payment.status.as_str() {
            "paid" if has_ended => {
                add(P3, true, format!("it is {status}, but its {amount} won are not given back"));
            }
            "paid" => {}
            "declined" if is_live || matches!(order.payment.as_str(), "paid" | "refunded") => {
                add(P1, false, format!("it is {status}, but its payment was declined"));
            }
            "declined" => {}
            "refunded" | "voided" if !has_ended => {
                let promise = if payment.status == "voided" && is_live { P1 } else { P3 };
                add(promise, false, format!("it is {status}, but its payment is {}", payment.status));
            }
            "refunded" | "voided" if order.payment != payment.status => {
                add(P5, true, format!("its payment is {}, of which Order has not heard", payment.status));
            }
            "refunded" | "voided" => {}
            other => add(P1, false, format!("its payment is '{}', which none can be", quote(other))),
        }
    }

    fn units(&self, order: &Order, add: &mut impl FnMut(Promise, bool, String)) {
        use Promise::{P4, P5};
        let Order { status, qty, item_id, .. } = order;
        let Some(delivery) = &self.delivery else {
            match status.as_str() {
                "delivering" => add(P4, false, format!("it is {status}, but Item has taken no units for it")),
                "cancelled" => add(P5, true, format!("it is {status}, but Item has not heard of it")),
                _ => {}
            }
            return;
        };
        let counts = status == "delivering" || delivery.status == "started";
        if counts && (delivery.qty != *qty || delivery.item_id != *item_id) {
            let Delivery { qty: taken, item_id: of, .. } = delivery;
            let message =
                format!("it is for {qty} of item {item_id}, but Item has {taken} of {} for it", quote(of));
            add(P4, false, message);
        }
        match (status.as_str(), delivery.status.as_str()) {
            ("placed", "started" | "sold_out") | ("delivering", "started") => {}
            ("cancelled", "started") => {
                add(P4, true, format!("it is {status}, but its {qty} units are not back in stock"));
            }
            ("cancelled", told) if order.delivery != told => {
                add(P5, true, format!("its delivery is {}, of which Order has not heard", quote(told)));
            }
            ("cancelled", "cancelled" | "sold_out") => {}
            (_, other) => add(P4, false, format!("it is {status}, but its delivery is {}", quote(other))),
        }
    }
}
