//! Scripted keys: what they do to the state, and what they have done outside.

use crossterm::event::KeyCode;
use skstore::dashboard::message::{Answered, Effect, Message, Request};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore_domain::answers::Answer;
use skstore_domain::commands::Place;
use skstore_domain::money::Won;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::DeskError;

use crate::builders::*;

mod doing;
mod everywhere;
mod forms;
mod looking;
mod told;

/// A desk whose form has its id and what can be picked.
fn in_form(key: char) -> State {
    let mut state = desk();
    let effects = press(&mut state, key);
    assert!(effects.contains(&Effect::Read), "what can be picked is read when the form opens");
    reads(&mut state, rows(), health());
    if effects.contains(&Effect::MintOrderId) {
        update(&mut state, NOW, Message::OrderId(order_id(99)));
    } else {
        let id = skstore_domain::ids::RequestId::new("r99").unwrap();
        update(&mut state, NOW, Message::RequestId(id));
    }
    state
}

fn answer(
    state: &mut State,
    now: Timestamp,
    request: &Request,
    result: Result<Answer, DeskError>,
) -> Vec<Effect> {
    let answered = Answered { request: request.clone(), result: result.map(Some) };
    update(state, now, Message::Answered(Box::new(answered)))
}

fn place() -> Place {
    Place {
        item_id: item_id("10"),
        qty: 2,
        customer: Some(customer("kim")),
        order_id: Some(order_id(99)),
        unit_price: Some(Won(10_000)),
    }
}

/// Places two apples for kim from the form.
fn placed() -> (State, Request) {
    let mut state = in_form('n');
    type_in(&mut state, "apple");
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Enter);
    press(&mut state, '+');
    let effects = press(&mut state, KeyCode::Enter);
    let request = Request::Place(place());
    assert_eq!(asked(&effects), [&request], "what the form sends");
    assert!(state.layers.is_empty(), "the form closes once it is sent");
    (state, request)
}
