//! Looking at orders: filters, one of them whole, and the ways there.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::message::{Effect, Message, Query, Request};
use skstore::dashboard::screens::wanted;
use skstore::dashboard::size::Size;
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::dashboard::table::movement::Table;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore_domain::answers::Answer;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;
use skstore_workers::desk::{ANSWER_WITHIN, DeskError};

use super::answer;
use crate::builders::*;

/// Which orders are wanted of the view.
fn orders_wanted(state: &State) -> skstore_workers::desk::view::OrderFilter {
    let Query::Orders(query) = wanted(state).query else { panic!("another tab is shown") };
    query.filter
}

#[test]
fn a_filter_is_asked_of_the_view_while_it_is_typed_and_removed_with_back() {
    let mut state = desk();
    press(&mut state, '/');
    type_in(&mut state, "status:placed ");
    let effects = press(&mut state, 'q');
    assert!(effects.contains(&Effect::Read), "it is looked for at once");
    let filter = orders_wanted(&state);
    assert_eq!((filter.status, filter.text.as_deref()), (Some(OrderStatus::Placed), Some("q")));
    press(&mut state, KeyCode::Enter);
    assert_eq!(orders_wanted(&state), filter);
    let effects = press(&mut state, KeyCode::Esc);
    assert!(effects.contains(&Effect::Read));
    assert_eq!(orders_wanted(&state), skstore_workers::desk::view::OrderFilter::default());
}

#[test]
fn whoever_thinks_better_of_a_filter_has_the_one_from_before() {
    let mut state = desk();
    press(&mut state, '/');
    type_in(&mut state, "item:10");
    press(&mut state, KeyCode::Enter);
    press(&mut state, '/');
    type_in(&mut state, " lee");
    assert!(orders_wanted(&state).text.is_some());
    press(&mut state, KeyCode::Esc);
    let filter = orders_wanted(&state);
    assert_eq!((filter.item_id, filter.text), (Some(item_id("10")), None));
    assert_eq!(state.orders.typed, "item:10");
}

#[test]
fn a_wrong_filter_stays_to_be_mended() {
    let mut state = desk();
    press(&mut state, '/');
    type_in(&mut state, "status:lost");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.scope(), Scope::Filter);
    assert!(screen(&state).contains("There is no status 'lost'"), "{}", screen(&state));
}

#[test]
fn a_snapshot_of_another_filter_comes_too_late() {
    let mut state = desk();
    let late = snapshot(&state, vec![row(order(7))], health());
    press(&mut state, '/');
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Enter);
    update(&mut state, NOW, Message::Read(Box::new(late)));
    assert!(state.orders.page.rows.is_empty(), "rows of the old filter are not shown under the new one");
}

#[test]
fn a_pasted_text_is_no_keys() {
    let mut state = desk();
    let effects = update(&mut state, NOW, Message::Paste("q\nxy".into()));
    assert!(effects.is_empty());
    assert_eq!(state.scope(), Scope::Orders);
    press(&mut state, '/');
    update(&mut state, NOW, Message::Paste("status:placed\n".into()));
    press(&mut state, KeyCode::Enter);
    assert_eq!(orders_wanted(&state).status, Some(OrderStatus::Placed));
}

#[test]
fn an_open_detail_asks_order_and_deposit_and_again_when_the_order_changes() {
    let mut state = desk();
    reads(&mut state, vec![row(order(1))], health());
    let effects = press(&mut state, KeyCode::Enter);
    let (about_order, about_payment) = (Request::Order(order_id(1)), Request::Payment(order_id(1)));
    assert_eq!(asked(&effects), [&about_order, &about_payment]);
    let effects = reads(&mut state, vec![row(order(1))], health());
    assert_eq!(asked(&effects), Vec::<&Request>::new(), "nothing has changed");
    let mut changed = order(1);
    changed.revision += 1;
    let effects = reads(&mut state, vec![row(changed.clone())], health());
    assert_eq!(asked(&effects), Vec::<&Request>::new(), "one question at a time");
    let effects = answer(&mut state, NOW, &about_order, Ok(Answer::order(order(1))));
    assert_eq!(asked(&effects), [&about_order], "the change meanwhile is asked about now");
    let unheard = DeskError::NoAnswer { service: Service::Deposit, within: ANSWER_WITHIN };
    answer(&mut state, NOW, &about_payment, Err(unheard.clone()));
    let effects = answer(&mut state, NOW, &about_payment, Err(unheard));
    assert_eq!(asked(&effects), Vec::<&Request>::new(), "a service that is down is not asked at once again");
    let effects = update(&mut state, NOW.after(Duration::from_secs(6)), Message::Tick);
    assert_eq!(asked(&effects), [&about_payment], "but after a while");
}

#[test]
fn an_open_detail_holds_its_order_while_others_arrive() {
    let mut state = desk();
    reads(&mut state, vec![row(order(5))], health());
    press(&mut state, KeyCode::Enter);
    reads(&mut state, vec![row(order(4)), row(order(5))], health());
    assert_eq!(state.current_order().map(|order| &order.order_id), Some(&order_id(5)));
    press(&mut state, KeyCode::Up);
    assert_eq!(state.current_order().map(|order| &order.order_id), Some(&order_id(4)), "keys still move it");
    press(&mut state, KeyCode::Esc);
    reads(&mut state, vec![row(order(3)), row(order(4)), row(order(5))], health());
    assert!(state.orders.follows(), "closed at the top it follows again");
}

#[test]
fn an_open_order_can_be_seen_as_it_was() {
    let mut state = desk();
    reads(&mut state, vec![row(order(1))], health());
    press(&mut state, KeyCode::Enter);
    reads(&mut state, vec![row(order(1))], health());
    for (key, expected) in [
        (KeyCode::Left, "as it was at 14:13:20.523 (step 4 of 5)"),
        (KeyCode::Left, "as it was at 14:13:19.154 (step 3 of 5)"),
        (KeyCode::Right, "(step 4 of 5)"),
    ] {
        press(&mut state, key);
        assert!(screen(&state).contains(expected), "{}", screen(&state));
    }
    press(&mut state, KeyCode::Left);
    let shown = screen(&state);
    assert!(shown.contains("✓ placed") && !shown.contains("started  "), "{shown}");
    for _ in 0..9 {
        press(&mut state, KeyCode::Right);
    }
    assert!(!screen(&state).contains("as it was"), "after the last step it is shown as it is");
}

#[test]
fn a_frozen_table_stands_still_and_shows_what_it_missed_when_it_goes_on() {
    let mut state = desk();
    press(&mut state, ' ');
    reads(&mut state, vec![row(order(0))], health());
    assert_eq!(state.orders.page.rows.len(), rows().len());
    assert!(screen(&state).contains("frozen 0s ago"), "{}", screen(&state));
    let effects = press(&mut state, ' ');
    assert!(effects.contains(&Effect::Read));
    reads(&mut state, vec![row(order(0))], health());
    assert_eq!(state.orders.page.rows.len(), 1);
}

#[test]
fn the_orders_of_an_account_or_item_are_one_key_away() {
    for (tab, customer, item) in [(Tab::Accounts, Some("kimchi"), None), (Tab::Items, None, Some("11"))] {
        let mut state = showing(tab, Language::English, 120, 40);
        press(&mut state, KeyCode::Down);
        let effects = press(&mut state, KeyCode::Enter);
        assert!(effects.contains(&Effect::Read));
        assert_eq!(state.tab, Tab::Orders);
        let filter = orders_wanted(&state);
        assert_eq!(filter.customer.as_ref().map(|name| name.as_str()), customer, "from {tab:?}");
        assert_eq!(filter.item_id.as_ref().map(|id| id.as_str()), item, "from {tab:?}");
    }
}

#[test]
fn an_event_leads_to_its_order() {
    let mut state = showing(Tab::Events, Language::English, 120, 40);
    let subject = state.events.selected_row().unwrap().subject.clone();
    let effects = press(&mut state, KeyCode::Enter);
    assert!(effects.contains(&Effect::Read));
    assert_eq!(state.tab, Tab::Orders);
    assert_eq!(wanted(&state).detail.map(|id| id.to_string()), Some(subject.clone()));
    assert_eq!(orders_wanted(&state).id_prefix, Some(subject));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Esc);
    assert_eq!(orders_wanted(&state), skstore_workers::desk::view::OrderFilter::default());
}

#[test]
fn only_what_the_tab_shows_is_wanted_of_the_view() {
    let mut state = desk();
    press(&mut state, KeyCode::Enter);
    assert!(wanted(&state).detail.is_some());
    let effects = press(&mut state, '2');
    assert!(effects.contains(&Effect::Read), "it is read at once");
    assert!(matches!(wanted(&state).query, Query::Accounts(_)));
    assert_eq!(wanted(&state).detail, None, "an order that is not on the screen is not read");
    press(&mut state, KeyCode::BackTab);
    assert!(wanted(&state).detail.is_some(), "it is still open on the way back");
}

#[test]
fn a_smaller_screen_keeps_the_selection_in_sight() {
    let mut state = desk();
    for _ in 0..30 {
        press(&mut state, 'j');
    }
    let selected = state.current_order().unwrap().order_id.clone();
    update(&mut state, NOW, Message::Resized(Size { width: 80, height: 24 }));
    let shown = skstore::dashboard::layout::shown_rows(&state);
    let line = state.orders.selected_index().unwrap() - state.orders.offset;
    assert!(line < shown, "line {line} of {shown}");
    assert_eq!(state.current_order().unwrap().order_id, selected);
}
