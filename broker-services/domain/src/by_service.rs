//! The services that have a store, and enums with a variant for each of them.

use crate::words::words;

words! {
    /// The services whose stores have event logs.
    Source {
        /// Orders and their outcomes.
        Order = "order",
        /// Payments and accounts.
        Deposit = "deposit",
        /// Stock and deliveries.
        Item = "item",
    }
}

/// An enum with a variant for each service that has a store, of a type of that service's own.
macro_rules! by_service {
    ($(#[$doc:meta])* $name:ident($order:ty, $deposit:ty, $item:ty)) => {
        $(#[$doc])*
        pub enum $name {
            /// Order's.
            Order($order),
            /// Deposit's.
            Deposit($deposit),
            /// Item's.
            Item($item),
        }

        $crate::by_service::by_service!(@convert $name: Order($order), Deposit($deposit), Item($item));
    };
    (@convert $name:ident: $($service:ident($own:ty)),+) => {$(
        impl From<$own> for $name {
            fn from(own: $own) -> Self {
                Self::$service(own)
            }
        }

        impl TryFrom<$name> for $own {
            type Error = $name;

            /// Gives back what is another service's.
            fn try_from(of: $name) -> Result<Self, $name> {
                match of {
                    $name::$service(own) => Ok(own),
                    other => Err(other),
                }
            }
        }
    )+};
}

/// An enum of words that are each one service's: all of them, and which of them are a service's own.
macro_rules! words_by_service {
    ($(#[$doc:meta])* $name:ident($order:ty, $deposit:ty, $item:ty)) => {
        $crate::by_service::by_service! {
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            $name($order, $deposit, $item)
        }

        impl $name {
            /// All of them, those of one service after those of another.
            pub fn all() -> impl Iterator<Item = Self> + Clone {
                let orders = <$order>::ALL.iter().map(|kind| Self::Order(*kind));
                let deposits = <$deposit>::ALL.iter().map(|kind| Self::Deposit(*kind));
                orders.chain(deposits).chain(<$item>::ALL.iter().map(|kind| Self::Item(*kind)))
            }

            /// The word used in JSON, in routing keys and in keys of the view.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    Self::Order(kind) => kind.word(),
                    Self::Deposit(kind) => kind.word(),
                    Self::Item(kind) => kind.word(),
                }
            }

            /// The one whose [`word`](Self::word) this is.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                <$order>::from_word(word)
                    .map(Self::Order)
                    .or_else(|| <$deposit>::from_word(word).map(Self::Deposit))
                    .or_else(|| <$item>::from_word(word).map(Self::Item))
            }

            /// The service whose it is.
            #[must_use]
            pub const fn source(self) -> $crate::by_service::Source {
                match self {
                    Self::Order(_) => $crate::by_service::Source::Order,
                    Self::Deposit(_) => $crate::by_service::Source::Deposit,
                    Self::Item(_) => $crate::by_service::Source::Item,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

pub(crate) use {by_service, words_by_service};
