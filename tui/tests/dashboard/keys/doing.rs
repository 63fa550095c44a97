//! What is done at the desk: asked about first where it is hard to take back, with a reason where it is not possible.

use crossterm::event::KeyCode;
use skstore::dashboard::keys::{Chord, Scope};
use skstore::dashboard::message::{Effect, Request};
use skstore::text::{Language, Text};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::faults::Fault;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;

use crate::builders::*;

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
    assert!(screen(&state).contains("over by itself after 5m00s"), "{}", screen(&state));
    let slow = Request::Inject(Service::Deposit, Fault::Slow { ms: 400 });
    assert_eq!(asked(&press(&mut state, 'y')), [&slow]);
}

#[test]
fn what_the_settings_forbid_is_not_even_asked_about() {
    let mut state = desk();
    let mut health = health();
    health.services.iter_mut().for_each(|beat| beat.takes_faults = false);
    reads(&mut state, vec![], health);
    press(&mut state, 'f');
    press(&mut state, 'j');
    assert_eq!(press(&mut state, KeyCode::Enter), []);
    assert_eq!(state.scope(), Scope::Orders, "there is no question");
    assert!(screen(&state).contains("faults.allowed"), "{}", screen(&state));
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
