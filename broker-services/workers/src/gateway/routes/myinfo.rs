//! The view: what MyInfo makes of everyone's events, apart from those who keep the books.

use axum::extract::State;
use serde_json::json;
use skstore_domain::objects::OrderStatus;

use super::{accounts, orders, products};
use crate::gateway::operation::Operation;
use crate::gateway::request::{Behind, Done, said};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/myinfo/orders", orders::orders),
        Operation::get("/myinfo/orders/{id}", orders::shown),
        Operation::get("/myinfo/accounts", accounts::accounts),
        Operation::get("/myinfo/products", products::items),
        Operation::get("/myinfo/counts", counts),
        Operation::get("/myinfo/status", status),
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
