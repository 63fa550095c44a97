//! Carries out an action: in the topmost layer if there is one, else on the screen. Quit, suspend and help do the same
//! wherever one is.

use skstore_domain::ids::{Customer, ItemId};
use skstore_workers::desk::config::TimeShown;

use crate::dashboard::keys::{Action, Scope};
use crate::dashboard::layers::dialogs::state::{Menu, MenuKind};
use crate::dashboard::layers::form::state::{Form, FormKind};
use crate::dashboard::layers::update::Done;
use crate::dashboard::layers::{self, Layer};
use crate::dashboard::message::Effect;
use crate::dashboard::refusal::refusal;
use crate::dashboard::screens;
use crate::dashboard::shown::Scroll;
use crate::dashboard::state::State;
use crate::dashboard::tab::Tab;
use crate::dashboard::table::sort::Resort;
use crate::dashboard::toasts::state::Notice;
use crate::text::Language;
use crate::text::names::Names;

/// Does what a key does where keys go now.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match (action, state.scope()) {
        (Action::Quit, _) => vec![Effect::Quit],
        (Action::Suspend, _) => vec![Effect::Suspend],
        (Action::Help, _) => {
            state.layers.push(Layer::Help(Scroll::default()));
            Vec::new()
        }
        // What cannot be seen is not acted on.
        (_, Scope::TooSmall) => Vec::new(),
        (_, _) if state.layers.is_empty() => act_on_screen(state, action),
        (_, _) => match layers::update::act(state, action) {
            Done::Effects(effects) => effects,
            Done::Act(action) => act(state, action),
        },
    }
}

/// Does what a key on the screen does, whatever lies over it.
pub(super) fn act_on_screen(state: &mut State, action: Action) -> Vec<Effect> {
    // A message comes and goes by itself: it must not change what a key does to what is open.
    let action = match action {
        Action::Back if !state.toasts.is_empty() && refusal(state, Action::Back).is_some() => Action::Dismiss,
        _ => action,
    };
    if let Some(reason) = refusal(state, action) {
        state.toasts.say(Notice::Reason(reason), state.now);
        return Vec::new();
    }
    match action {
        Action::NewOrder => return open_form(state, FormKind::Place),
        Action::TopUp => return open_form(state, FormKind::TopUp),
        Action::Restock => return open_form(state, FormKind::Restock),
        Action::Retry => {
            return state.toasts.repeatable().cloned().map_or_else(Vec::new, |request| state.send(request));
        }
        Action::Breaker => state.layers.push(Layer::Menu(Menu { kind: MenuKind::Breaker, at: 0 })),
        Action::Faults => state.layers.push(Layer::Menu(Menu { kind: MenuKind::Faults, at: 0 })),
        Action::Load => state.layers.push(Layer::Load),
        Action::Palette => state.layers.push(Layer::Palette(Box::default())),
        Action::Language => speak(state, state.look.language.next()),
        Action::Theme => state.look.theme = state.look.theme.next(),
        Action::Time => show_other_time(state),
        Action::Panel => toggle_panel(state),
        Action::Sort => return screens::of(state.tab).resort(state, Resort::Next),
        Action::ReverseSort => return screens::of(state.tab).resort(state, Resort::Reverse),
        Action::Dismiss => state.toasts.dismiss(),
        Action::Log => state.layers.push(Layer::Log(Scroll::default())),
        Action::Go(tab) => return go(state, tab),
        Action::NextTab => return go(state, state.tab.step(1)),
        Action::PrevTab => return go(state, state.tab.step(-1)),
        _ => return screens::of(state.tab).act(state, action),
    }
    Vec::new()
}

fn speak(state: &mut State, language: Language) {
    state.look.language = language;
    // Items that are sorted by name have another one, and so have those of orders.
    state.items.arrange(language);
    state.orders.arrange(Names::new(language, &state.pickable.items));
    screens::of(state.tab).keep_in_sight(state);
}

/// Local time, or UTC, and which it is by now.
fn show_other_time(state: &mut State) {
    state.look.time = match state.look.time {
        TimeShown::Local => TimeShown::Utc,
        TimeShown::Utc => TimeShown::Local,
    };
    let label = state.look.shown_zone().label(state.now);
    state.toasts.say(Notice::Zone(label), state.now);
}

fn toggle_panel(state: &mut State) {
    state.panel = !state.panel;
    screens::of(state.tab).keep_in_sight(state);
}

/// Shows a tab. What it needs of the view is read at once.
fn go(state: &mut State, tab: Tab) -> Vec<Effect> {
    state.tab = tab;
    let screen = screens::of(tab);
    screen.keep_in_sight(state);
    let mut effects = look_at_queues(state);
    effects.extend(screen.entered(state));
    effects
}

/// Asks how full the queues are, if that is shown and they are not being asked already.
pub(super) fn look_at_queues(state: &mut State) -> Vec<Effect> {
    if !screens::of(state.tab).looks_at_queues() || state.is_asking_queues {
        return Vec::new();
    }
    state.is_asking_queues = true;
    vec![Effect::ReadQueues]
}

fn open_form(state: &mut State, kind: FormKind) -> Vec<Effect> {
    let (item, customer) = (item_at_hand(state), customer_at_hand(state));
    let form = Form::new(kind, item.as_ref(), customer.as_ref());
    state.layers.push(Layer::Form(Box::new(form)));
    match kind {
        FormKind::Place => vec![Effect::MintOrderId],
        FormKind::TopUp | FormKind::Restock => vec![Effect::MintRequestId],
    }
}

/// The item that a form begins with: the selected one, else the one that was picked last.
fn item_at_hand(state: &State) -> Option<ItemId> {
    let selected = state.items.selected_row().filter(|_| state.tab == Tab::Items);
    selected.map(|item| item.item_id.clone()).or_else(|| state.pickable.last_item.clone())
}

/// The customer that a form begins with: likewise.
fn customer_at_hand(state: &State) -> Option<Customer> {
    let selected = state.accounts.listing.selected_row().filter(|_| state.tab == Tab::Accounts);
    selected.map(|account| account.customer.clone()).or_else(|| state.pickable.last_customer.clone())
}
