//! What someone asks for, read leniently and checked once: plain JSON that a person can type.

use crate::ids::{BadId, Customer, ItemId, OrderId, RequestId, names};
use crate::money::Won;
use crate::objects::{MAX_QTY, words};

mod fields;

use fields::Fields;

/// The largest command, in bytes: 64 KiB, far beyond any that makes sense.
pub const MAX_COMMAND_BYTES: usize = 64 * 1024;

/// Longest name of an item, in characters.
pub const MAX_ITEM_NAME_CHARS: usize = 100;

/// Most units that one restock adds, and that a stock holds: beyond any warehouse, far from overflow.
pub const MAX_STOCK: u64 = 1_000_000_000_000;

words! {
    /// Every command there is. The word is its routing key on `skstore.commands`.
    CommandKind {
        /// Order something and pay for it.
        OrderPlace = "order.place",
        /// Take an order back.
        OrderCancel = "order.cancel",
        /// The order as Order tells it.
        OrderQuery = "order.query",
        /// Part of Order's event log.
        OrderReplay = "order.replay",
        /// Put money into an account, opening it if need be.
        DepositTopUp = "deposit.topup",
        /// A payment or an account as Deposit tells it.
        DepositQuery = "deposit.query",
        /// Part of Deposit's event log.
        DepositReplay = "deposit.replay",
        /// Add to an item's stock.
        ItemRestock = "item.restock",
        /// An item as Item tells it.
        ItemQuery = "item.query",
        /// Name and price an item, listing it if need be.
        ItemList = "item.list",
        /// Part of Item's event log.
        ItemReplay = "item.replay",
    }
}

/// A command, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `order.place`
    Place(Place),
    /// `order.cancel`
    Cancel(OrderId),
    /// `order.query`
    QueryOrder(OrderId),
    /// `deposit.topup`
    TopUp(TopUp),
    /// `deposit.query` with an `order_id`
    QueryPayment(OrderId),
    /// `deposit.query` with a `customer`
    QueryAccount(Customer),
    /// `item.restock`
    Restock(Restock),
    /// `item.query`
    QueryItem(ItemId),
    /// `item.list`
    ListItem(ListItem),
    /// `*.replay`
    Replay {
        /// The first entry wanted.
        from_seq: i64,
    },
}

/// Order something. Everything but the item is optional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What.
    pub item_id: ItemId,
    /// Units, 1 to [`MAX_QTY`].
    pub qty: u32,
    /// Whose account pays; the walk-in account if absent.
    pub customer: Option<Customer>,
    /// The idempotency key.
    pub order_id: Option<OrderId>,
    /// The price the caller saw.
    pub unit_price: Option<Won>,
}

/// Put money into an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Whose.
    pub customer: Customer,
    /// How much, above zero.
    pub amount: Won,
    /// The idempotency key.
    pub topup_id: Option<RequestId>,
}

/// Add to an item's stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restock {
    /// Which item.
    pub item_id: ItemId,
    /// Units, 1 to [`MAX_STOCK`].
    pub qty: u64,
    /// The idempotency key.
    pub restock_id: Option<RequestId>,
}

/// Name and price an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// Which.
    pub item_id: ItemId,
    /// Its name, 1 to [`MAX_ITEM_NAME_CHARS`] characters.
    pub name: String,
    /// Its name in English, if it has one.
    pub name_en: Option<String>,
    /// Price of a unit, zero or more.
    pub unit_price: Won,
}

/// What is wrong with a command: a sentence that says what to fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Command {
    /// Reads the body of a command of `kind`.
    ///
    /// Numbers may be strings, `productId` is another name for `item_id`, unknown fields are ignored. No member may
    /// stand there twice, and a number is taken as it is written: it never passes through a float.
    ///
    /// # Errors
    /// [`Invalid`] names the field and says what it must be.
    pub fn from_json(kind: CommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(kind, body)?;
        Ok(match kind {
            CommandKind::OrderPlace => Self::Place(Place {
                item_id: fields.required(&["item_id", "productId"], ItemId::new)?,
                qty: fields
                    .number("qty", 1, u64::from(MAX_QTY))?
                    .map_or(1, |qty| u32::try_from(qty).unwrap_or(MAX_QTY)),
                customer: fields.optional(&["customer"], Customer::new)?,
                order_id: fields.optional(&["order_id"], OrderId::new)?,
                unit_price: fields.amount("unit_price", 0)?,
            }),
            CommandKind::OrderCancel => Self::Cancel(fields.required(&["order_id"], OrderId::new)?),
            CommandKind::OrderQuery => Self::QueryOrder(fields.required(&["order_id"], OrderId::new)?),
            CommandKind::DepositTopUp => Self::TopUp(TopUp {
                customer: fields.required(&["customer"], Customer::new)?,
                amount: fields.amount("amount", 1)?.ok_or_else(|| fields.missing("amount"))?,
                topup_id: fields.optional(&["topup_id"], RequestId::new)?,
            }),
            CommandKind::DepositQuery => match fields.optional(&["order_id"], OrderId::new)? {
                Some(order_id) => Self::QueryPayment(order_id),
                None => Self::QueryAccount(
                    fields
                        .optional(&["customer"], Customer::to_look_up)?
                        .ok_or_else(|| fields.missing("order_id' or a 'customer"))?,
                ),
            },
            CommandKind::ItemRestock => Self::Restock(Restock {
                item_id: fields.required(&["item_id", "productId"], ItemId::new)?,
                qty: fields.number("qty", 1, MAX_STOCK)?.ok_or_else(|| fields.missing("qty"))?,
                restock_id: fields.optional(&["restock_id"], RequestId::new)?,
            }),
            CommandKind::ItemQuery => {
                Self::QueryItem(fields.required(&["item_id", "productId"], ItemId::to_look_up)?)
            }
            CommandKind::ItemList => Self::ListItem(ListItem {
                item_id: fields.required(&["item_id", "productId"], ItemId::new)?,
                name: fields.required(&["name"], item_name)?,
                name_en: fields.optional(&["name_en"], item_name)?,
                unit_price: fields.amount("unit_price", 0)?.ok_or_else(|| fields.missing("unit_price"))?,
            }),
            CommandKind::OrderReplay | CommandKind::DepositReplay | CommandKind::ItemReplay => {
                let from = fields.number("from_seq", 0, i64::MAX as u64)?.unwrap_or(0);
                Self::Replay { from_seq: i64::try_from(from).unwrap_or(i64::MAX) }
            }
        })
    }
}

/// A name for people: no identity, so the two selectors that tell how the emoji before them is drawn may stay.
fn item_name(text: &str) -> Result<String, BadId> {
    let name = names::name(text, MAX_ITEM_NAME_CHARS, |c| matches!(c, '\u{fe0e}' | '\u{fe0f}'))?;
    Ok(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(json: &str) -> Result<Command, Invalid> {
        Command::from_json(CommandKind::OrderPlace, json.as_bytes())
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
        assert_eq!(place(r#"{"productId":"10","qty":"5"}"#), Ok(Command::Place(expected.clone())));
        assert_eq!(place(r#"{"item_id":10,"qty":5,"colour":"red"}"#), Ok(Command::Place(expected)));
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
        let query = |json: &str| Command::from_json(CommandKind::DepositQuery, json.as_bytes());
        assert_eq!(query(r#"{"order_id":"a"}"#), Ok(Command::QueryPayment(OrderId::new("a").unwrap())));
        assert_eq!(query(r#"{"customer":"kim"}"#), Ok(Command::QueryAccount(Customer::new("kim").unwrap())));
        assert_eq!(
            query("{}").unwrap_err().to_string(),
            "deposit.query: it needs a 'order_id' or a 'customer'"
        );
    }

    #[test]
    fn an_oversized_command_is_refused_before_it_is_parsed() {
        let body = vec![b' '; MAX_COMMAND_BYTES + 1];
        let error = Command::from_json(CommandKind::OrderPlace, &body).unwrap_err();
        assert!(error.to_string().contains("at most 65536"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, kind in 0..CommandKind::ALL.len()) {
            let _ = Command::from_json(CommandKind::ALL[kind], &body);
        }
    }
}
