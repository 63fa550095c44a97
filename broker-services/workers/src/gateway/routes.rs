//! Which request is which command or read.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::{Deserialize, Serialize};
use serde_json::json;
use skstore_domain::answers::Answer;
use skstore_domain::commands::{
    DepositCommand, DepositCommandKind, ItemCommand, ItemCommandKind, MAX_COMMAND_BYTES, OrderCommand,
    OrderCommandKind, ServiceCommand as _,
};
use skstore_domain::ids::{BadId, Customer, ItemId, OrderId, RequestId};
use skstore_domain::json;
use skstore_domain::objects::OrderStatus;
use skstore_domain::time::Timestamp;
use tokio::time::timeout;

use super::guard;
use super::problem::Problem;
use crate::desk::Desk;
use crate::view::{Cursor, OrderFilter};

/// How long a body may take: 64 KiB over the slowest line that there is.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Rows of a page, if it is not said.
const USUAL_ROWS: usize = 50;
/// Most rows of a page: what a view reads in some milliseconds.
const MAX_ROWS: usize = 200;
/// Another name for what the command's own id is.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

type Done = Result<Response, Problem>;

/// All routes, for `desk`.
pub(super) fn of(desk: Desk) -> Router {
    Router::new()
        .route("/orders", get(orders).post(place))
        .route("/orders/{id}", get(order).delete(cancel))
        .route("/orders/{id}/cancel", post(cancel))
        .route("/deposits/{id}", get(payment))
        .route("/accounts", get(accounts))
        .route("/accounts/{customer}", get(account))
        .route("/accounts/{customer}/topups", post(top_up))
        .route("/products", get(items))
        .route("/products/{id}", get(item))
        .route("/products/{id}/restocks", post(restock))
        .fallback(async || Problem::not_found("there is no such path"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path takes other methods",
            )
        })
        .layer(middleware::from_fn(guard::only_from_here))
        .with_state(desk)
}

async fn place(State(desk): State<Desk>, headers: HeaderMap, body: Body) -> Done {
    let body = read(&headers, body).await?;
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

async fn cancel(State(desk): State<Desk>, Path(id): Path<String>) -> Done {
    done(desk.cancel(&named(&id, OrderId::new)?).await?, StatusCode::OK)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    ask: bool,
}

async fn order(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Done {
    let id = named(&id, OrderId::new)?;
    if query(asked)?.ask {
        return done(desk.order(&id).await?, StatusCode::OK);
    }
    let shown = desk.view().order(&id).await?;
    let shown = shown.ok_or_else(|| Problem::not_found(format!("there is no order {id} in the view")))?;
    let (order, payment) = (shown.row.order, shown.row.payment);
    Ok(said(&json!({ "order": order, "payment": payment, "timeline": shown.timeline })))
}

async fn payment(State(desk): State<Desk>, Path(id): Path<String>) -> Done {
    done(desk.payment(&named(&id, OrderId::new)?).await?, StatusCode::OK)
}

async fn account(State(desk): State<Desk>, Path(customer): Path<String>) -> Done {
    done(desk.account(&named(&customer, Customer::to_look_up)?).await?, StatusCode::OK)
}

async fn item(State(desk): State<Desk>, Path(id): Path<String>) -> Done {
    done(desk.item(&named(&id, ItemId::to_look_up)?).await?, StatusCode::OK)
}

async fn top_up(
    State(desk): State<Desk>,
    Path(customer): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Done {
    let body = with_member("customer", &customer, &read(&headers, body).await?);
    let mut top_up = match DepositCommand::from_json(DepositCommandKind::TopUp, &body) {
        Ok(DepositCommand::TopUp(top_up)) => top_up,
        Ok(_) => return Err(Problem::invalid("it is no top-up")),
        Err(invalid) => return Err(Problem::invalid(invalid.to_string())),
    };
    let id = one_id(&headers, top_up.topup_id.take(), RequestId::new)?;
    top_up.topup_id = Some(id.unwrap_or_else(|| desk.request_id()));
    done(desk.top_up(&top_up).await?, StatusCode::OK)
}

async fn restock(State(desk): State<Desk>, Path(id): Path<String>, headers: HeaderMap, body: Body) -> Done {
    let body = with_member("item_id", &id, &read(&headers, body).await?);
    let mut restock = match ItemCommand::from_json(ItemCommandKind::Restock, &body) {
        Ok(ItemCommand::Restock(restock)) => restock,
        Ok(_) => return Err(Problem::invalid("it is no restock")),
        Err(invalid) => return Err(Problem::invalid(invalid.to_string())),
    };
    let id = one_id(&headers, restock.restock_id.take(), RequestId::new)?;
    restock.restock_id = Some(id.unwrap_or_else(|| desk.request_id()));
    done(desk.restock(&restock).await?, StatusCode::OK)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    status: Option<OrderStatus>,
    customer: Option<String>,
    item: Option<String>,
    /// Where the page starts: `next` of the one before.
    before: Option<String>,
    limit: Option<usize>,
}

async fn orders(
    State(desk): State<Desk>,
    asked: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Done {
    let asked = query(asked)?;
    let filter = OrderFilter {
        status: asked.status,
        customer: asked.customer.as_deref().map(|name| named(name, Customer::to_look_up)).transpose()?,
        item_id: asked.item.as_deref().map(|name| named(name, ItemId::to_look_up)).transpose()?,
        ..OrderFilter::default()
    };
    let before = asked.before.as_deref().map(cursor).transpose()?;
    let page = desk.view().orders(&filter, before.as_ref(), rows(asked.limit)?).await?;
    let next = page.next.map(|next| format!("{}.{}", next.placed_at.0, next.order_id));
    Ok(said(&json!({ "orders": page.rows, "next": next })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    after: Option<String>,
    limit: Option<usize>,
}

async fn accounts(
    State(desk): State<Desk>,
    asked: Result<Query<List>, axum::extract::rejection::QueryRejection>,
) -> Done {
    let List { after, limit } = query(asked)?;
    let after = after.as_deref().map(|name| named(name, Customer::to_look_up)).transpose()?;
    Ok(said(&json!({ "accounts": desk.view().accounts(after.as_ref(), rows(limit)?).await? })))
}

async fn items(
    State(desk): State<Desk>,
    asked: Result<Query<List>, axum::extract::rejection::QueryRejection>,
) -> Done {
    let List { after, limit } = query(asked)?;
    let after = after.as_deref().map(|name| named(name, ItemId::to_look_up)).transpose()?;
    Ok(said(&json!({ "products": desk.view().items(after.as_ref(), rows(limit)?).await? })))
}

/// The parameters behind the `?`.
fn query<T>(asked: Result<Query<T>, axum::extract::rejection::QueryRejection>) -> Result<T, Problem> {
    asked.map(|Query(asked)| asked).map_err(|wrong| Problem::invalid(wrong.body_text()))
}

fn rows(limit: Option<usize>) -> Result<usize, Problem> {
    match limit.unwrap_or(USUAL_ROWS) {
        rows @ 1..=MAX_ROWS => Ok(rows),
        _ => Err(Problem::invalid(format!("'limit' must be 1 to {MAX_ROWS}"))),
    }
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, OrderId::new(id).ok()?)));
    parts
        .map(|(at, order_id)| Cursor { placed_at: Timestamp(at), order_id })
        .ok_or_else(|| Problem::invalid("'before' must be what 'next' was on the page before"))
}

fn named<T>(text: &str, check: fn(&str) -> Result<T, BadId>) -> Result<T, Problem> {
    check(text).map_err(|why| Problem::invalid(format!("the name in the address {why}")))
}

/// The body of a request, which has to be JSON: a page in a browser cannot send that without asking first.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "the header Content-Type must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail));
    }
    match timeout(BODY_WITHIN, to_bytes(body, MAX_COMMAND_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("the body cannot be read; it may have {MAX_COMMAND_BYTES} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
        }
        Err(_) => {
            let detail = format!("the body did not come within {} s", BODY_WITHIN.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
        }
    }
}

/// The object `body` with what the address names as its first member. A number in it stays the digits that it is
/// written with, and the same member in the body is noticed, since it then stands there twice.
fn with_member(name: &str, value: &str, body: &[u8]) -> Vec<u8> {
    let Some(rest) = body.trim_ascii_start().strip_prefix(b"{") else { return body.to_vec() };
    let comma = if rest.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    let mut whole = format!("{{\"{name}\":{}{comma}", json!(value)).into_bytes();
    whole.extend_from_slice(rest);
    whole
}

/// The id that the header, the body or both give.
fn one_id<T: PartialEq>(
    headers: &HeaderMap,
    in_body: Option<T>,
    check: fn(&str) -> Result<T, BadId>,
) -> Result<Option<T>, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(in_body) };
    if keys.next().is_some() {
        return Err(Problem::invalid("the header Idempotency-Key stands there twice"));
    }
    let text = key.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let id = check(bare).map_err(|why| Problem::invalid(format!("the header Idempotency-Key {why}")))?;
    match in_body {
        Some(other) if other != id => Err(Problem::invalid("Idempotency-Key and the id in the body differ")),
        _ => Ok(Some(id)),
    }
}

/// What an answer says: the bare object, or why not.
fn done(answer: Answer, status: StatusCode) -> Done {
    let body = match &answer {
        Answer { ok: true, order: Some(order), .. } => json::bytes(order),
        Answer { ok: true, payment: Some(payment), .. } => json::bytes(payment),
        Answer { ok: true, account: Some(account), .. } => json::bytes(account),
        Answer { ok: true, item: Some(item), .. } => json::bytes(item),
        _ => return Err(Problem::refused(answer)),
    };
    Ok((status, JSON, body).into_response())
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

fn said(object: &impl Serialize) -> Response {
    (JSON, json::bytes(object)).into_response()
}
