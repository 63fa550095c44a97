//! Keys and clicks in a form.

use super::state::{Form, FormId, FormKind, FormSpot};
use crate::dashboard::keys::Action;
use crate::dashboard::layers::Layer;
use crate::dashboard::message::Effect;
use crate::dashboard::state::State;

/// Does what a key in a form does.
pub(crate) fn act(state: &mut State, mut form: Box<Form>, action: Action) -> Vec<Effect> {
    let is_last = form.focus + 1 == form.kind.fields().len();
    match action {
        Action::Up => form.highlight_by(-1, &state.pickable),
        Action::Down => form.highlight_by(1, &state.pickable),
        Action::NextField => form.move_focus(1),
        Action::PrevField => form.move_focus(-1),
        Action::Increase => form.step_by(1),
        Action::Decrease => form.step_by(-1),
        Action::Accept if is_last => match form.request(&state.pickable) {
            Ok(request) => {
                state.pickable.picked_for(&request);
                return state.send(request);
            }
            Err(problem) => form.problem = Some(problem),
        },
        Action::Accept => form.move_focus(1),
        _ => {}
    }
    state.layers.push(Layer::Form(form));
    Vec::new()
}

/// Puts the focus where was clicked; returns what a click there does besides.
pub(crate) fn click(state: &mut State, spot: FormSpot) -> Option<Action> {
    let Some(Layer::Form(form)) = state.layers.last_mut() else { return None };
    let last = form.kind.fields().len().saturating_sub(1);
    match spot {
        FormSpot::Field(field) => form.focus = field,
        FormSpot::Choice(choice) => {
            form.highlight_at(choice, &state.pickable);
            return Some(Action::Accept);
        }
        FormSpot::Less | FormSpot::More => {
            form.focus = last;
            form.step_by(if spot == FormSpot::More { 1 } else { -1 });
        }
        FormSpot::Send => {
            form.focus = last;
            return Some(Action::Accept);
        }
        FormSpot::Close => return Some(Action::Close),
    }
    None
}

/// Gives the form that waits for an id its id.
pub(crate) fn minted(state: &mut State, id: FormId) {
    let waiting = state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Form(form) if form.id == FormId::Minting => Some(form),
        Layer::Form(_)
        | Layer::Filter(_)
        | Layer::Palette(_)
        | Layer::Menu(_)
        | Layer::Confirm(_)
        | Layer::Load
        | Layer::Log(_)
        | Layer::Help(_) => None,
    });
    let Some(form) = waiting else { return };
    let fits = match (&id, form.kind) {
        (FormId::Order(_), FormKind::Place) => true,
        (FormId::Request(_), FormKind::TopUp | FormKind::Restock) => true,
        (FormId::Order(_) | FormId::Request(_) | FormId::Minting, _) => false,
    };
    if fits {
        form.id = id;
    }
}
