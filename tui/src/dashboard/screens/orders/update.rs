//! Keys among the orders, and in the detail of one.

use skstore_domain::objects::OrderStatus;
use skstore_workers::desk::view::OrderFilter;

use super::detail::state::Detail;
use super::filter::{self, BadFilter};
use super::{detail, draw};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layers::dialogs::state::Question;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::{Effect, Found, OrdersQuery, Query, Request};
use crate::dashboard::screens::screen::Screen;
use crate::dashboard::state::State;
use crate::dashboard::tab::Tab;
use crate::dashboard::table::movement::{Table, rows_moved};
use crate::dashboard::table::sort::Resort;
use crate::dashboard::toasts::state::Notice;
use crate::text::Text;
use crate::text::names::Names;

/// The screen of orders.
pub(crate) struct OrdersScreen;

impl Screen for OrdersScreen {
    fn query(&self, state: &State) -> Query {
        let orders = &state.orders;
        Query::Orders(OrdersQuery { filter: orders.filter.clone(), start: orders.start.clone() })
    }

    fn read(&self, state: &mut State, _: Query, found: Found) {
        if let Found::Orders(page) = found {
            let shown = layout::shown_rows(state);
            state.orders.read(page, Names::new(state.look.language, &state.pickable.items), shown);
        }
    }

    fn refusal(&self, state: &State, action: Action) -> Option<Text> {
        let unless = |possible: bool, why: Text| (!possible).then_some(why);
        match action {
            Action::CopyId => unless(state.current_order().is_some(), Text::WhyNothingSelected),
            Action::CancelOrder => why_not_cancelled(state),
            Action::Open if state.detail.is_some() => Some(Text::WhyAlreadyOpen),
            Action::Open => unless(state.current_order().is_some(), Text::WhyNothingSelected),
            Action::Back => {
                unless(state.detail.is_some() || !state.orders.typed.is_empty(), Text::WhyNothingOpen)
            }
            Action::DetailUp | Action::DetailDown => unless(state.detail.is_some(), Text::WhyNothingOpen),
            Action::StepBack | Action::StepForward => {
                let has_steps = state.open_detail().is_some_and(|detail| !detail.steps().is_empty());
                unless(has_steps, Text::WhyNoTimeline)
            }
            Action::Raw => unless(state.detail.is_some(), Text::WhyNoTimeline),
            Action::ScanOn => {
                let page = &state.orders.page;
                unless(page.scanned.is_some() && page.next.is_some(), Text::WhyNothingToScan)
            }
            _ => None,
        }
    }

    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        match action {
            Action::CancelOrder => ask_to_cancel(state),
            Action::CopyId => return copy_id(state),
            Action::Filter => state.open_filter(state.orders.typed.clone()),
            Action::Open => open_detail(state),
            Action::Back => back(state),
            Action::DetailUp => scroll_detail(state, -1),
            Action::DetailDown => scroll_detail(state, 1),
            Action::StepBack => step_in_time(state, -1),
            Action::StepForward => step_in_time(state, 1),
            Action::Raw => state.detail.iter_mut().for_each(Detail::toggle_raw),
            // A table that was frozen shows at once what it has missed.
            Action::Freeze => {
                state.orders.toggle_freeze(state.now);
                return vec![Effect::Read];
            }
            Action::ScanOn | Action::Newest | Action::Oldest => {
                go_far(state, action);
                return vec![Effect::Read];
            }
            _ => move_in(state, action),
        }
        Vec::new()
    }

    fn table<'a>(&self, state: &'a mut State) -> Option<&'a mut dyn Table> {
        Some(&mut state.orders)
    }

    fn move_by(&self, state: &mut State, rows: isize) {
        let shown = layout::shown_rows(state);
        state.orders.move_by(rows, shown);
        follow_with_detail(state);
    }

    fn click(&self, state: &mut State, row: usize) {
        if state.orders.selected_index() == Some(row) && state.detail.is_none() {
            open_detail(state);
        } else {
            state.orders.select(row);
            follow_with_detail(state);
        }
    }

    fn resort(&self, state: &mut State, wish: Resort) -> Vec<Effect> {
        let shown = layout::shown_rows(state);
        state.orders.resort(wish, Names::new(state.look.language, &state.pickable.items), shown);
        follow_with_detail(state);
        // A table that was frozen shows at once what it has missed.
        vec![Effect::Read]
    }

    fn filter_by(&self, state: &mut State, typed: &str) {
        let Ok(filter) = filter::parse(typed, &state.pickable.items) else { return };
        if filter == state.orders.filter && state.orders.is_read {
            typed.trim().clone_into(&mut state.orders.typed);
        } else {
            state.orders.show(filter, typed.trim());
            state.detail = None;
        }
    }

    fn filter_problem(&self, state: &State, typed: &str) -> Option<BadFilter> {
        filter::parse(typed, &state.pickable.items).err()
    }

    fn filter_hint(&self) -> Text {
        Text::FilterHint
    }

    fn filter_cost(&self, state: &State, ink: &Ink<'_>) -> String {
        draw::filter_cost(state, ink)
    }

    fn shows_time(&self, state: &State) -> bool {
        !state.orders.page.rows.is_empty()
    }

    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
        match (&state.detail, areas.side) {
            (Some(detail), None) => detail::draw::draw(state, detail, ink, canvas, areas.main),
            (Some(detail), Some(side)) => {
                draw::table(state, ink, canvas, areas.main);
                let inner = ink.side_of(canvas, side);
                detail::draw::draw(state, detail, ink, canvas, inner);
            }
            (None, _) => draw::table_and_panels(state, ink, canvas, areas),
        }
    }
}

fn why_not_cancelled(state: &State) -> Option<Text> {
    let Some(order) = state.current_order() else { return Some(Text::WhyNothingSelected) };
    match order.status {
        OrderStatus::Cancelled => Some(Text::WhyAlreadyCancelled),
        OrderStatus::Rejected => Some(Text::WhyAlreadyRejected),
        OrderStatus::Paying if order.cancel_requested => Some(Text::WhyCancelRequested),
        OrderStatus::Paying | OrderStatus::Placed | OrderStatus::Delivering => None,
    }
}

fn ask_to_cancel(state: &mut State) {
    if let Some(order) = state.current_order().cloned() {
        state.ask(Question::Cancel(Box::new(order)));
    }
}

/// Asks the terminal to put the id of the order that actions are about into the clipboard. It does not say whether it did.
fn copy_id(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.current_order().map(|order| order.order_id.to_string()) else { return Vec::new() };
    state.toasts.say(Notice::CopySent(id.clone()), state.now);
    vec![Effect::Copy(id)]
}

fn go_far(state: &mut State, action: Action) {
    match action {
        Action::ScanOn => {
            state.orders.scan_on();
        }
        Action::Newest => state.orders.to_newest(),
        _ => {
            let shown = layout::shown_rows(state);
            state.orders.to_oldest(shown);
        }
    }
    follow_with_detail(state);
}

/// Keys that move: in the table, or on a narrow screen in the detail.
fn move_in(state: &mut State, action: Action) {
    let rows = rows_moved(action, layout::shown_rows(state));
    let is_covered = state.detail.is_some() && !state.size.is_wide();
    match (action, rows) {
        (Action::Newer, _) if is_covered => OrdersScreen.move_by(state, -1),
        (Action::Older, _) if is_covered => OrdersScreen.move_by(state, 1),
        (_, Some(lines)) if is_covered => scroll_detail(state, lines),
        (_, Some(rows)) => OrdersScreen.move_by(state, rows),
        (_, None) => {}
    }
}

/// An open detail shows the selected order. It holds the selection: while one reads, nothing shall change but
/// the order itself.
fn follow_with_detail(state: &mut State) {
    if state.detail.is_none() {
        return;
    }
    state.orders.hold();
    let Some(id) = state.orders.selected_row().map(|row| row.order.order_id.clone()) else { return };
    if state.detail.as_ref().is_some_and(|detail| detail.id != id) {
        state.detail = Some(Detail::of(id));
    }
}

fn open_detail(state: &mut State) {
    state.orders.hold();
    state.detail = state.orders.selected_row().map(|row| Detail::of(row.order.order_id.clone()));
    OrdersScreen.keep_in_sight(state);
}

fn back(state: &mut State) {
    if state.detail.take().is_some() {
        state.orders.release();
        OrdersScreen.keep_in_sight(state);
    } else {
        state.orders.show(OrderFilter::default(), "");
    }
}

/// Scrolls the detail down by so many lines.
pub(crate) fn scroll_detail(state: &mut State, lines: isize) {
    if let Some(detail) = &mut state.detail {
        detail.scroll_by(lines);
    }
}

fn step_in_time(state: &mut State, by: isize) {
    if let Some(detail) = &mut state.detail {
        detail.go_to(by);
    }
}

/// Shows the orders that `filter` finds, which would be typed as this value of a field.
pub(crate) fn show_orders(state: &mut State, filter: OrderFilter, field: &str, value: &str) {
    let value = if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.to_owned() };
    state.orders.show(filter, &format!("{field}:{value}"));
    state.detail = None;
    state.tab = Tab::Orders;
}

/// Asks Order and Deposit about the order whose detail is open, if it is new or has changed.
pub(crate) fn ask_about_detail(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(detail) = state.open_detail() else { return };
    let order = state.detail_row(detail).map_or(0, |order| order.revision);
    let row = detail.found.as_ref().map(|found| &found.row).or_else(|| state.orders.row_of(&detail.id));
    let payment = row.and_then(|row| row.payment.as_ref()).map_or(0, |payment| payment.revision);
    let now = state.now;
    let Some(detail) = &mut state.detail else { return };
    if detail.order.asks((order, payment), now) {
        effects.push(Effect::Ask(Request::Order(detail.id.clone())));
    }
    if detail.payment.asks((order, payment), now) {
        effects.push(Effect::Ask(Request::Payment(detail.id.clone())));
    }
}
