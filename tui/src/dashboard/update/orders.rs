//! Keys in the table of orders and in the detail of one.

use crate::dashboard::draw;
use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::{Effect, Request};
use crate::dashboard::state::detail::Detail;
use crate::dashboard::state::dialogs::{Confirm, Question};
use crate::dashboard::state::filter_line::FilterLine;
use crate::dashboard::state::{Layer, State};

/// Does what a key there does.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let shown = layout::shown_rows(state);
    match action {
        Action::CancelOrder => ask_to_cancel(state),
        Action::Filter => {
            let line = FilterLine::beginning_with(&state.orders.typed);
            state.layers.push(Layer::Filter(Box::new(line)));
        }
        Action::Open => open_detail(state),
        Action::Back => back(state),
        Action::DetailUp => scroll_detail(state, -1),
        Action::DetailDown => scroll_detail(state, 1),
        Action::StepBack => step_in_time(state, -1),
        Action::StepForward => step_in_time(state, 1),
        Action::Raw => {
            if let Some(detail) = &mut state.detail {
                (detail.is_raw, detail.scroll) = (!detail.is_raw, 0);
            }
        }
        Action::Freeze => {
            state.orders.toggle_freeze(state.now);
            return vec![Effect::Read];
        }
        _ => {
            match action {
                Action::ScanOn => {
                    state.orders.scan_on();
                }
                Action::Newest => state.orders.to_newest(),
                Action::Oldest => state.orders.to_oldest(shown),
                _ => return move_in(state, action),
            }
            follow_with_detail(state);
            // A table that was frozen shows at once what it has missed.
            return vec![Effect::Read];
        }
    }
    Vec::new()
}

fn step_in_time(state: &mut State, by: isize) {
    if let Some(detail) = &mut state.detail {
        detail.go_to(by);
    }
    // The steps are the last lines: the one that was gone to must be on the screen.
    let most = draw::detail_lines_below(state);
    if let Some(detail) = &mut state.detail {
        let last = detail.steps().len().saturating_sub(1);
        let below = last.saturating_sub(detail.then.unwrap_or(last));
        detail.scroll = detail.scroll.min(most).max(most.saturating_sub(below));
    }
}

/// Keys that move: in the table, or on a narrow screen in the detail.
fn move_in(state: &mut State, action: Action) -> Vec<Effect> {
    let shown = layout::shown_rows(state);
    let page = isize::try_from(shown).unwrap_or(isize::MAX);
    if state.detail.is_some() && !layout::is_wide(state.size) {
        match action {
            Action::Up => scroll_detail(state, -1),
            Action::Down => scroll_detail(state, 1),
            Action::PageUp => scroll_detail(state, -page),
            Action::PageDown => scroll_detail(state, page),
            Action::Newer => move_selection(state, -1, shown),
            Action::Older => move_selection(state, 1, shown),
            _ => {}
        }
        return Vec::new();
    }
    match action {
        Action::Up => move_selection(state, -1, shown),
        Action::Down => move_selection(state, 1, shown),
        Action::PageUp => move_selection(state, -page, shown),
        Action::PageDown => move_selection(state, page, shown),
        _ => {}
    }
    Vec::new()
}

pub(super) fn move_selection(state: &mut State, by: isize, shown: usize) {
    state.orders.move_by(by, shown);
    follow_with_detail(state);
}

/// An open detail shows the selected order. It holds the selection: while one reads, nothing shall change but
/// the order itself.
pub(super) fn follow_with_detail(state: &mut State) {
    if state.detail.is_none() {
        return;
    }
    state.orders.hold();
    let Some(id) = state.orders.selected_row().map(|row| row.order.order_id.clone()) else { return };
    if state.detail.as_ref().is_some_and(|detail| detail.id != id) {
        state.detail = Some(Detail::of(id));
    }
}

pub(super) fn open_detail(state: &mut State) {
    state.orders.hold();
    state.detail = state.orders.selected_row().map(|row| Detail::of(row.order.order_id.clone()));
    super::screen::keep_selection_in_sight(state);
}

fn back(state: &mut State) {
    if state.detail.take().is_some() {
        state.orders.release();
        super::screen::keep_selection_in_sight(state);
    } else {
        state.orders.show(skstore_workers::desk::view::OrderFilter::default(), "");
    }
}

pub(super) fn scroll_detail(state: &mut State, by: isize) {
    let most = draw::detail_lines_below(state);
    if let Some(detail) = &mut state.detail {
        detail.scroll = detail.scroll.saturating_add_signed(by).min(most);
    }
}

fn ask_to_cancel(state: &mut State) {
    if let Some(order) = state.current_order().cloned() {
        let question = Question::Cancel(Box::new(order));
        state.layers.push(Layer::Confirm(Box::new(Confirm { question, yes: false })));
    }
}

/// Asks Order and Deposit about the order whose detail is open, if it is new or has changed.
pub(super) fn ask_about_detail(state: &mut State, effects: &mut Vec<Effect>) {
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
