//! The mouse: a click does what a key does to what is under it, the wheel moves what is under it.

use crossterm::event::KeyCode;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::message::{Found, Gesture, Message, Request};
use skstore::dashboard::size::Size;
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::dashboard::table::movement::Table;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore::text::names::name_of;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::money::Won;

use crate::builders::*;

#[test]
fn a_click_does_what_a_key_does_to_what_is_under_it() {
    let mut state = desk();
    click(&mut state, "3 items");
    assert_eq!(state.tab, Tab::Items);
    click(&mut state, "1 orders");
    assert_eq!(state.tab, Tab::Orders);
    click(&mut state, "14:13:11");
    assert_eq!(state.current_order().map(|order| order.order_id.clone()), Some(order_id(9)));
    click(&mut state, "14:13:11");
    assert!(state.open_detail().is_some(), "a click on the selected row opens it");
    press(&mut state, KeyCode::Esc);
    click(&mut state, "n order");
    assert_eq!(state.scope(), Scope::Picker, "keys in the footer can be clicked");
    press(&mut state, KeyCode::Esc);
    click(&mut state, "b breaker");
    click(&mut state, "forced open");
    assert_eq!(state.scope(), Scope::Confirm);
    let effects = click(&mut state, "yes");
    assert_eq!(asked(&effects), [&Request::ForceBreaker(BreakerMode::Open)]);
    click(&mut state, "b breaker");
    click(&mut state, "forced open");
    let effects = click(&mut state, "▸ no");
    assert_eq!((asked(&effects), state.scope()), (vec![], Scope::Orders));
}

#[test]
fn the_wheel_moves_the_table_or_the_detail_under_it() {
    let mut state = desk();
    mouse(&mut state, Gesture::WheelDown, 5, 10);
    mouse(&mut state, Gesture::WheelDown, 5, 10);
    mouse(&mut state, Gesture::WheelUp, 5, 10);
    assert_eq!(state.orders.selected_index(), Some(3));
    update(&mut state, NOW, Message::Resized(Size { width: 120, height: 20 }));
    press(&mut state, KeyCode::Enter);
    reads(&mut state, rows(), health());
    see(&mut state);
    mouse(&mut state, Gesture::WheelDown, 110, 10);
    assert_eq!(state.orders.selected_index(), Some(3), "the table stays where it is");
    assert_eq!(state.detail.as_ref().map(|detail| detail.scroll.at), Some(3));
}

#[test]
fn a_click_on_a_column_sorts_by_it_and_shows_it() {
    let mut state = desk();
    click(&mut state, "won");
    assert!(screen(&state).contains("won▲"), "{}", screen(&state));
    assert_eq!(state.current_order().map(|order| order.amount), Some(Won(900)), "the smallest first");
    click(&mut state, "won");
    assert!(screen(&state).contains("won▼"), "{}", screen(&state));
    assert_eq!(state.current_order().map(|order| order.amount), Some(Won(10_000_000)));
    click(&mut state, "won");
    assert!(screen(&state).contains("time▼"), "newest first again:\n{}", screen(&state));
    press(&mut state, 'o');
    press(&mut state, 'o');
    assert!(screen(&state).contains("customer▲"), "by key too:\n{}", screen(&state));
}

#[test]
fn accounts_and_items_are_sorted_by_click_and_key_as_orders_are() {
    let first = |state: &State| match state.tab {
        Tab::Accounts => state.accounts.listing.rows().next().map(|account| account.customer.to_string()),
        Tab::Items => state.items.rows().next().map(|item| item.item_id.to_string()),
        Tab::Orders | Tab::Health | Tab::Events | Tab::Dead => None,
    };
    // By a column: its name, what comes first upwards and downwards; and how often the key is pressed until then.
    for (tab, name, up, down, keys) in [
        (Tab::Accounts, "balance (won)", "kimchi", "walk-in", 1),
        (Tab::Items, "stock", "11", "10", 3),
        (Tab::Items, "price (won)", "11", "12", 2),
        (Tab::Items, "name", "10", "12", 1),
    ] {
        let mut state = showing(tab, Language::English, 80, 24);
        let by_itself = first(&state);
        for (arrow, expected) in [("▲", up), ("▼", down)] {
            click(&mut state, name);
            let shown = screen(&state);
            assert!(shown.contains(&format!("{name}{arrow}")), "{shown}");
            assert_eq!(first(&state).as_deref(), Some(expected), "{name}{arrow}:\n{shown}");
        }
        click(&mut state, name);
        assert_eq!(first(&state), by_itself, "by name again");
        (0..keys).for_each(|_| drop(press(&mut state, 'o')));
        assert_eq!(first(&state).as_deref(), Some(up), "{name} by key:\n{}", screen(&state));
        press(&mut state, 'O');
        assert_eq!(first(&state).as_deref(), Some(down), "{name} the other way round:\n{}", screen(&state));
    }
}

#[test]
fn the_column_that_rows_are_sorted_by_anyway_is_turned_round_by_the_first_click() {
    for (tab, name) in [(Tab::Accounts, "customer"), (Tab::Items, "id")] {
        let mut state = showing(tab, Language::English, 80, 24);
        for arrow in ["▲", "▼", "▲", "▼"] {
            let shown = screen(&state);
            assert!(shown.contains(&format!("{name}{arrow}")), "{shown}");
            click(&mut state, &format!("  {name}{arrow}"));
        }
    }
}

#[test]
fn items_are_sorted_by_the_names_that_are_shown() {
    let mut state = showing(Tab::Items, Language::English, 80, 24);
    let names = |state: &State| {
        let language = state.look.language;
        state.items.rows().map(|item| name_of(item, language).to_owned()).collect::<Vec<_>>()
    };
    click(&mut state, "name");
    assert_eq!(names(&state), ["apple", "pear", "쌀 20kg"]);
    press(&mut state, 'l');
    assert_eq!(names(&state), ["배", "사과", "쌀 20kg"]);
}

#[test]
fn a_part_of_the_accounts_that_is_sorted_says_so() {
    let mut state = showing(Tab::Accounts, Language::English, 80, 24);
    press(&mut state, 'o');
    assert!(!screen(&state).contains("sorted"), "all of them are:\n{}", screen(&state));
    let mut read = snapshot(&state, rows(), health());
    if let Found::Accounts(found) = &mut read.found {
        found.has_more = true;
    }
    update(&mut state, NOW, Message::Read(Box::new(read)));
    assert!(screen(&state).contains("4 loaded ones sorted"), "{}", screen(&state));
}

#[test]
fn a_form_is_filled_in_and_sent_by_the_mouse_alone() {
    let mut state = desk();
    click(&mut state, "n order");
    reads(&mut state, rows(), health());
    update(&mut state, NOW, Message::OrderId(order_id(99)));
    click(&mut state, "12 쌀 20kg");
    click(&mut state, "kimchi");
    for _ in 0..3 {
        click(&mut state, "[+]");
    }
    click(&mut state, "[-]");
    click(&mut state, "쌀 20kg (");
    assert_eq!(state.scope(), Scope::Picker, "a field gets the keys:\n{}", screen(&state));
    click(&mut state, "10 apple");
    let effects = click(&mut state, "[ send ]");
    let [Request::Place(place)] = asked(&effects)[..] else { panic!("{effects:?}:\n{}", screen(&state)) };
    let sent = (place.item_id.as_str(), place.customer.as_ref().map(|name| name.as_str()), place.qty);
    assert_eq!(sent, ("10", Some("kimchi"), 3));
    assert!(state.layers.is_empty(), "{}", screen(&state));
}

#[test]
fn what_lies_over_the_screen_can_be_left_by_the_mouse() {
    for (keys, way_out) in [("n", "[ close ]"), ("n", "Esc close"), ("?", "Esc close"), ("b", "Esc close")] {
        let mut state = desk();
        type_in(&mut state, keys);
        reads(&mut state, rows(), health());
        assert!(!state.layers.is_empty());
        click(&mut state, way_out);
        assert!(state.layers.is_empty(), "'{way_out}' after '{keys}':\n{}", screen(&state));
    }
}

#[test]
fn every_place_of_every_screen_can_be_clicked() {
    for keys in ["", "b", ":", "n", "/", "?", "c", "2", "3", "5"] {
        for (width, height) in [(120, 40), (60, 16), (30, 5)] {
            let mut state = busy(Language::Korean, width, height);
            type_in(&mut state, keys);
            reads(&mut state, rows(), health());
            see(&mut state);
            for y in 0..height {
                for x in (0..width).step_by(7) {
                    let mut state = state.clone();
                    mouse(&mut state, Gesture::Click, x, y);
                    mouse(&mut state, Gesture::WheelDown, x, y);
                }
            }
        }
    }
}
