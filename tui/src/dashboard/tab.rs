//! The screens that one goes between, by number, by key and by mouse.

use crate::text::Text;

/// A screen with a tab of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tab {
    /// The orders.
    Orders,
    /// The accounts, and what was paid from the selected one.
    Accounts,
    /// The items, and what was ordered of the selected one.
    Items,
    /// The workers, queues and breakers, and whether the promises hold.
    Health,
    /// What happens, as it happens.
    Events,
    /// The parked messages.
    Dead,
}

impl Tab {
    /// All of them, in the order in which they stand.
    pub const ALL: &'static [Self] =
        &[Self::Orders, Self::Accounts, Self::Items, Self::Health, Self::Events, Self::Dead];

    /// The number key that leads there.
    #[must_use]
    pub const fn number(self) -> char {
        match self {
            Self::Orders => '1',
            Self::Accounts => '2',
            Self::Items => '3',
            Self::Health => '4',
            Self::Events => '5',
            Self::Dead => '6',
        }
    }

    /// Its name.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::Orders => Text::OrdersTitle,
            Self::Accounts => Text::AccountsTitle,
            Self::Items => Text::ItemsTitle,
            Self::Health => Text::HealthTitle,
            Self::Events => Text::EventsTitle,
            Self::Dead => Text::DeadTitle,
        }
    }

    /// Its name where there is little room.
    #[must_use]
    pub const fn short(self) -> Text {
        match self {
            Self::Dead => Text::DeadShort,
            Self::Orders | Self::Accounts | Self::Items | Self::Health | Self::Events => self.text(),
        }
    }

    /// Whether services and breaker, or what belongs to the selected row, are shown beside or below its table.
    #[must_use]
    pub const fn has_panel(self) -> bool {
        match self {
            Self::Orders | Self::Accounts | Self::Items | Self::Events | Self::Dead => true,
            Self::Health => false,
        }
    }

    /// The one `by` further, round and round.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let count = Self::ALL.len();
        let at = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let to = (at + count).saturating_add_signed(by) % count;
        Self::ALL.get(to).copied().unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepping_goes_through_all_tabs_and_back() {
        let mut tab = Tab::Orders;
        for expected in Tab::ALL {
            assert_eq!(tab, *expected);
            assert_eq!(tab.step(1).step(-1), tab);
            tab = tab.step(1);
        }
        assert_eq!(tab, Tab::Orders);
    }

    #[test]
    fn tabs_stand_in_the_order_of_their_numbers() {
        assert!(Tab::ALL.is_sorted_by_key(|tab| tab.number()), "{:?}", Tab::ALL);
    }
}
