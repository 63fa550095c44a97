//! The description of the message bus is that of the code, and what the code sends and takes is as it is described.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use schema::Document;
use skstore_workers::asyncapi;

mod commands;
mod events;
mod real;
mod schema;

fn document() -> Document {
    Document(asyncapi::document())
}

#[test]
fn the_committed_description_is_what_the_code_gives() {
    let committed = include_str!("../../../../docs/asyncapi.json");
    let is_same = committed == asyncapi::text();
    assert!(
        is_same,
        "write it anew: cargo run -p skstore-workers --bin skstore-worker -- asyncapi > docs/asyncapi.json"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_message_has_a_channel() {
    let document = document();
    let mut waiting = vec![&document.0];
    let mut references = 0;
    while let Some(value) = waiting.pop() {
        if let Some(reference) = value.get("$ref").and_then(|reference| reference.as_str()) {
            document.resolve(reference);
            references += 1;
        }
        waiting.extend(value.as_object().into_iter().flat_map(|members| members.values()));
        waiting.extend(value.as_array().into_iter().flatten());
    }
    assert!(references > 200, "{references} references");
    let channels = document.0["channels"].as_object().unwrap();
    for message in document.0["components"]["messages"].as_object().unwrap().keys() {
        let carries = |channel: &serde_json::Value| channel["messages"].get(message).is_some();
        assert!(channels.values().any(carries), "no channel carries {message}");
    }
    for (name, operation) in document.0["operations"].as_object().unwrap() {
        let channel = document.resolve(operation["channel"]["$ref"].as_str().unwrap());
        assert!(channel["messages"].as_object().is_some_and(|messages| !messages.is_empty()), "{name}");
    }
}
