//! Commands as JSON: how each is read, and beside it how it is written.

use serde_json::json;

use super::fields::Fields;
use super::invalid::{Invalid, Problem};
use super::{
    Command, DepositCommand, DepositCommandKind, ItemCommand, ItemCommandKind, ListItem, MAX_ITEM_NAME_CHARS,
    MAX_STOCK, OrderCommand, OrderCommandKind, Place, Replay, Restock, ServiceCommand, Settle, TopUp,
};
use crate::ids::{BadId, Customer, ItemId, OrderId, RequestId, names};
use crate::objects::MAX_QTY;

impl Command {
    /// Its body, as [`Command::from_json`] reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let body = match self {
            Self::Order(OrderCommand::Place(place)) => json!(place),
            Self::Order(OrderCommand::Settle(settle)) => json!(settle),
            Self::Deposit(DepositCommand::TopUp(top_up)) => json!(top_up),
            Self::Item(ItemCommand::Restock(restock)) => json!(restock),
            Self::Item(ItemCommand::List(listing)) => json!(listing),
            Self::Order(OrderCommand::Cancel(order_id) | OrderCommand::Query(order_id))
            | Self::Deposit(DepositCommand::QueryPayment(order_id)) => json!({ "order_id": order_id }),
            Self::Deposit(DepositCommand::QueryAccount(customer)) => json!({ "customer": customer }),
            Self::Item(ItemCommand::Query(item_id)) => json!({ "item_id": item_id }),
            Self::Item(ItemCommand::Catalog(None)) => json!({}),
            Self::Item(ItemCommand::Catalog(Some(after))) => json!({ "after": after }),
            Self::Order(OrderCommand::Replay(replay))
            | Self::Deposit(DepositCommand::Replay(replay))
            | Self::Item(ItemCommand::Replay(replay)) => json!(replay),
        };
        body.to_string()
    }
}

/// The item's name, and that of the system which this one derives from.
const ITEM: [&str; 2] = ["item_id", "productId"];

impl ServiceCommand for OrderCommand {
    type Kind = OrderCommandKind;
    const SERVICE: &'static str = "Order";

    fn from_json(kind: OrderCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(kind.into(), body)?;
        Ok(match kind {
            OrderCommandKind::Place => Self::Place(Place::read(&fields)?),
            OrderCommandKind::Cancel => Self::Cancel(fields.required(&["order_id"], OrderId::new)?),
            OrderCommandKind::Query => Self::Query(fields.required(&["order_id"], OrderId::new)?),
            OrderCommandKind::Settle => Self::Settle(Settle::read(&fields)?),
            OrderCommandKind::Replay => Self::Replay(Replay::read(&fields)?),
        })
    }
}

impl ServiceCommand for DepositCommand {
    type Kind = DepositCommandKind;
    const SERVICE: &'static str = "Deposit";

    fn from_json(kind: DepositCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(kind.into(), body)?;
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

impl ServiceCommand for ItemCommand {
    type Kind = ItemCommandKind;
    const SERVICE: &'static str = "Item";

    fn from_json(kind: ItemCommandKind, body: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::read(kind.into(), body)?;
        Ok(match kind {
            ItemCommandKind::Restock => Self::Restock(Restock::read(&fields)?),
            ItemCommandKind::Query => Self::Query(fields.required(&ITEM, ItemId::to_look_up)?),
            ItemCommandKind::List => Self::List(ListItem::read(&fields)?),
            ItemCommandKind::Catalog => Self::Catalog(fields.optional(&["after"], ItemId::to_look_up)?),
            ItemCommandKind::Replay => Self::Replay(Replay::read(&fields)?),
        })
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
}

impl Settle {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            order_id: fields.required(&["order_id"], OrderId::new)?,
            customer: fields.optional(&["customer"], Customer::to_look_up)?,
            item_id: fields.optional(&ITEM, ItemId::to_look_up)?,
        })
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
}

impl Restock {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        Ok(Self {
            item_id: fields.required(&ITEM, ItemId::new)?,
            qty: fields.number("qty", 1, MAX_STOCK)?.ok_or_else(|| fields.missing("qty"))?,
            restock_id: fields.optional(&["restock_id"], RequestId::new)?,
        })
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
}

impl Replay {
    fn read(fields: &Fields<'_>) -> Result<Self, Invalid> {
        let seq = |name| {
            let seq = fields.number(name, 0, i64::MAX as u64)?;
            Ok(seq.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX)))
        };
        Ok(Self { from_seq: seq("from_seq")?.unwrap_or(0), to_seq: seq("to_seq")? })
    }
}

/// A name for people: no identity, so the two selectors that tell how the emoji before them is drawn may stay.
fn item_name(text: &str) -> Result<String, BadId> {
    let name = names::name(text, MAX_ITEM_NAME_CHARS, |c| matches!(c, '\u{fe0e}' | '\u{fe0f}'))?;
    Ok(name.into_owned())
}
