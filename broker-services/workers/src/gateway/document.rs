//! The description of the gateway for programs, OpenAPI 3.1, made of the table of operations.

use serde_json::{Map, Value, json};

use self::objects::reference;
use super::access::{Right, Role};
use super::operation::Operation;

mod objects;
mod schemas;

/// Which version of the specification it follows.
const OPENAPI: &str = "3.1.0";
/// With what anything may be refused: what cannot be read, too often, no room.
const ALWAYS: [u16; 3] = [400, 429, 503];
/// With what a body may be refused besides: too slow, too large, no JSON.
const OF_BODIES: [u16; 3] = [408, 413, 415];

/// The description of `operations`.
pub(super) fn of(operations: &[Operation]) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.word()] = described(operation);
    }
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "skstore",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An order desk: orders, payments, deliveries and a view of them",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": objects::all().into_iter().chain(schemas::all()).collect::<Map<_, _>>(),
            "parameters": schemas::parameters(),
            "responses": { "Problem": {
                "description": "Why not; RFC 9457. `code` says it for programs",
                "content": { "application/problem+json": { "schema": reference("schemas", "Problem") } },
            } },
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Where the gateway has no file of tokens, none is needed on its own machine",
            } },
        },
    })
}

fn described(operation: &Operation) -> Value {
    let in_path = operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters = in_path.chain(operation.parameters.iter().copied());
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters.map(|name| reference("parameters", name)).collect::<Vec<_>>(),
        "responses": responses(operation),
    });
    match operation.right {
        Right::None => described["security"] = json!([]),
        right => {
            let roles = Role::ALL.iter().filter(|role| role.has(right)).map(|role| role.word());
            described["description"] = json!(format!("For: {}", roles.collect::<Vec<_>>().join(", ")));
            described["security"] = json!([{ "token": [] }, {}]);
        }
    }
    if let Some(schema) = operation.body {
        let content = json!({ "application/json": { "schema": reference("schemas", schema) } });
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

fn responses(operation: &Operation) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, schema) in operation.answers {
        let kind = if *schema == "Events" { "text/event-stream" } else { "application/json" };
        let mut response = json!({
            "description": operation.summary,
            "content": { kind: { "schema": reference("schemas", schema) } },
        });
        if *status == 201 && operation.path == "/orders" {
            response["headers"] = json!({ "Location": { "required": true, "schema": { "type": "string" } } });
        }
        responses.insert(status.to_string(), response);
    }
    let mut refusals: Vec<u16> = [&ALWAYS, operation.refusals, &[403]].concat();
    if operation.right != Right::None {
        refusals.push(401);
    }
    if operation.body.is_some() {
        refusals.extend(OF_BODIES);
    }
    for status in refusals {
        responses.insert(status.to_string(), reference("responses", "Problem"));
    }
    responses
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a document refers to.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn whatever_is_referred_to_is_there_and_whatever_is_there_is_referred_to() {
        let document = of(&crate::gateway::routes::operations());
        let mut found = Vec::new();
        references(&document, &mut found);
        for place in &found {
            let pointer = place.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{place} is not there");
        }
        for kind in ["schemas", "parameters", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let place = format!("#/components/{kind}/{name}");
                assert!(found.contains(&place.as_str()), "nothing refers to {place}");
            }
        }
    }
}
