//! The view: what MyInfo makes of everyone's events, apart from those who keep the books.

use axum::extract::State;
use serde_json::json;
use skstore_domain::objects::OrderStatus;

use super::{accounts, orders, products};
use crate::gateway::operation::Operation;
use crate::gateway::request::{Behind, Done, said};

pub(super) fn operations() -> Vec<Operation> {
    let show = ("viewOrder", "An order with its payment and its timeline");
    let how = ("viewStatus", "How the workers do, and what the breaker did");
    vec![
        Operation::get("/myinfo/orders", ("viewOrders", "A page of orders, newest first"), orders::orders)
            .takes(orders::FILTERS)
            .answers(&[(200, "Orders")]),
        Operation::get("/myinfo/orders/{id}", show, orders::shown)
            .answers(&[(200, "OrderDetail")])
            .may_refuse(&[404]),
        Operation::get(
            "/myinfo/accounts",
            ("viewAccounts", "A page of accounts, by customer"),
            accounts::accounts,
        )
        .takes(&["after", "limit"])
        .answers(&[(200, "Accounts")]),
        Operation::get("/myinfo/products", ("viewProducts", "A page of items, by id"), products::items)
            .takes(&["after", "limit"])
            .answers(&[(200, "Products")]),
        Operation::get("/myinfo/counts", ("viewCounts", "How many there are"), counts)
            .answers(&[(200, "Counts")]),
        Operation::get("/myinfo/status", how, status).answers(&[(200, "Status")]),
    ]
}

async fn counts(State(Behind { desk, .. }): State<Behind>) -> Done {
    let counts = desk.view().counts().await?;
    let by_status = OrderStatus::ALL.iter().map(|status| status.word()).zip(counts.orders);
    Ok(said(&json!({
        "orders": by_status.collect::<std::collections::BTreeMap<_, _>>(),
        "accounts": counts.accounts,
        "products": counts.items,
        "balances": counts.balances,
    })))
}

async fn status(State(Behind { desk, .. }): State<Behind>) -> Done {
    let view = desk.view();
    let (health, rebuilds) = (view.health().await?, view.rebuilds().await?);
    Ok(said(&json!({
        "services": health.services,
        "breaker_changes": health.breaker_changes,
        "is_rebuilding": rebuilds.is_running,
    })))
}
