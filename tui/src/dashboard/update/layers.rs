//! Keys in what lies over the main screen: filter, commands, forms, menus, questions, help.

use crate::dashboard::draw::hit::FormSpot;
use crate::dashboard::filter;
use crate::dashboard::keys::{Action, Chord};
use crate::dashboard::layout;
use crate::dashboard::message::{Effect, Request};
use crate::dashboard::state::dialogs::{Choice, Confirm, Question};
use crate::dashboard::state::form::{Form, FormId, FormKind};
use crate::dashboard::state::palette::{Command, Palette};
use crate::dashboard::state::toasts::Notice;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;
use crate::text::Text;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::signals::Fault;

/// Does what a key does in the topmost layer.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(layer) = state.layers.pop() else { return Vec::new() };
    if action == Action::Close {
        if let Layer::Filter(line) = layer
            && line.input.text() != line.before
        {
            filter_by(state, &line.before);
        }
        return Vec::new();
    }
    match layer {
        Layer::Filter(line) => {
            if let Some(bad) = line.problem.clone() {
                state.toasts.say(Notice::Filter(bad), state.now);
                state.layers.push(Layer::Filter(line));
            }
            Vec::new()
        }
        Layer::Palette(palette) => act_in_palette(state, palette, action),
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
    if state.is_unseen() {
        return;
    }
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            if line.input.edit(chord) {
                filter_as_typed(state);
            }
        }
        Some(Layer::Palette(palette)) => {
            if palette.query.edit(chord) {
                palette.at = 0;
            }
        }
        Some(Layer::Form(form)) => form.edit(chord),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Log { .. } | Layer::Help { .. }) | None => {}
    }
}

/// Pastes into the topmost layer, if it takes text. Nowhere else does pasted text act as keys, and that is told.
pub(super) fn paste(state: &mut State, text: &str) {
    if state.is_unseen() {
        return;
    }
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            line.input.insert(text);
            filter_as_typed(state);
        }
        Some(Layer::Palette(palette)) => palette.query.insert(text),
        Some(Layer::Form(form)) => form.paste(text),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Log { .. } | Layer::Help { .. }) | None => {
            state.toasts.say(Notice::Reason(Text::WhyPasteActsNot), state.now);
        }
    }
}

/// Gives the form that waits for an id its id.
pub(super) fn minted(state: &mut State, id: FormId) -> Vec<Effect> {
    let waiting = state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Form(form) if form.id == FormId::Minting => Some(form),
        Layer::Form(_)
        | Layer::Filter(_)
        | Layer::Palette(_)
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

/// Shows what the filter that is being typed finds so far. What is no filter yet leaves the last one as it is.
fn filter_as_typed(state: &mut State) {
    let is_of_orders = state.tab == Tab::Orders;
    let Some(Layer::Filter(line)) = state.layers.last_mut() else { return };
    let typed = line.input.text().to_owned();
    line.problem = filter::parse(&typed, &state.pickable.items).err().filter(|_| is_of_orders);
    if line.problem.is_none() {
        filter_by(state, &typed);
    }
}

fn filter_by(state: &mut State, typed: &str) {
    let shown = layout::shown_rows(state);
    match state.tab {
        Tab::Orders => filter_orders_by(state, typed),
        Tab::Accounts => state.accounts.begin_with(typed),
        Tab::Items | Tab::Health | Tab::Dead => {}
        Tab::Events => state.events.filter_by(typed, shown),
    }
}

fn filter_orders_by(state: &mut State, typed: &str) {
    let Ok(filter) = filter::parse(typed, &state.pickable.items) else { return };
    if filter == state.orders.filter && state.orders.is_read {
        typed.trim().clone_into(&mut state.orders.typed);
    } else {
        state.orders.show(filter, typed.trim());
        state.detail = None;
    }
}

/// Does the highlighted command, or says why it is not possible.
fn act_in_palette(state: &mut State, mut palette: Box<Palette>, action: Action) -> Vec<Effect> {
    let found = palette.found(state);
    match action {
        Action::Up => palette.move_by(-1, found.len()),
        Action::Down => palette.move_by(1, found.len()),
        Action::Accept => match found.get(palette.at) {
            Some((Command::Act(action, _), _)) => return super::act(state, *action),
            Some((Command::Choose(choice), _)) => return choose(state, *choice),
            None => {}
        },
        _ => {}
    }
    state.layers.push(Layer::Palette(palette));
    Vec::new()
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

/// Does what a click on a form does.
pub(super) fn click_form(state: &mut State, spot: FormSpot) -> Vec<Effect> {
    let Some(Layer::Form(form)) = state.layers.last_mut() else { return Vec::new() };
    let last = form.kind.fields().len().saturating_sub(1);
    match spot {
        FormSpot::Field(field) => form.focus = field,
        FormSpot::Choice(choice) => {
            form.highlight_at(choice, &state.pickable);
            return act(state, Action::Accept);
        }
        FormSpot::Less | FormSpot::More => {
            form.focus = last;
            form.step_by(if spot == FormSpot::More { 1 } else { -1 });
        }
        FormSpot::Send => {
            form.focus = last;
            return act(state, Action::Accept);
        }
        FormSpot::Close => return act(state, Action::Close),
    }
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
pub(super) fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
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
