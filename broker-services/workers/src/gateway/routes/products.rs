//! Items, which the system that this one derives from calls products.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::json;
use skstore_domain::commands::{ItemCommand, ItemCommandKind};
use skstore_domain::ids::ItemId;

use super::page::{self, After};
use super::supply::supply;
use crate::gateway::access::Right;
use crate::gateway::operation::{Method, Operation};
use crate::gateway::request::{Asked, Behind, Done, Name, done, named};

pub(super) fn operations() -> Vec<Operation> {
    let restock_it = ("restock", "Add to the stock of an item");
    vec![
        Operation::get("/products", ("listProducts", "A page of items, by id"), items)
            .takes(&["after", "limit"])
            .answers(&[(200, "Products")]),
        Operation::get("/products/{item}", ("showProduct", "An item, as Item has it"), item)
            .answers(&[(200, "Product")])
            .may_refuse(&[404, 500, 502, 504]),
        Operation::act(
            Method::Put,
            "/products/{item}",
            Right::Supply,
            ("listProduct", "Name and price an item"),
            list,
        )
        .takes_body("List")
        .answers(&[(200, "Product"), (201, "Product")])
        .may_refuse(&[409, 500, 502, 504]),
        Operation::act(Method::Post, "/products/{item}/restocks", Right::Supply, restock_it, restock)
            .takes(&["idempotency_key"])
            .takes_body("Restock")
            .answers(&[(200, "Product")])
            .may_refuse(&[404, 409, 500, 502, 504]),
    ]
}

async fn item(State(Behind { desk, .. }): State<Behind>, item: Name) -> Done {
    done(desk.item(&item.checked(ItemId::to_look_up)?).await?, StatusCode::OK)
}

async fn list(
    State(Behind { desk, .. }): State<Behind>,
    item: Name,
    headers: HeaderMap,
    body: Bytes,
) -> Done {
    // Name and price are what they are told to be, so there is no id under which it would be done once.
    let answer =
        supply(&desk, ItemCommandKind::List, ("item_id", &item), &headers, &body, |_: &mut ItemCommand| None);
    let answer = answer.await?;
    let is_new = answer.item.as_ref().is_some_and(|item| item.revision == 1);
    done(answer, if is_new { StatusCode::CREATED } else { StatusCode::OK })
}

async fn restock(
    State(Behind { desk, .. }): State<Behind>,
    item: Name,
    headers: HeaderMap,
    body: Bytes,
) -> Done {
    let answer = supply(&desk, ItemCommandKind::Restock, ("item_id", &item), &headers, &body, |command| {
        if let ItemCommand::Restock(restock) = command { Some(&mut restock.restock_id) } else { None }
    });
    done(answer.await?, StatusCode::OK)
}

pub(super) async fn items(
    State(Behind { desk, .. }): State<Behind>,
    uri: Uri,
    Asked(After { after, limit }): Asked<After>,
) -> Done {
    let after = after.as_deref().map(|name| named(name, ItemId::to_look_up)).transpose()?;
    let rows = page::rows(limit)?;
    let read = desk.view().items(after.as_ref(), rows + 1).await?;
    let (items, next) = page::cut(read, rows, |item| item.item_id.as_str());
    Ok(page::answer(&json!({ "products": items, "next": next }), &uri, "after", next.as_deref()))
}
