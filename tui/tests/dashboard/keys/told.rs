//! What came of a request, and what is lost: messages and banners.

use std::time::Duration;

use skstore::dashboard::message::{Message, Request};
use skstore::dashboard::state::Connection;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;
use skstore_workers::desk::{ANSWER_WITHIN, DeskError};

use super::{answer, placed};
use crate::builders::*;

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
fn a_lost_view_heals_by_itself() {
    let mut state = desk();
    update(&mut state, NOW, Message::ViewLost { cause: "x".into(), retry_at: NOW });
    assert!(matches!(state.connection, Connection::Lost { .. }));
    assert!(!state.orders.page.rows.is_empty(), "what was read last is still shown");
    reads(&mut state, rows(), health());
    assert_eq!(state.connection, Connection::Live);
}
