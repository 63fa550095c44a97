//! Orders and their payments.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::json;
use skstore_domain::commands::{OrderCommand, OrderCommandKind, ServiceCommand as _};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::OrderStatus;
use skstore_domain::time::Timestamp;

use super::page;
use crate::desk::{Desk, Shown};
use crate::gateway::access::Right;
use crate::gateway::operation::{Method, Operation};
use crate::gateway::problem::Problem;
use crate::gateway::request::{Asked, Behind, Done, Name, done, named, one_id, said};
use crate::view::{Cursor, OrderFilter};

/// By what pages of orders are asked for.
pub(super) const FILTERS: &[&str] =
    &["status", "by_customer", "by_item", "prefix", "text", "before", "limit"];

pub(super) fn operations() -> Vec<Operation> {
    let list = ("listOrders", "A page of orders, newest first");
    let show =
        ("showOrder", "An order with its payment and its timeline; as Order itself has it, if that is asked");
    vec![
        Operation::act(
            Method::Post,
            "/orders",
            Right::Order,
            ("placeOrder", "Place an order and wait for its payment"),
            place,
        )
        .takes(&["idempotency_key"])
        .takes_body("Place")
        .answers(&[(201, "Order")])
        .may_refuse(&[402, 404, 409, 500, 502, 504]),
        Operation::get("/orders", list, orders).takes(FILTERS).answers(&[(200, "Orders")]),
        Operation::get("/orders/{id}", show, order)
            .takes(&["ask"])
            .answers(&[(200, "OrderAnswer")])
            .may_refuse(&[404, 500, 502, 504]),
        Operation::act(
            Method::Delete,
            "/orders/{id}",
            Right::Order,
            ("deleteOrder", "Cancel an order"),
            cancel,
        )
        .answers(&[(200, "Order")])
        .may_refuse(&[404, 409, 500, 502, 504]),
        Operation::act(
            Method::Post,
            "/orders/{id}/cancel",
            Right::Order,
            ("cancelOrder", "Cancel an order"),
            cancel,
        )
        .answers(&[(200, "Order")])
        .may_refuse(&[404, 409, 500, 502, 504]),
        Operation::get(
            "/deposits/{id}",
            ("showPayment", "The payment of an order, as Deposit has it"),
            payment,
        )
        .answers(&[(200, "PaymentAnswer")])
        .may_refuse(&[404, 500, 502, 504]),
    ]
}

async fn place(State(Behind { desk, .. }): State<Behind>, headers: HeaderMap, body: Bytes) -> Done {
    let mut place = match OrderCommand::from_json(OrderCommandKind::Place, &body) {
        Ok(OrderCommand::Place(place)) => place,
        Ok(_) => return Err(Problem::invalid("it is no order")),
        Err(invalid) => return Err(Problem::invalid(invalid.to_string())),
    };
    let order_id = one_id(&headers, place.order_id.take(), OrderId::new)?.unwrap_or_else(|| desk.order_id());
    place.order_id = Some(order_id.clone());
    let mut response = done(desk.place(&place).await?, StatusCode::CREATED)?;
    // Ids are of letters that a path and a header take as they are.
    if let Ok(location) = HeaderValue::try_from(format!("/orders/{order_id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn cancel(State(Behind { desk, .. }): State<Behind>, id: Name) -> Done {
    done(desk.cancel(&id.checked(OrderId::new)?).await?, StatusCode::OK)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[serde(default)]
    ask: bool,
}

async fn order(State(Behind { desk, .. }): State<Behind>, id: Name, Asked(asked): Asked<Ask>) -> Done {
    let id = id.checked(OrderId::new)?;
    if asked.ask {
        return done(desk.order(&id).await?, StatusCode::OK);
    }
    in_the_view(&desk, &id).await
}

/// The order as the view has it.
pub(super) async fn shown(State(Behind { desk, .. }): State<Behind>, id: Name) -> Done {
    in_the_view(&desk, &id.checked(OrderId::new)?).await
}

async fn in_the_view(desk: &Desk, id: &OrderId) -> Done {
    let shown = match desk.shown(id).await? {
        Shown::Order(shown) => shown,
        Shown::NotYet => {
            let detail =
                format!("the view does not show the order {id} yet, which Order has: ask with ?ask=true");
            return Err(Problem::not_found(detail));
        }
        Shown::Unknown(error) => return Err(error.into()),
        Shown::Nowhere => return Err(Problem::not_found(format!("there is no order {id}"))),
    };
    let (order, payment) = (shown.row.order, shown.row.payment);
    Ok(said(&json!({ "order": order, "payment": payment, "timeline": shown.timeline })))
}

async fn payment(State(Behind { desk, .. }): State<Behind>, id: Name) -> Done {
    done(desk.payment(&id.checked(OrderId::new)?).await?, StatusCode::OK)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    status: Option<OrderStatus>,
    customer: Option<String>,
    item: Option<String>,
    /// What the id begins with.
    prefix: Option<String>,
    /// What the id, the customer, the item, its name or the reason contains, in any case: of the newest orders alone.
    text: Option<String>,
    /// Where the page starts: `next` of the one before.
    before: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn orders(
    State(Behind { desk, .. }): State<Behind>,
    uri: Uri,
    Asked(asked): Asked<Page>,
) -> Done {
    let filter = OrderFilter {
        status: asked.status,
        customer: asked.customer.as_deref().map(|name| named(name, Customer::to_look_up)).transpose()?,
        item_id: asked.item.as_deref().map(|name| named(name, ItemId::to_look_up)).transpose()?,
        id_prefix: asked
            .prefix
            .as_deref()
            .map(|id| named(id, OrderId::new))
            .transpose()?
            .map(|id| id.to_string()),
        text: asked.text.filter(|text| !text.is_empty()),
        ..OrderFilter::default()
    };
    let before = asked.before.as_deref().map(cursor).transpose()?;
    let found = desk.view().orders(&filter, before.as_ref(), page::rows(asked.limit)?).await?;
    let next = found.next.map(|next| format!("{}.{}", next.placed_at.0, next.order_id));
    // Where no index did it alone, it was not looked at all of them: what follows `next` may have more, also of none here.
    let page = json!({ "orders": found.rows, "next": next, "scanned": found.scanned });
    Ok(page::answer(&page, &uri, "before", next.as_deref()))
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, OrderId::new(id).ok()?)));
    parts
        .map(|(at, order_id)| Cursor { placed_at: Timestamp(at), order_id })
        .ok_or_else(|| Problem::invalid("'before' must be what 'next' was on the page before"))
}
