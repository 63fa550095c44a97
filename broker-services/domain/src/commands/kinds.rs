//! The kinds of commands, by the service that takes them.

use crate::by_service::words_by_service;
use crate::words::words;

words! {
    /// What Order is asked.
    OrderCommandKind {
        /// Order something and pay for it.
        Place = "order.place",
        /// Take an order back.
        Cancel = "order.cancel",
        /// The order as Order tells it.
        Query = "order.query",
        /// Bring an order in order on which the services differ since a store was put back to an older copy.
        Settle = "order.settle",
        /// Part of Order's event log.
        Replay = "order.replay",
    }
}

words! {
    /// What Deposit is asked.
    DepositCommandKind {
        /// Put money into an account, opening it if need be.
        TopUp = "deposit.topup",
        /// A payment or an account as Deposit tells it.
        Query = "deposit.query",
        /// Part of Deposit's event log.
        Replay = "deposit.replay",
    }
}

words! {
    /// What Item is asked.
    ItemCommandKind {
        /// Add to an item's stock.
        Restock = "item.restock",
        /// An item as Item tells it.
        Query = "item.query",
        /// Name and price an item, listing it if need be.
        List = "item.list",
        /// The items that are listed, page by page.
        Catalog = "item.catalog",
        /// Part of Item's event log.
        Replay = "item.replay",
    }
}

words_by_service! {
    /// Every command there is. The word is its routing key on `skstore.commands`.
    CommandKind(OrderCommandKind, DepositCommandKind, ItemCommandKind)
}

impl CommandKind {
    /// Whether it asks for a part of a log.
    #[must_use]
    pub const fn is_replay(self) -> bool {
        matches!(
            self,
            Self::Order(OrderCommandKind::Replay)
                | Self::Deposit(DepositCommandKind::Replay)
                | Self::Item(ItemCommandKind::Replay)
        )
    }
}
