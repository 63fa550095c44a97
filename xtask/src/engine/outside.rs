//! The desk as those see it who come from outside of its network: the dashboard's container, HTTP, the broker's own API.

use std::time::Duration;

use serde_json::{Value, json};

use super::http;
use crate::desk::composed::{CHANGED_WITHIN, Composed};
use crate::desk::{Desk as _, until};
use crate::page::Page;

/// User and password of the broker as the compose file has them, for HTTP: `skstore:skstore`.
const BROKER: &str = "Basic c2tzdG9yZTpza3N0b3Jl";
/// How long a command in a container of its own may take.
const WITHIN: Duration = CHANGED_WITHIN;

/// Waits until an order of the view has come as far as `status`.
fn becomes(desk: &mut Composed, order: &str, status: &str) -> Result<(), String> {
    let line = format!("order {order}");
    let has = |desk: &Composed| Ok(desk.ask(&line)?.first().is_some_and(|shown| shown["status"] == status));
    until(desk, &format!("the order {order} is {status}"), has)
}

/// An order is placed and cancelled by commands, each in a container of its own as people run them.
pub(super) fn commands(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let in_dashboard = |desk: &Composed, line: &str| {
        let words = ["run", "--rm", "-T", "dashboard", "skstore", "--json"];
        let said =
            desk.compose().ask(&[&words[..], &line.split(' ').collect::<Vec<_>>()].concat(), WITHIN)?;
        serde_json::from_str::<Value>(said.trim()).map_err(|error| format!("skstore {line}: {error}: {said}"))
    };
    let placed = in_dashboard(desk, "place 10 5 --customer kim --order-id by-command")?;
    becomes(desk, "by-command", "delivering")?;
    in_dashboard(desk, "cancel by-command")?;
    becomes(desk, "by-command", "cancelled")?;
    let refunded = |desk: &Composed| Ok(desk.ask("payment by-command")?[0]["status"] == "refunded");
    until(desk, "its payment is given back", refunded)?;
    page.promise(
        "`run --rm dashboard skstore place`, `cancel`: delivering, then cancelled and refunded",
        &format!("{} → delivering → cancelled, refunded", placed["status"].as_str().unwrap_or("?")),
        placed["status"] == "placed" || placed["status"] == "delivering",
    );
    Ok(())
}

/// The gateway lets in who has a token, and nobody else.
pub(super) fn gateway(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let port = desk.compose().ports.gateway;
    let order = json!({"productId": "10", "qty": "5", "order_id": "over-http"});
    let place = |token: Option<&str>| http::ask(port, "POST /orders", token, Some(&order));
    let (without, _) = place(None)?;
    let make = ["run", "--rm", "-T", "--no-deps", "gateway", "skstore-worker", "gateway", "token"];
    let token = desk.compose().ask(&[&make[..], &["engine", "desk", "--add"]].concat(), WITHIN)?;
    let token = format!("Bearer {}", token.trim());
    // It looks at the tokens once a second.
    let mut with = 0;
    let lets_in = |_: &Composed| {
        with = place(Some(&token))?.0;
        Ok(with != without)
    };
    until(desk, "the gateway lets in who has the new token", lets_in)?;
    becomes(desk, "over-http", "delivering")?;
    let (looked, shown) = http::ask(port, "GET /orders/over-http", Some(&token), None)?;
    page.promise(
        "the gateway: `POST /orders` without a token 401, with one 201, and `GET` shows it delivering",
        &format!("{without}, {with}, {looked} {}", shown["order"]["status"].as_str().unwrap_or("?")),
        (without, with, looked) == (401, 201, 200) && shown["order"]["status"] == "delivering",
    );
    Ok(())
}

/// Messages that others put on the broker: a command, and an event that is none.
pub(super) fn events(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let order = json!({"productId": "10", "qty": "5", "order_id": "by-the-broker"});
    publish(desk, "skstore.commands", "order.place", &order.to_string())?;
    becomes(desk, "by-the-broker", "delivering")?;
    let count = |desk: &Composed| Ok::<_, String>(desk.ask("dead list")?.len());
    let before = count(desk)?;
    publish(desk, "skstore.events", "order.placed", "{\"type\":\"skstore.order.placed\"}")?;
    // Item and MyInfo hear of orders that are placed.
    let is_parked = |desk: &Composed| Ok(count(desk)? >= before + 2);
    until(desk, "what is no event is parked by those who hear it", is_parked)?;
    let parked = count(desk)? - before;
    desk.ask("dead drop --all")?;
    let left = count(desk)?;
    page.promise(
        "published through the broker's API: an order is delivered; what is no event is parked, and dropped by `skstore dead`",
        &format!("delivering; {parked} parked, {left} left"),
        left == 0,
    );
    Ok(())
}

/// Has the broker take a message, by what `rabbitmqadmin publish` sends as well.
fn publish(desk: &Composed, exchange: &str, key: &str, payload: &str) -> Result<(), String> {
    let message =
        json!({"routing_key": key, "payload": payload, "payload_encoding": "string", "properties": {}});
    let line = format!("POST /api/exchanges/%2F/{exchange}/publish");
    let (status, said) = http::ask(desk.compose().ports.management, &line, Some(BROKER), Some(&message))?;
    if status == 200 && said["routed"] == true {
        return Ok(());
    }
    Err(format!("the broker did not take a message for {exchange}: {status} {said}"))
}
