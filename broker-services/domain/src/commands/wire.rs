//! Commands as JSON: how each is read, and beside it how it is written.

use serde::Serialize;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::invalid::{Invalid, Problem};
use super::{
    CommandKind, DepositCommand, DepositCommandKind, ItemCommand, ItemCommandKind, ListItem,
    MAX_ITEM_NAME_CHARS, MAX_STOCK, OrderCommand, OrderCommandKind, Place, Replay, Restock, ServiceCommand,
    TopUp,
};
use crate::ids::{BadId, Customer, ItemId, OrderId, RequestId, names};
use crate::objects::MAX_QTY;

/// The item's name, and that of the system which this one derives from.
const ITEM: [&str; 2] = ["item_id", "productId"];

impl ServiceCommand for OrderCommand {
    type Kind = OrderCommandKind;
    const SERVICE: &'static str = "Order";

    fn kind_of(kind: CommandKind) -> Option<OrderCommandKind> {
        match kind {
            CommandKind::Order(kind) => Some(kind),
            CommandKind::Deposit(_) | CommandKind::Item(_) => None,
        }
    }

    fn from_json(kind: OrderCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(CommandKind::Order(kind), body)?;
        Ok(match kind {
            OrderCommandKind::Place => Self::Place(Place::read(&fields)?),
            OrderCommandKind::Cancel => Self::Cancel(fields.required(&["order_id"], OrderId::new)?),
            OrderCommandKind::Query => Self::Query(fields.required(&["order_id"], OrderId::new)?),
            OrderCommandKind::Replay => Self::Replay(Replay::read(&fields)?),
        })
    }
}

impl OrderCommand {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OrderCommandKind {
        match self {
            Self::Place(_) => OrderCommandKind::Place,
            Self::Cancel(_) => OrderCommandKind::Cancel,
            Self::Query(_) => OrderCommandKind::Query,
            Self::Replay(_) => OrderCommandKind::Replay,
        }
    }

    pub(super) fn to_json(&self) -> String {
        let members = Members::default();
        match self {
            Self::Place(place) => place.write(members),
            Self::Cancel(order_id) | Self::Query(order_id) => members.with("order_id", order_id),
            Self::Replay(replay) => replay.write(members),
        }
        .into_json()
    }
}

impl ServiceCommand for DepositCommand {
    type Kind = DepositCommandKind;
    const SERVICE: &'static str = "Deposit";

    fn kind_of(kind: CommandKind) -> Option<DepositCommandKind> {
        match kind {
            CommandKind::Deposit(kind) => Some(kind),
            CommandKind::Order(_) | CommandKind::Item(_) => None,
        }
    }

    fn from_json(kind: DepositCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(CommandKind::Deposit(kind), body)?;
        Ok(match kind {
            DepositCommandKind::TopUp => Self::TopUp(TopUp::read(&fields)?),
            DepositCommandKind::Query => match fields.optional(&["order_id"], OrderId::new)? {
                Some(order_id) => Self::QueryPayment(order_id),
                None => Self::QueryAccount(
                    fields
                        .optional(&["customer"], Customer::to_look_up)?
                        .ok_or_else(|| fields.invalid(Problem::MissingBoth(["order_id", "customer"])))?,
                ),
            },
            DepositCommandKind::Replay => Self::Replay(Replay::read(&fields)?),
        })
    }
}

impl DepositCommand {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> DepositCommandKind {
        match self {
            Self::TopUp(_) => DepositCommandKind::TopUp,
            Self::QueryPayment(_) | Self::QueryAccount(_) => DepositCommandKind::Query,
            Self::Replay(_) => DepositCommandKind::Replay,
        }
    }

    pub(super) fn to_json(&self) -> String {
        let members = Members::default();
        match self {
            Self::TopUp(top_up) => top_up.write(members),
            Self::QueryPayment(order_id) => members.with("order_id", order_id),
            Self::QueryAccount(customer) => members.with("customer", customer),
            Self::Replay(replay) => replay.write(members),
        }
        .into_json()
    }
}

impl ServiceCommand for ItemCommand {
    type Kind = ItemCommandKind;
    const SERVICE: &'static str = "Item";

    fn kind_of(kind: CommandKind) -> Option<ItemCommandKind> {
        match kind {
            CommandKind::Item(kind) => Some(kind),
            CommandKind::Order(_) | CommandKind::Deposit(_) => None,
        }
    }

    fn from_json(kind: ItemCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(CommandKind::Item(kind), body)?;
        Ok(match kind {
            ItemCommandKind::Restock => Self::Restock(Restock::read(&fields)?),
            ItemCommandKind::Query => Self::Query(fields.required(&ITEM, ItemId::to_look_up)?),
            ItemCommandKind::List => Self::List(ListItem::read(&fields)?),
            ItemCommandKind::Replay => Self::Replay(Replay::read(&fields)?),
        })
    }
}

impl ItemCommand {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ItemCommandKind {
        match self {
            Self::Restock(_) => ItemCommandKind::Restock,
            Self::Query(_) => ItemCommandKind::Query,
            Self::List(_) => ItemCommandKind::List,
            Self::Replay(_) => ItemCommandKind::Replay,
        }
    }

    pub(super) fn to_json(&self) -> String {
        let members = Members::default();
        match self {
            Self::Restock(restock) => restock.write(members),
            Self::Query(item_id) => members.with(ITEM[0], item_id),
            Self::List(listing) => listing.write(members),
            Self::Replay(replay) => replay.write(members),
        }
        .into_json()
    }
}

impl Place {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let qty = fields.number("qty", 1, u64::from(MAX_QTY))?;
        Ok(Self {
            item_id: fields.required(&ITEM, ItemId::new)?,
            qty: qty.map_or(1, |qty| u32::try_from(qty).unwrap_or(MAX_QTY)),
            customer: fields.optional(&["customer"], Customer::new)?,
            order_id: fields.optional(&["order_id"], OrderId::new)?,
            unit_price: fields.amount("unit_price", 0)?,
        })
    }

    fn write(&self, members: Members) -> Members {
        members
            .with(ITEM[0], &self.item_id)
            .with("qty", self.qty)
            .with_some("customer", self.customer.as_ref())
            .with_some("order_id", self.order_id.as_ref())
            .with_some("unit_price", self.unit_price)
    }
}

impl TopUp {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            customer: fields.required(&["customer"], Customer::new)?,
            amount: fields.amount("amount", 1)?.ok_or_else(|| fields.missing("amount"))?,
            topup_id: fields.optional(&["topup_id"], RequestId::new)?,
        })
    }

    fn write(&self, members: Members) -> Members {
        members
            .with("customer", &self.customer)
            .with("amount", self.amount)
            .with_some("topup_id", self.topup_id.as_ref())
    }
}

impl Restock {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            item_id: fields.required(&ITEM, ItemId::new)?,
            qty: fields.number("qty", 1, MAX_STOCK)?.ok_or_else(|| fields.missing("qty"))?,
            restock_id: fields.optional(&["restock_id"], RequestId::new)?,
        })
    }

    fn write(&self, members: Members) -> Members {
        members
            .with(ITEM[0], &self.item_id)
            .with("qty", self.qty)
            .with_some("restock_id", self.restock_id.as_ref())
    }
}

impl ListItem {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            item_id: fields.required(&ITEM, ItemId::new)?,
            name: fields.required(&["name"], item_name)?,
            name_en: fields.optional(&["name_en"], item_name)?,
            unit_price: fields.amount("unit_price", 0)?.ok_or_else(|| fields.missing("unit_price"))?,
        })
    }

    fn write(&self, members: Members) -> Members {
        members
            .with(ITEM[0], &self.item_id)
            .with("name", &self.name)
            .with_some("name_en", self.name_en.as_ref())
            .with("unit_price", self.unit_price)
    }
}

impl Replay {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let from = fields.number("from_seq", 0, i64::MAX as u64)?.unwrap_or(0);
        Ok(Self { from_seq: i64::try_from(from).unwrap_or(i64::MAX) })
    }

    fn write(self, members: Members) -> Members {
        members.with("from_seq", self.from_seq)
    }
}

/// A name for people: no identity, so the two selectors that tell how the emoji before them is drawn may stay.
fn item_name(text: &str) -> Result<String, BadId> {
    let name = names::name(text, MAX_ITEM_NAME_CHARS, |c| matches!(c, '\u{fe0e}' | '\u{fe0f}'))?;
    Ok(name.into_owned())
}

/// The members of a command's object, as they are written.
#[derive(Default)]
struct Members(Map<String, Value>);

impl Members {
    fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.0.insert(name.to_owned(), serde_json::json!(value));
        self
    }

    fn with_some(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn into_json(self) -> String {
        Value::Object(self.0).to_string()
    }
}
