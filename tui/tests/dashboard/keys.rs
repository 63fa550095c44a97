//! Scripted keys: what they do to the state, and what they have done outside.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::keys::{Chord, Keymap, Scope};
use skstore::dashboard::message::{Answered, Effect, Message, Query, Request, Size};
use skstore::dashboard::state::{Connection, State};
use skstore::dashboard::tab::Tab;
use skstore::dashboard::update;
use skstore::text::{Language, Text};
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::Place;
use skstore_domain::money::Won;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::{Fault, Service};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::{ANSWER_WITHIN, DeskError};

use crate::builders::*;

/// A desk whose form has its id and what can be picked.
fn in_form(key: char) -> State {
    let mut state = desk();
    let effects = press(&mut state, key);
    assert!(effects.contains(&Effect::Read), "what can be picked is read when the form opens");
    reads(&mut state, rows(), health());
    if effects.contains(&Effect::MintOrderId) {
        update(&mut state, NOW, Message::OrderId(order_id(99)));
    } else {
        let id = skstore_domain::ids::RequestId::new("r99").unwrap();
        update(&mut state, NOW, Message::RequestId(id));
    }
    state
}

/// Which orders are wanted of the view.
fn orders_wanted(state: &State) -> skstore_workers::view::OrderFilter {
    let Query::Orders(query) = state.wanted().query else { panic!("another tab is shown") };
    query.filter
}

fn answer(
    state: &mut State,
    now: Timestamp,
    request: &Request,
    result: Result<Answer, DeskError>,
) -> Vec<Effect> {
    let answered = Answered { request: request.clone(), result: result.map(Some) };
    update(state, now, Message::Answered(Box::new(answered)))
}

fn place() -> Place {
    Place {
        item_id: item_id("10"),
        qty: 2,
        customer: Some(customer("kim")),
        order_id: Some(order_id(99)),
        unit_price: Some(Won(10_000)),
    }
}

/// Places two apples for kim from the form.
fn placed() -> (State, Request) {
    let mut state = in_form('n');
    type_in(&mut state, "apple");
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Enter);
    press(&mut state, '+');
    let effects = press(&mut state, KeyCode::Enter);
    let request = Request::Place(place());
    assert_eq!(asked(&effects), [&request], "what the form sends");
    assert!(state.layers.is_empty(), "the form closes once it is sent");
    (state, request)
}

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
fn a_restock_names_item_and_units() {
    let mut state = in_form('s');
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let [Request::Restock(restock)] = asked(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((restock.item_id.as_str(), restock.qty), ("11", 10));
}

#[test]
fn try_later_counts_down_and_one_key_sends_the_same_order_again() {
    let (mut state, request) = placed();
    answer(&mut state, NOW, &request, Ok(Answer::try_later("busy", Duration::from_millis(2500))));
    assert!(screen(&state).contains("In 3 s press r"), "{}", screen(&state));
    let later = NOW.after(Duration::from_secs(60));
    update(&mut state, later, Message::Tick);
    assert!(
        screen(&state).contains("Press r to send it again"),
        "it stays until it is done:\n{}",
        screen(&state)
    );
    let effects = press(&mut state, 'r');
    assert_eq!(asked(&effects), [&request], "the same order under the same id");
    let effects = press(&mut state, 'r');
    assert_eq!(asked(&effects), Vec::<&Request>::new(), "not twice while its answer is awaited");
    let order = with_status(OrderStatus::Placed, order(99));
    answer(&mut state, later, &request, Ok(Answer::order(order)));
    assert!(screen(&state).contains("done: placed"), "{}", screen(&state));
}

#[test]
fn no_answer_says_that_it_may_have_happened_and_asks_again_under_the_same_id() {
    let (mut state, request) = placed();
    let unheard = DeskError::NoAnswer { service: Service::Order, within: ANSWER_WITHIN };
    answer(&mut state, NOW, &request, Err(unheard));
    assert!(screen(&state).contains("may still take effect"), "{}", screen(&state));
    let effects = press(&mut state, 'r');
    assert_eq!(asked(&effects), [&request]);
}

#[test]
fn a_refusal_goes_away_by_itself_and_is_not_repeated() {
    let (mut state, request) = placed();
    answer(&mut state, NOW, &request, Ok(Answer::refuse(ErrorCode::Conflict, "the price is 12000")));
    assert!(screen(&state).contains("the price is 12000"), "{}", screen(&state));
    assert_eq!(asked(&press(&mut state, 'r')), Vec::<&Request>::new());
    update(&mut state, NOW.after(Duration::from_secs(60)), Message::Tick);
    assert!(state.toasts.is_empty());
}

#[test]
fn a_lost_bus_is_a_banner_that_counts_down_until_it_is_back() {
    let mut state = busy(Language::English, 120, 40);
    let retry_at = NOW.after(Duration::from_secs(2));
    update(&mut state, NOW, Message::BusLost { cause: "refused".into(), retry_at });
    let later = NOW.after(Duration::from_secs(1));
    update(&mut state, later, Message::Tick);
    let shown = screen(&state);
    assert!(shown.contains("The message bus was lost 1s ago. Next try in 1 s: refused"), "{shown}");
    update(&mut state, later, Message::BusLost { cause: "still refused".into(), retry_at });
    assert!(screen(&state).contains("lost 1s ago"), "a further try that fails is no new loss");
    update(&mut state, later, Message::BusBack);
    assert!(!screen(&state).contains("message bus was lost"), "{}", screen(&state));
}

#[test]
fn workers_that_are_not_heard_of_make_everything_doubtful() {
    let mut state = busy(Language::English, 120, 40);
    assert!(!screen(&state).contains("No news"), "{}", screen(&state));
    update(&mut state, NOW.after(Duration::from_secs(9)), Message::Tick);
    assert!(screen(&state).contains("No news from any worker for 9s"), "{}", screen(&state));
}

#[test]
fn a_lost_view_and_a_lost_bus_are_both_told() {
    let mut state = busy(Language::English, 120, 40);
    update(&mut state, NOW, Message::BusLost { cause: "no broker".into(), retry_at: NOW });
    update(&mut state, NOW, Message::ViewLost { cause: "no redis".into(), retry_at: NOW });
    let shown = screen(&state);
    assert!(shown.contains("no broker") && shown.contains("no redis"), "{shown}");
}

#[test]
fn the_shell_gets_the_terminal_from_everywhere() {
    let mut state = busy(Language::English, 120, 40);
    for key in ["", "n", "/", "?", "b", "L", "4"] {
        type_in(&mut state, key);
        assert_eq!(press_ctrl(&mut state, 'z'), [Effect::Suspend], "after '{key}'");
        state.layers.clear();
    }
    update(&mut state, NOW, Message::NotSuspended);
    assert!(screen(&state).contains("no shell"), "{}", screen(&state));
}

fn press_ctrl(state: &mut State, key: char) -> Vec<Effect> {
    update(state, NOW, Message::Key(Chord::ctrl(key)))
}

#[test]
fn the_id_of_the_selected_order_is_copied() {
    let mut state = busy(Language::English, 120, 40);
    press(&mut state, KeyCode::Down);
    let id = state.current_order().unwrap().order_id.to_string();
    assert_eq!(press(&mut state, 'y'), [Effect::Copy(id.clone())]);
    assert!(screen(&state).contains("copied"), "{}", screen(&state));
}

#[test]
fn the_log_is_read_from_its_end_over_whatever_is_shown() {
    let mut state = busy(Language::English, 80, 24);
    press(&mut state, 'L');
    assert!(state.shows_log());
    let lines = (0..100).map(|n| format!("2026-09-21T14:13:20Z  WARN line {n}\u{1b}[2J")).collect();
    update(&mut state, NOW, Message::Log(lines));
    assert!(screen(&state).contains("line 99") && !screen(&state).contains("line 70"), "{}", screen(&state));
    press(&mut state, KeyCode::PageUp);
    assert!(screen(&state).contains("line 70"), "{}", screen(&state));
    for _ in 0..50 {
        press(&mut state, KeyCode::PageUp);
    }
    assert!(screen(&state).contains("line 0 ") || screen(&state).contains("line 0["), "{}", screen(&state));
    press(&mut state, KeyCode::Esc);
    assert!(!state.shows_log());
}

#[test]
fn queues_are_asked_about_only_while_they_are_shown_and_one_at_a_time() {
    let mut state = busy(Language::English, 80, 24);
    assert!(!update(&mut state, NOW, Message::Tick).contains(&Effect::ReadQueues));
    assert!(press(&mut state, '4').contains(&Effect::ReadQueues));
    assert!(!update(&mut state, NOW, Message::Tick).contains(&Effect::ReadQueues), "it is asking");
    update(&mut state, NOW, Message::Queues(Err(DeskError::Unreachable("gone".into()))));
    assert!(update(&mut state, NOW, Message::Tick).contains(&Effect::ReadQueues));
}

#[test]
fn a_cancel_is_sent_only_after_yes() {
    let cancel = Request::Cancel(order_id(1));
    let keys: [(&[Key], bool); 6] = [
        (&[Key(Chord::of(KeyCode::Enter))], false),
        (&[Key(Chord::of(KeyCode::Esc))], false),
        (&[Key(Chord::char('n'))], false),
        (&[Key(Chord::char('y'))], true),
        (&[Key(Chord::of(KeyCode::Tab)), Key(Chord::of(KeyCode::Enter))], true),
        (
            &[Key(Chord::of(KeyCode::Left)), Key(Chord::of(KeyCode::Right)), Key(Chord::of(KeyCode::Enter))],
            false,
        ),
    ];
    for (keys, is_sent) in keys {
        let mut state = desk();
        press(&mut state, KeyCode::Down);
        press(&mut state, 'x');
        let effects: Vec<Effect> = keys.iter().flat_map(|key| press(&mut state, *key)).collect();
        let expected = if is_sent { vec![&cancel] } else { vec![] };
        assert_eq!(asked(&effects), expected, "after {keys:?}");
        assert_eq!(state.scope(), Scope::Orders, "the question is closed after {keys:?}");
    }
}

#[test]
fn what_is_not_possible_says_why() {
    for (status, reason) in [
        (OrderStatus::Cancelled, Text::WhyAlreadyCancelled),
        (OrderStatus::Rejected, Text::WhyAlreadyRejected),
    ] {
        let mut state = started(Language::English, 120, 40);
        reads(&mut state, vec![row(with_status(status, order(1)))], health());
        press(&mut state, 'c');
        assert_eq!(state.scope(), Scope::Orders, "nothing is asked about a {status} order");
        assert!(screen(&state).contains(Language::English.get(reason)), "{}", screen(&state));
    }
    for key in ['c', 'r', 'm', 'd', '['] {
        let mut state = started(Language::English, 120, 40);
        reads(&mut state, vec![], health());
        press(&mut state, key);
        assert!(!state.toasts.is_empty(), "'{key}' says why nothing happens");
    }
}

#[test]
fn an_order_that_ends_while_the_question_is_open_is_not_cancelled() {
    let mut state = desk();
    let one = order(1);
    reads(&mut state, vec![row(one.clone())], health());
    press(&mut state, 'c');
    let mut ended = with_status(OrderStatus::Cancelled, one);
    ended.revision += 1;
    reads(&mut state, vec![row(ended)], health());
    assert_eq!(asked(&press(&mut state, 'y')), Vec::<&Request>::new());
    assert!(screen(&state).contains(Language::English.get(Text::WhyAlreadyCancelled)), "{}", screen(&state));
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
fn the_breaker_is_forced_after_asking_and_freed_at_once() {
    let mut state = desk();
    press(&mut state, 'b');
    assert_eq!(asked(&press(&mut state, KeyCode::Enter)), [&Request::ForceBreaker(BreakerMode::Auto)]);
    press(&mut state, 'b');
    press(&mut state, KeyCode::Down);
    assert_eq!(asked(&press(&mut state, KeyCode::Enter)), Vec::<&Request>::new());
    assert_eq!(asked(&press(&mut state, 'y')), [&Request::ForceBreaker(BreakerMode::Open)]);
}

#[test]
fn a_fault_is_injected_after_asking() {
    let mut state = desk();
    press(&mut state, 'f');
    press(&mut state, 'j');
    press(&mut state, KeyCode::Enter);
    let slow = Request::Inject(Service::Deposit, Fault::Slow { ms: 400 });
    assert_eq!(asked(&press(&mut state, 'y')), [&slow]);
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
    assert_eq!(orders_wanted(&state), skstore_workers::view::OrderFilter::default());
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
fn a_lost_view_heals_by_itself() {
    let mut state = desk();
    update(&mut state, NOW, Message::ViewLost { cause: "x".into(), retry_at: NOW });
    assert!(matches!(state.connection, Connection::Lost { .. }));
    assert!(!state.orders.page.rows.is_empty(), "what was read last is still shown");
    reads(&mut state, rows(), health());
    assert_eq!(state.connection, Connection::Live);
}

#[test]
fn language_theme_and_panel_have_a_key() {
    let mut state = desk();
    press(&mut state, 'l');
    assert_eq!(state.look.language, Language::Korean);
    let theme = state.look.theme;
    press(&mut state, 't');
    assert_ne!(state.look.theme, theme);
    press(&mut state, 'p');
    assert!(!screen(&state).contains(Language::Korean.get(Text::ColumnUnsent)), "{}", screen(&state));
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
fn only_what_the_tab_shows_is_wanted_of_the_view() {
    let mut state = desk();
    press(&mut state, KeyCode::Enter);
    assert!(state.wanted().detail.is_some());
    let effects = press(&mut state, '2');
    assert!(effects.contains(&Effect::Read), "it is read at once");
    assert!(matches!(state.wanted().query, Query::Accounts(_)));
    assert_eq!(state.wanted().detail, None, "an order that is not on the screen is not read");
    press(&mut state, KeyCode::BackTab);
    assert!(state.wanted().detail.is_some(), "it is still open on the way back");
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
fn a_command_is_found_by_its_name_and_says_why_it_is_not_possible() {
    let mut state = desk();
    reads(&mut state, vec![row(with_status(OrderStatus::Cancelled, order(1)))], health());
    press(&mut state, ':');
    type_in(&mut state, "restock");
    press(&mut state, KeyCode::Enter);
    assert!(screen(&state).contains("restock an item"), "{}", screen(&state));
    press(&mut state, KeyCode::Esc);
    press(&mut state, Key(Chord::ctrl('p')));
    type_in(&mut state, "cancel");
    let reason = Language::English.get(Text::WhyAlreadyCancelled);
    assert!(screen(&state).contains(reason), "{}", screen(&state));
    press(&mut state, KeyCode::Enter);
    assert!(screen(&state).contains(reason), "{}", screen(&state));
    assert_eq!(state.scope(), Scope::Orders);
    press(&mut state, ':');
    type_in(&mut state, "forced open");
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.scope(), Scope::Confirm, "it is asked about as from the menu");
    assert_eq!(asked(&press(&mut state, 'y')), [&Request::ForceBreaker(BreakerMode::Open)]);
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
fn an_event_leads_to_its_order() {
    let mut state = showing(Tab::Events, Language::English, 120, 40);
    let subject = state.events.selected_row().unwrap().subject.clone();
    let effects = press(&mut state, KeyCode::Enter);
    assert!(effects.contains(&Effect::Read));
    assert_eq!(state.tab, Tab::Orders);
    assert_eq!(state.wanted().detail.map(|id| id.to_string()), Some(subject.clone()));
    assert_eq!(orders_wanted(&state).id_prefix, Some(subject));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Esc);
    assert_eq!(orders_wanted(&state), skstore_workers::view::OrderFilter::default());
}

#[test]
fn chosen_keys_are_the_ones_that_are_shown() {
    let mut state = desk();
    let wishes = [("new_order".to_owned(), "ctrl-n".to_owned()), ("quit".to_owned(), "Q".to_owned())];
    state.keys = std::sync::Arc::new(Keymap::with(&wishes.into_iter().collect()).unwrap());
    let shown = screen(&state);
    assert!(shown.contains("Ctrl-n order") && shown.contains("Q quit"), "{shown}");
    assert!(press(&mut state, 'q').is_empty());
    assert!(press(&mut state, 'Q').contains(&Effect::Quit));
}

#[test]
fn quitting_works_everywhere() {
    for keys in [vec![], vec!['n'], vec!['/'], vec![':'], vec!['b'], vec!['?'], vec!['c'], vec!['5']] {
        let mut state = desk();
        for key in &keys {
            press(&mut state, *key);
        }
        let effects = press(&mut state, Key(Chord::ctrl('c')));
        assert!(effects.contains(&Effect::Quit), "ctrl-c after {keys:?}");
    }
    assert!(press(&mut desk(), 'q').contains(&Effect::Quit));
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
