//! Keys on the main screen, whatever its tab: what opens forms, menus and questions, and what each tab has besides.

use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::objects::OrderStatus;
use skstore_workers::desk::config::TimeShown;

use super::{dead, events, listings, orders};
use crate::dashboard::draw;
use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::Effect;
use crate::dashboard::state::dialogs::{Menu, MenuKind};
use crate::dashboard::state::form::{Form, FormKind};
use crate::dashboard::state::sort::Resort;
use crate::dashboard::state::toasts::Notice;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;
use crate::text::names::Names;
use crate::text::{Language, Text};

/// Why `action` is not possible now; `None` if it is. The footer shows only what is possible.
#[must_use]
pub fn refusal(state: &State, action: Action) -> Option<Text> {
    match action {
        Action::ReplayDead | Action::ReplayAllDead | Action::DropDead | Action::DropAllDead => {
            dead::refusal(state)
        }
        Action::Panel => (!state.tab.has_panel()).then_some(Text::WhyNoPanel),
        Action::CopyId => state.current_order().is_none().then_some(Text::WhyNothingSelected),
        Action::CancelOrder => match state.current_order() {
            None => Some(Text::WhyNothingSelected),
            Some(order) => match order.status {
                OrderStatus::Cancelled => Some(Text::WhyAlreadyCancelled),
                OrderStatus::Rejected => Some(Text::WhyAlreadyRejected),
                OrderStatus::Paying if order.cancel_requested => Some(Text::WhyCancelRequested),
                OrderStatus::Paying | OrderStatus::Placed | OrderStatus::Delivering => None,
            },
        },
        Action::TheirOrders => {
            let is_selected = match state.tab {
                Tab::Accounts => state.accounts.listing.selected_row().is_some(),
                Tab::Items => state.items.listing.selected_row().is_some(),
                Tab::Orders | Tab::Health | Tab::Events | Tab::Dead => false,
            };
            (!is_selected).then_some(Text::WhyNothingSelected)
        }
        Action::Open => match (&state.detail, state.current_order()) {
            (Some(_), _) => Some(Text::WhyAlreadyOpen),
            (None, None) => Some(Text::WhyNothingSelected),
            (None, Some(_)) => None,
        },
        Action::Show => state.events.selected_row().is_none().then_some(Text::WhyNothingSelected),
        Action::Back => {
            let is_plain = match state.tab {
                Tab::Orders => state.detail.is_none() && state.orders.typed.is_empty(),
                Tab::Accounts => state.accounts.typed.is_empty(),
                Tab::Items | Tab::Health | Tab::Dead => true,
                Tab::Events => state.events.typed.is_empty(),
            };
            is_plain.then_some(Text::WhyNothingOpen)
        }
        Action::DetailUp | Action::DetailDown => state.detail.is_none().then_some(Text::WhyNothingOpen),
        Action::StepBack | Action::StepForward => {
            let steps = state.open_detail().map_or(0, |detail| detail.steps().len());
            (steps == 0).then_some(Text::WhyNoTimeline)
        }
        Action::Raw => state.open_detail().is_none().then_some(Text::WhyNoTimeline),
        Action::Retry => state.toasts.repeatable().is_none().then_some(Text::WhyNothingToRepeat),
        Action::Dismiss => state.toasts.is_empty().then_some(Text::WhyNoMessages),
        Action::ScanOn => {
            let page = &state.orders.page;
            (page.scanned.is_none() || page.next.is_none()).then_some(Text::WhyNothingToScan)
        }
        _ => None,
    }
}

/// Does what a key on the main screen does.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(reason) = refusal(state, action) {
        state.toasts.say(Notice::Reason(reason), state.now);
        return Vec::new();
    }
    match action {
        Action::NewOrder => return open_form(state, FormKind::Place),
        Action::TopUp => return open_form(state, FormKind::TopUp),
        Action::Restock => return open_form(state, FormKind::Restock),
        Action::Retry => return retry(state),
        Action::Breaker => state.layers.push(Layer::Menu(Menu { kind: MenuKind::Breaker, at: 0 })),
        Action::Faults => state.layers.push(Layer::Menu(Menu { kind: MenuKind::Faults, at: 0 })),
        Action::Palette => state.layers.push(Layer::Palette(Box::default())),
        Action::Language => speak(state, state.look.language.next()),
        Action::Theme => state.look.theme = state.look.theme.next(),
        Action::Time => show_other_time(state),
        Action::Panel => toggle_panel(state),
        Action::Sort => return resort(state, Resort::Next),
        Action::ReverseSort => return resort(state, Resort::Reverse),
        Action::Dismiss => state.toasts.dismiss(),
        Action::Log => state.layers.push(Layer::Log { scroll: 0 }),
        Action::CopyId => return copy_id(state),
        Action::Go(tab) => return go(state, tab),
        Action::NextTab => return go(state, state.tab.step(1)),
        Action::PrevTab => return go(state, state.tab.step(-1)),
        _ => match state.tab {
            Tab::Orders => return orders::act(state, action),
            Tab::Accounts => listings::act_in_accounts(state, action),
            Tab::Items => listings::act_in_items(state, action),
            Tab::Events => return events::act(state, action),
            Tab::Health => act_in_health(state, action),
            Tab::Dead => return dead::act(state, action),
        },
    }
    Vec::new()
}

fn speak(state: &mut State, language: Language) {
    state.look.language = language;
    // Items that are sorted by name have another one, and so have those of orders.
    state.items.listing.arrange(language);
    state.orders.arrange(Names::new(language, &state.pickable.items));
    keep_selection_in_sight(state);
}

/// Sorts the table that is shown in another way.
pub(super) fn resort(state: &mut State, wish: Resort) -> Vec<Effect> {
    let (language, shown) = (state.look.language, layout::shown_rows(state));
    match state.tab {
        Tab::Orders => {
            state.orders.resort(wish, Names::new(language, &state.pickable.items), shown);
            orders::follow_with_detail(state);
            // A table that was frozen shows at once what it has missed.
            return vec![Effect::Read];
        }
        Tab::Accounts => state.accounts.listing.resort(wish, language, shown),
        Tab::Items => state.items.listing.resort(wish, language, shown),
        Tab::Health | Tab::Events | Tab::Dead => {}
    }
    Vec::new()
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
    keep_selection_in_sight(state);
}

/// Shows a tab. What it needs of the view is read at once.
fn go(state: &mut State, tab: Tab) -> Vec<Effect> {
    state.tab = tab;
    keep_selection_in_sight(state);
    let mut effects = look_at_queues(state);
    if tab == Tab::Dead {
        effects.extend(dead::read(state));
    }
    effects
}

/// Asks how full the queues are, if that is shown and they are not being asked already.
pub(super) fn look_at_queues(state: &mut State) -> Vec<Effect> {
    let is_shown = match state.tab {
        Tab::Health | Tab::Dead => true,
        Tab::Orders | Tab::Accounts | Tab::Items | Tab::Events => false,
    };
    if !is_shown || state.is_asking_queues {
        return Vec::new();
    }
    state.is_asking_queues = true;
    vec![Effect::ReadQueues]
}

/// Keys that only the tab of health has.
fn act_in_health(state: &mut State, action: Action) {
    let page = isize::try_from(layout::areas(state).main.height / 2).unwrap_or(1);
    let by = match action {
        Action::Range => {
            state.health_tab.range = state.health_tab.range.next();
            return;
        }
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        _ => 0,
    };
    let most = draw::health_lines_below(state);
    state.health_tab.scroll = state.health_tab.scroll.saturating_add_signed(by).min(most);
}

/// Asks the terminal to put the id of the order that actions are about into the clipboard. It does not say whether it did.
fn copy_id(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.current_order().map(|order| order.order_id.to_string()) else { return Vec::new() };
    state.toasts.say(Notice::CopySent(id.clone()), state.now);
    vec![Effect::Copy(id)]
}

/// Scrolls the table that is shown as little as needed to show its selection.
pub(super) fn keep_selection_in_sight(state: &mut State) {
    let shown = layout::shown_rows(state);
    match state.tab {
        Tab::Orders => state.orders.keep_in_sight(shown),
        Tab::Accounts => state.accounts.listing.keep_in_sight(shown),
        Tab::Items => state.items.listing.keep_in_sight(shown),
        Tab::Events => state.events.keep_in_sight(shown),
        Tab::Dead => state.dead.keep_in_sight(shown),
        Tab::Health => {
            let most = draw::health_lines_below(state);
            state.health_tab.scroll = state.health_tab.scroll.min(most);
        }
    }
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

fn retry(state: &mut State) -> Vec<Effect> {
    match state.toasts.repeatable().cloned() {
        Some(request) => {
            state.toasts.sent(request.clone());
            vec![Effect::Ask(request)]
        }
        None => Vec::new(),
    }
}

/// The item that a form begins with: the selected one, else the one that was picked last.
fn item_at_hand(state: &State) -> Option<ItemId> {
    let selected = state.items.listing.selected_row().filter(|_| state.tab == Tab::Items);
    selected.map(|item| item.item_id.clone()).or_else(|| state.pickable.last_item.clone())
}

/// The customer that a form begins with: likewise.
fn customer_at_hand(state: &State) -> Option<Customer> {
    let selected = state.accounts.listing.selected_row().filter(|_| state.tab == Tab::Accounts);
    selected.map(|account| account.customer.clone()).or_else(|| state.pickable.last_customer.clone())
}
