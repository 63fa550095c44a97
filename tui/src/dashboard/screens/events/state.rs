//! The newest events of all services, as the view's feed has them.

use skstore_domain::events::{DepositKind, EventKind, ItemKind};
use skstore_domain::ids::OrderId;
use skstore_domain::myinfo::FeedEntry;
use skstore_domain::time::Timestamp;

use crate::dashboard::table::movement::Table;
use crate::text::Language;
use crate::text::words::Worded;

/// Events that are looked at: more than anybody scrolls through while they run.
pub const EVENTS_READ: usize = 1000;

/// The newest events, and the selection among them. While nothing is selected the newest is followed.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// All that were read, newest first.
    pub entries: Vec<FeedEntry>,
    /// Whether they were read.
    pub is_read: bool,
    /// What is looked for among them, as it was typed.
    pub typed: String,
    /// Since when nothing is taken from the view, so that they can be read in peace.
    pub frozen_at: Option<Timestamp>,
    /// The places of those that match, in the order in which they are shown.
    places: Vec<usize>,
    /// The id of the selected one; the newest if absent.
    selected: Option<String>,
    /// Rows above the first one that is on the screen.
    pub offset: usize,
}

impl Events {
    /// Those that match, newest first.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &FeedEntry> {
        self.places.iter().map(|place| &self.entries[*place])
    }

    /// Whether the newest event is always the selected one.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.selected.is_none() && self.frozen_at.is_none()
    }

    /// The selected one.
    #[must_use]
    pub fn selected_row(&self) -> Option<&FeedEntry> {
        self.rows().nth(self.selected_index()?)
    }

    /// Takes what the view says, unless they are frozen; `shown` rows fit on the screen.
    pub fn read(&mut self, entries: Vec<FeedEntry>, shown: usize) {
        if self.frozen_at.is_some() && self.is_read {
            return;
        }
        let line = self.selected_index().unwrap_or(0).saturating_sub(self.offset);
        (self.entries, self.is_read) = (entries, true);
        self.arrange();
        self.offset = self.selected_index().unwrap_or(0).saturating_sub(line);
        self.keep_in_sight(shown);
    }

    /// Shows those in which every typed word occurs.
    pub fn filter_by(&mut self, typed: &str, shown: usize) {
        typed.trim().clone_into(&mut self.typed);
        self.arrange();
        self.keep_in_sight(shown);
    }

    fn arrange(&mut self) {
        let words: Vec<String> = self.typed.split_whitespace().map(str::to_lowercase).collect();
        let matching = self.entries.iter().enumerate().filter(|(_, entry)| matches(entry, &words));
        self.places = matching.map(|(place, _)| place).collect();
    }

    /// Goes to the newest and follows.
    pub fn to_newest(&mut self) {
        (self.selected, self.frozen_at, self.offset) = (None, None, 0);
    }

    /// Takes nothing from the view any more, or does again.
    pub fn toggle_freeze(&mut self, now: Timestamp) {
        self.frozen_at = if self.frozen_at.is_none() { Some(now) } else { None };
    }
}

impl Table for Events {
    fn row_count(&self) -> usize {
        self.places.len()
    }

    fn selected_index(&self) -> Option<usize> {
        let newest = (!self.places.is_empty()).then_some(0);
        let Some(selected) = &self.selected else { return newest };
        self.rows().position(|entry| entry.id == *selected).or(newest)
    }

    fn select(&mut self, index: usize) {
        let selected = self.rows().nth(index).map(|entry| entry.id.clone());
        self.selected = selected.or_else(|| self.selected.take());
    }

    fn offset_mut(&mut self) -> &mut usize {
        &mut self.offset
    }

    /// At the top the newest is followed.
    fn moved(&mut self, by: isize, to: usize, _: usize) {
        if to == 0 && by < 0 {
            self.selected = None;
        }
    }
}

fn matches(entry: &FeedEntry, words: &[String]) -> bool {
    let kind = entry.kind.text();
    let fields = [
        entry.kind.word(),
        Language::Korean.get(kind),
        Language::English.get(kind),
        entry.subject.as_str(),
        entry.customer.as_ref().map_or("", |customer| customer.as_str()),
        entry.reason.as_deref().unwrap_or(""),
    ];
    words.iter().all(|word| fields.iter().any(|field| field.to_lowercase().contains(word.as_str())))
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An order.
    Order(OrderId),
    /// An account.
    Account,
    /// An item.
    Item,
}

/// What an event is about, by its kind.
#[must_use]
pub fn about(entry: &FeedEntry) -> About {
    match entry.kind {
        EventKind::Deposit(DepositKind::ToppedUp) => About::Account,
        EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => About::Item,
        EventKind::Order(_)
        | EventKind::Deposit(
            DepositKind::Paid | DepositKind::Declined | DepositKind::Refunded | DepositKind::Voided,
        )
        | EventKind::Item(ItemKind::DeliveryStarted | ItemKind::DeliveryCancelled | ItemKind::SoldOut) => {
            OrderId::new(&entry.subject).map_or(About::Item, About::Order)
        }
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::events::OrderKind;
    use skstore_domain::ids::Customer;

    use super::*;

    const SHOWN: usize = 5;

    fn entry(number: usize) -> FeedEntry {
        FeedEntry {
            id: format!("e{number}"),
            kind: if number.is_multiple_of(2) {
                EventKind::Order(OrderKind::Placed)
            } else {
                EventKind::Deposit(DepositKind::Paid)
            },
            subject: format!("o{number}"),
            at: Timestamp(1),
            customer: Some(Customer::new("kim").unwrap()),
            amount: None,
            reason: None,
        }
    }

    fn newest(count: usize) -> Vec<FeedEntry> {
        (0..count).rev().map(entry).collect()
    }

    fn selected(events: &Events) -> Option<&str> {
        events.selected_row().map(|entry| entry.id.as_str())
    }

    #[test]
    fn the_newest_is_followed_until_another_is_selected_and_again_at_the_top() {
        let mut events = Events::default();
        events.read(newest(10), SHOWN);
        assert_eq!(selected(&events), Some("e9"));
        events.move_by(2, SHOWN);
        events.read(newest(20), SHOWN);
        assert_eq!(selected(&events), Some("e7"));
        events.move_by(-100, SHOWN);
        events.read(newest(30), SHOWN);
        assert_eq!((selected(&events), events.follows()), (Some("e29"), true));
    }

    #[test]
    fn frozen_they_stand_still() {
        let mut events = Events::default();
        events.read(newest(10), SHOWN);
        events.toggle_freeze(Timestamp(5));
        events.read(newest(20), SHOWN);
        assert_eq!(events.rows().len(), 10);
        events.toggle_freeze(Timestamp(6));
        events.read(newest(20), SHOWN);
        assert_eq!(events.rows().len(), 20);
    }

    #[test]
    fn every_typed_word_must_occur_in_either_language() {
        let mut events = Events::default();
        events.read(newest(10), SHOWN);
        for (typed, expected) in
            [("", 10), ("order.placed", 5), ("주문완료", 5), ("PAID kim", 5), ("paid o3", 1), ("lee", 0)]
        {
            events.filter_by(typed, SHOWN);
            assert_eq!(events.rows().len(), expected, "{typed:?}");
        }
    }
}
