//! What someone asks for, read leniently and checked once: plain JSON that a person can type.

use serde::Serialize;

use crate::by_service::by_service;
use crate::ids::{Customer, ItemId, OrderId, RequestId};
use crate::money::Won;

mod fields;
mod invalid;
mod kinds;
mod limits;
mod wire;

pub use invalid::{Invalid, Problem};
pub use kinds::{CommandKind, DepositCommandKind, ItemCommandKind, OrderCommandKind};
pub use limits::{MAX_COMMAND_BYTES, MAX_ITEM_NAME_CHARS, MAX_STOCK};

by_service! {
    /// A command, checked.
    #[derive(Debug, Clone, PartialEq, Eq)]
    Command(OrderCommand, DepositCommand, ItemCommand)
}

/// A command to Order: see [`OrderCommandKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum OrderCommand {
    Place(Place),
    Cancel(OrderId),
    Query(OrderId),
    Settle(Settle),
    Replay(Replay),
}

/// A command to Deposit: see [`DepositCommandKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum DepositCommand {
    TopUp(TopUp),
    /// A query by order.
    QueryPayment(OrderId),
    /// A query by customer.
    QueryAccount(Customer),
    Replay(Replay),
}

/// A command to Item: see [`ItemCommandKind`] for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "its kind has the same name and says it")]
pub enum ItemCommand {
    Restock(Restock),
    Query(ItemId),
    List(ListItem),
    /// Those after this one.
    Catalog(Option<ItemId>),
    Replay(Replay),
}

/// Part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// The first entry wanted.
    pub from_seq: i64,
    /// The last one; all that there are if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_seq: Option<i64>,
}

/// Order something. Everything but the item is optional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The item.
    pub item_id: ItemId,
    /// Units, 1 to [`MAX_QTY`](crate::objects::MAX_QTY).
    pub qty: u32,
    /// Whose account pays; the walk-in account if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The price the caller saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Won>,
}

/// Bring an order in order on which the services differ since a store was put back to an older copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settle {
    /// The order.
    pub order_id: OrderId,
    /// Whose account Deposit has charged for it. Counts if Order does not know the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Of which item Item has a delivery for it, if it has. Counts if Order does not know the order, or rejected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
}

/// Put money into an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopUp {
    /// The account's owner.
    pub customer: Customer,
    /// How much, above zero.
    pub amount: Won,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topup_id: Option<RequestId>,
}

/// Add to an item's stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restock {
    /// Which item.
    pub item_id: ItemId,
    /// Units, 1 to [`MAX_STOCK`].
    pub qty: u64,
    /// The idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restock_id: Option<RequestId>,
}

/// Name and price an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListItem {
    /// The item.
    pub item_id: ItemId,
    /// Its name, 1 to [`MAX_ITEM_NAME_CHARS`] characters.
    pub name: String,
    /// Its name in English, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Price of a unit, zero or more.
    pub unit_price: Won,
}

/// The commands of one service, which reads no others.
pub trait ServiceCommand: Sized {
    /// Their kinds.
    type Kind: TryFrom<CommandKind>;
    /// The service's name, for people.
    const SERVICE: &'static str;

    /// Reads the body of a command of `kind`.
    ///
    /// Numbers may be strings, `productId` is another name for `item_id`, unknown fields are ignored. No member may
    /// stand there twice, and a number is taken as it is written: it never passes through a float.
    ///
    /// # Errors
    /// [`Invalid`] names the field and says what it must be.
    fn from_json(kind: Self::Kind, body: &[u8]) -> Result<Self, Invalid>;
}

impl Command {
    /// Reads the body of a command of `kind`: see [`ServiceCommand::from_json`].
    ///
    /// # Errors
    /// [`Invalid`] names the field and says what it must be.
    pub fn from_json(kind: CommandKind, body: &[u8]) -> Result<Self, Invalid> {
        Ok(match kind {
            CommandKind::Order(kind) => OrderCommand::from_json(kind, body)?.into(),
            CommandKind::Deposit(kind) => DepositCommand::from_json(kind, body)?.into(),
            CommandKind::Item(kind) => ItemCommand::from_json(kind, body)?.into(),
        })
    }

    /// Its kind: where it is sent.
    #[must_use]
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::Order(OrderCommand::Place(_)) => OrderCommandKind::Place.into(),
            Self::Order(OrderCommand::Cancel(_)) => OrderCommandKind::Cancel.into(),
            Self::Order(OrderCommand::Query(_)) => OrderCommandKind::Query.into(),
            Self::Order(OrderCommand::Settle(_)) => OrderCommandKind::Settle.into(),
            Self::Order(OrderCommand::Replay(_)) => OrderCommandKind::Replay.into(),
            Self::Deposit(DepositCommand::TopUp(_)) => DepositCommandKind::TopUp.into(),
            Self::Deposit(DepositCommand::QueryPayment(_) | DepositCommand::QueryAccount(_)) => {
                DepositCommandKind::Query.into()
            }
            Self::Deposit(DepositCommand::Replay(_)) => DepositCommandKind::Replay.into(),
            Self::Item(ItemCommand::Restock(_)) => ItemCommandKind::Restock.into(),
            Self::Item(ItemCommand::Query(_)) => ItemCommandKind::Query.into(),
            Self::Item(ItemCommand::List(_)) => ItemCommandKind::List.into(),
            Self::Item(ItemCommand::Catalog(_)) => ItemCommandKind::Catalog.into(),
            Self::Item(ItemCommand::Replay(_)) => ItemCommandKind::Replay.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(json: &str) -> Result<Command, Invalid> {
        Command::from_json(CommandKind::Order(OrderCommandKind::Place), json.as_bytes())
    }

    #[test]
    fn the_originals_request_works_as_it_stands() {
        let expected = Place {
            item_id: ItemId::new("10").unwrap(),
            qty: 5,
            customer: None,
            order_id: None,
            unit_price: None,
        };
        assert_eq!(
            place(r#"{"productId":"10","qty":"5"}"#),
            Ok(OrderCommand::Place(expected.clone()).into())
        );
        assert_eq!(
            place(r#"{"item_id":10,"qty":5,"colour":"red"}"#),
            Ok(OrderCommand::Place(expected).into())
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        let table = [
            ("", "order.place: the message is not JSON: EOF while parsing a value at line 1 column 0"),
            ("{} x", "order.place: the message is not JSON: trailing characters at line 1 column 4"),
            ("[]", "order.place: the message must be a JSON object like {\"item_id\":\"10\"}"),
            ("{}", "order.place: it needs a 'item_id'"),
            (r#"{"item_id":[1]}"#, "order.place: 'item_id' must be a text"),
            (r#"{"item_id":""}"#, "order.place: 'item_id' must have 1 to 64 characters"),
            (
                r#"{"item_id":"10","qty":0}"#,
                "order.place: 'qty' must be a whole number from 1 to 1000, not 0",
            ),
            (
                r#"{"item_id":"10","qty":1.5}"#,
                "order.place: 'qty' must be a whole number from 1 to 1000, not 1.5",
            ),
            (
                r#"{"item_id":"10","order_id":"a b"}"#,
                "order.place: 'order_id' may only contain A-Z, a-z, 0-9, '_' and '-'",
            ),
            (
                r#"{"item_id":"10","unit_price":-1}"#,
                "order.place: 'unit_price' must be a whole number from 0 to 1000000000000, not -1",
            ),
        ];
        for (json, sentence) in table {
            assert_eq!(place(json).unwrap_err().to_string(), sentence, "for {json}");
        }
    }

    #[test]
    fn a_query_needs_an_order_or_a_customer() {
        let query = |json: &str| DepositCommand::from_json(DepositCommandKind::Query, json.as_bytes());
        assert_eq!(
            query(r#"{"order_id":"a"}"#),
            Ok(DepositCommand::QueryPayment(OrderId::new("a").unwrap()))
        );
        assert_eq!(
            query(r#"{"customer":"kim"}"#),
            Ok(DepositCommand::QueryAccount(Customer::new("kim").unwrap()))
        );
        assert_eq!(
            query("{}").unwrap_err().to_string(),
            "deposit.query: it needs a 'order_id' or a 'customer'"
        );
    }

    #[test]
    fn an_oversized_command_is_refused_before_it_is_parsed() {
        let body = vec![b' '; MAX_COMMAND_BYTES + 1];
        let error = OrderCommand::from_json(OrderCommandKind::Place, &body).unwrap_err();
        assert!(error.to_string().contains("at most 65536"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            for kind in CommandKind::all() {
                let _ = Command::from_json(kind, &body);
            }
        }
    }
}
