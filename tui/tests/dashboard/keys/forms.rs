//! Forms: what is picked and typed is what is sent.

use crossterm::event::KeyCode;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::message::{Message, Request};
use skstore::dashboard::tab::Tab;
use skstore::dashboard::update;
use skstore::text::{Language, Text};
use skstore_domain::ids::Customer;
use skstore_domain::money::Won;
use skstore_domain::objects::Account;

use super::{in_form, placed};
use crate::builders::*;

#[test]
fn a_form_sends_what_it_shows_under_the_id_it_was_given() {
    placed();
}

#[test]
fn a_form_without_an_id_is_not_sent() {
    let mut state = desk();
    press(&mut state, 'n');
    reads(&mut state, rows(), health());
    for _ in 0..3 {
        let effects = press(&mut state, KeyCode::Enter);
        assert_eq!(asked(&effects), Vec::<&Request>::new());
    }
    assert!(screen(&state).contains(Language::English.get(Text::NeedsId)), "{}", screen(&state));
}

#[test]
fn a_number_out_of_bounds_is_not_sent() {
    for typed in ["0", "1001", ""] {
        let mut state = in_form('n');
        press(&mut state, KeyCode::Enter);
        press(&mut state, KeyCode::Enter);
        press(&mut state, KeyCode::Backspace);
        type_in(&mut state, typed);
        let effects = press(&mut state, KeyCode::Enter);
        assert_eq!(asked(&effects), Vec::<&Request>::new(), "quantity {typed:?}");
        assert!(screen(&state).contains("1 to 1,000"), "it says what it must be:\n{}", screen(&state));
    }
}

#[test]
fn a_typed_quantity_replaces_the_one_that_was_offered() {
    let mut state = in_form('n');
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "25");
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::Place(place)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(place.qty, 25);
}

#[test]
fn a_new_customer_can_be_topped_up_by_typing_the_name() {
    let mut state = in_form('u');
    type_in(&mut state, "박영수");
    press(&mut state, KeyCode::Enter);
    press(&mut state, '+');
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::TopUp(top_up)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((top_up.customer.as_str(), top_up.amount), ("박영수", Won(20_000)));
    assert!(top_up.topup_id.is_some(), "a top-up can be repeated safely");
}

#[test]
fn a_remembered_customer_who_is_not_listed_is_not_replaced_by_another() {
    let mut state = desk();
    state.pickable.last_customer = Some(customer("zed"));
    press(&mut state, 'n');
    let mut read = snapshot(&state, rows(), health());
    read.pickers.as_mut().unwrap().has_more_accounts = true;
    update(&mut state, NOW, Message::Read(Box::new(read)));
    update(&mut state, NOW, Message::OrderId(order_id(99)));
    press(&mut state, KeyCode::Enter);
    assert!(
        screen(&state).contains("▸ zed                  not listed, balance unknown"),
        "{}",
        screen(&state)
    );
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::Place(place)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(place.customer, Some(customer("zed")));
}

#[test]
fn an_account_of_an_old_name_is_listed_but_nothing_new_begins_with_it() {
    for old in ["kim ", "kim\u{3164}", "\u{1112}\u{1161}\u{11ab}"] {
        let mut state = in_form('u');
        let mut read = snapshot(&state, rows(), health());
        let customer = Customer::kept(old).unwrap();
        let account = Account { customer, balance: Won(7), revision: 1 };
        read.pickers.get_or_insert_default().accounts = vec![account];
        update(&mut state, NOW, Message::Read(Box::new(read)));
        press(&mut state, KeyCode::Enter);
        let effects = press(&mut state, KeyCode::Enter);
        assert_eq!(asked(&effects), Vec::<&Request>::new(), "{old:?}");
        assert!(screen(&state).contains("no longer accepted"), "{old:?} is told why:\n{}", screen(&state));
    }
}

#[test]
fn a_name_that_is_typed_in_parts_is_the_one_that_is_listed() {
    let mut state = in_form('u');
    type_in(&mut state, "\u{1100}\u{1175}\u{11b7}철수");
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::TopUp(top_up)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(top_up.customer, customer("김철수"));
}

#[test]
fn a_restock_names_item_and_units() {
    let mut state = in_form('s');
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::Restock(restock)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((restock.item_id.as_str(), restock.qty), ("11", 10));
}

#[test]
fn items_and_accounts_are_found_by_half_remembered_names() {
    let mut state = in_form('n');
    type_in(&mut state, "ㅅㄱ");
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kmc");
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::Place(place)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((place.item_id.as_str(), place.customer.as_ref().unwrap().as_str()), ("10", "kimchi"));
}

#[test]
fn what_a_new_customer_is_called_is_not_taken_for_somebody_with_the_same_letters() {
    let mut state = in_form('u');
    type_in(&mut state, "kmi");
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::TopUp(top_up)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(top_up.customer.as_str(), "kmi");
}

#[test]
fn the_selected_account_or_item_is_what_forms_begin_with() {
    let mut state = showing(Tab::Accounts, Language::English, 120, 40);
    press(&mut state, KeyCode::Down);
    press(&mut state, 'u');
    reads(&mut state, rows(), health());
    assert!(screen(&state).contains("▸ kimchi "), "{}", screen(&state));
    let mut state = showing(Tab::Items, Language::English, 120, 40);
    press(&mut state, 'j');
    press(&mut state, 'j');
    press(&mut state, 's');
    reads(&mut state, rows(), health());
    assert!(screen(&state).contains("▸ 12 쌀 20kg"), "{}", screen(&state));
}

#[test]
fn help_can_be_opened_over_a_form_and_gives_it_back() {
    let mut state = in_form('n');
    type_in(&mut state, "app?");
    assert_eq!(state.scope(), Scope::Picker, "'?' is a letter in a field");
    press(&mut state, KeyCode::F(1));
    assert_eq!(state.scope(), Scope::Help);
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.scope(), Scope::Picker);
}
