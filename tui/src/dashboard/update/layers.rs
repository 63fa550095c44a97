//! Keys in what lies over the main screen: filter, forms, menus, questions, help.

use crate::dashboard::filter;
use crate::dashboard::keys::{Action, Chord};
use crate::dashboard::message::{Effect, Request};
use crate::dashboard::state::dialogs::{Choice, Confirm, Question};
use crate::dashboard::state::form::{Form, FormId, FormKind};
use crate::dashboard::state::input::TextInput;
use crate::dashboard::state::toasts::Notice;
use crate::dashboard::state::{Layer, State};
use crate::text::Text;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::signals::Fault;

/// Does what a key does in the topmost layer.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(layer) = state.layers.pop() else { return Vec::new() };
    if action == Action::Close {
        return Vec::new();
    }
    match layer {
        Layer::Filter(typed) => {
            filter_by(state, typed.text());
            Vec::new()
        }
        Layer::Form(form) => act_in_form(state, form, action),
        Layer::Menu(mut menu) => {
            match action {
                Action::Up => menu.move_by(-1),
                Action::Down => menu.move_by(1),
                Action::Accept => return menu.choice().map_or_else(Vec::new, |choice| choose(state, choice)),
                _ => {}
            }
            state.layers.push(Layer::Menu(menu));
            Vec::new()
        }
        Layer::Confirm(confirm) => act_in_question(state, *confirm, action),
        Layer::Log { scroll } => {
            // It is read from its end.
            let most = crate::dashboard::draw::log_lines_above(state);
            let scroll = scroll.saturating_add_signed(-lines(state, action)).min(most);
            state.layers.push(Layer::Log { scroll });
            Vec::new()
        }
        Layer::Help { scroll } => {
            let by = lines(state, action);
            let most = crate::dashboard::draw::help_lines_below(state);
            state.layers.push(Layer::Help { scroll: scroll.saturating_add_signed(by).min(most) });
            Vec::new()
        }
    }
}

/// By how many lines a key moves down in a window that is scrolled.
fn lines(state: &State, action: Action) -> isize {
    let page = isize::try_from(state.size.height / 2).unwrap_or(1);
    match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        _ => 0,
    }
}

/// Types a key into the topmost layer, if it takes text.
pub(super) fn edit(state: &mut State, chord: Chord) {
    match state.layers.last_mut() {
        Some(Layer::Filter(typed)) => {
            typed.edit(chord);
        }
        Some(Layer::Form(form)) => form.edit(chord),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Log { .. } | Layer::Help { .. }) | None => {}
    }
}

/// Pastes into the topmost layer, if it takes text. Nowhere else does pasted text act as keys.
pub(super) fn paste(state: &mut State, text: &str) {
    match state.layers.last_mut() {
        Some(Layer::Filter(typed)) => typed.insert(text),
        Some(Layer::Form(form)) => form.paste(text),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Log { .. } | Layer::Help { .. }) | None => {}
    }
}

/// Gives the form that waits for an id its id.
pub(super) fn minted(state: &mut State, id: FormId) -> Vec<Effect> {
    let waiting = state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Form(form) if form.id == FormId::Minting => Some(form),
        Layer::Form(_)
        | Layer::Filter(_)
        | Layer::Menu(_)
        | Layer::Confirm(_)
        | Layer::Log { .. }
        | Layer::Help { .. } => None,
    });
    if let Some(form) = waiting {
        let fits = match (&id, form.kind) {
            (FormId::Order(_), FormKind::Place) => true,
            (FormId::Request(_), FormKind::TopUp | FormKind::Restock) => true,
            (FormId::Order(_) | FormId::Request(_) | FormId::Minting, _) => false,
        };
        if fits {
            form.id = id;
        }
    }
    Vec::new()
}

fn filter_by(state: &mut State, typed: &str) {
    match filter::parse(typed) {
        Ok(filter) => {
            state.orders.show(filter, typed.trim());
            state.detail = None;
        }
        Err(bad) => {
            state.toasts.say(Notice::Filter(bad), state.now);
            let typed = TextInput::with(typed, filter::MAX_FILTER_CHARS);
            state.layers.push(Layer::Filter(typed));
        }
    }
}

fn act_in_form(state: &mut State, mut form: Box<Form>, action: Action) -> Vec<Effect> {
    let is_last = form.focus + 1 == form.kind.fields().len();
    match action {
        Action::Up => form.highlight_by(-1, &state.pickable),
        Action::Down => form.highlight_by(1, &state.pickable),
        Action::NextField => form.move_focus(1),
        Action::PrevField => form.move_focus(-1),
        Action::Increase => form.step_by(1),
        Action::Decrease => form.step_by(-1),
        Action::Accept if is_last => match form.request(&state.pickable) {
            Ok(request) => return send(state, request),
            Err(problem) => form.problem = Some(problem),
        },
        Action::Accept => form.move_focus(1),
        _ => {}
    }
    state.layers.push(Layer::Form(form));
    Vec::new()
}

/// Sends what a form asks for, and remembers what was picked.
fn send(state: &mut State, request: Request) -> Vec<Effect> {
    match &request {
        Request::Place(place) => {
            state.pickable.last_item = Some(place.item_id.clone());
            state.pickable.last_customer.clone_from(&place.customer);
        }
        Request::TopUp(top_up) => state.pickable.last_customer = Some(top_up.customer.clone()),
        Request::Restock(restock) => state.pickable.last_item = Some(restock.item_id.clone()),
        Request::Cancel(_)
        | Request::Order(_)
        | Request::Payment(_)
        | Request::ForceBreaker(_)
        | Request::Inject(..) => {}
    }
    state.toasts.sent(request.clone());
    vec![Effect::Ask(request)]
}

/// What makes things worse is asked about first; what ends it is done at once.
fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    match choice {
        Choice::Breaker(BreakerMode::Auto) | Choice::Fault(_, Fault::None) => send(state, choice.request()),
        Choice::Breaker(_) | Choice::Fault(..) => {
            let question = Question::Choice(choice);
            state.layers.push(Layer::Confirm(Box::new(Confirm { question, yes: false })));
            Vec::new()
        }
    }
}

fn act_in_question(state: &mut State, mut confirm: Confirm, action: Action) -> Vec<Effect> {
    let yes = match action {
        Action::Yes => true,
        Action::Accept => confirm.yes,
        Action::Switch => {
            confirm.yes = !confirm.yes;
            state.layers.push(Layer::Confirm(Box::new(confirm)));
            return Vec::new();
        }
        _ => false,
    };
    if !yes {
        return Vec::new();
    }
    // While it was asked, the order may have ended by itself.
    if let Question::Cancel(asked) = &confirm.question
        && let Some(reason) = ended_meanwhile(state, asked)
    {
        state.toasts.say(Notice::Reason(reason), state.now);
        return Vec::new();
    }
    if let Question::Deal(plan) = confirm.question {
        state.dead.is_busy = true;
        return vec![Effect::Deal(plan.0)];
    }
    confirm.question.request().map_or_else(Vec::new, |request| send(state, request))
}

fn ended_meanwhile(state: &State, asked: &skstore_domain::objects::Order) -> Option<Text> {
    let order = state.current_order().filter(|order| order.order_id == asked.order_id)?;
    super::refusal(state, Action::CancelOrder).filter(|_| order.revision > asked.revision)
}
