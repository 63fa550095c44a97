//! The tab of parked messages: what it shows, and that nothing is done before it was told what would happen.

use std::collections::BTreeMap;

use crossterm::event::KeyCode;
use skstore::dashboard::message::{Effect, Message};
use skstore::dashboard::screens::dead_letters::state::{Deal, DealReport, Operation};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore_workers::desk::bus::{Properties, QueueDepth};
use skstore_workers::desk::topology;
use skstore_workers::desk::view::Health;
use skstore_workers::desk::{DeadError, DeadLetter, DeadPage, Disposition, ParkedCode, Summary, Which};

use crate::builders::*;

const NARROW: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 60);

fn letter(id: &str, queue: &str, key: &str, reason: &str, body: &[u8]) -> DeadLetter {
    DeadLetter {
        id: id.into(),
        reason: reason.into(),
        code: ParkedCode::of(None, reason),
        exchange: "skstore.commands".into(),
        routing_key: key.into(),
        queue: queue.into(),
        service: queue.split('.').next().unwrap_or_default().into(),
        at: "2026-09-21T14:11:02.000Z".into(),
        properties: Properties {
            // What came without an id has none here either.
            message_id: (id != "p-1").then(|| format!("m-{id}")),
            headers: BTreeMap::from([("traceparent".to_owned(), "00-aa-bb-01".to_owned())]),
            ..Properties::default()
        },
        body: body.into(),
        is_cut: false,
    }
}

/// One that would take effect, one that would be refused again, one that is no text, one from nowhere.
fn letters() -> Vec<DeadLetter> {
    let place = br#"{"item_id":"10","qty":5,"customer":"kim"}"#;
    vec![
        letter(
            "p-1",
            "order.commands",
            "order.place",
            "the order has no id and may already have been placed",
            place,
        ),
        letter(
            "p-2",
            "order.commands",
            "order.place",
            "qty must be 1 to 1000, not 5000",
            br#"{"item_id":"10","qty":5000}"#,
        ),
        letter("p-3", "deposit.commands", "deposit.topup", "the message is not JSON", &[0xff, 0x00, 0x1b]),
        letter("p-4", "", "hello", "there is no command 'hello'", b"hi"),
    ]
}

fn shown(language: Language, (width, height): (u16, u16), letters: Vec<DeadLetter>) -> State {
    let mut state = started(language, width, height);
    reads(&mut state, vec![], health());
    press(&mut state, '6');
    let total = letters.len();
    update(&mut state, NOW, Message::Dead(Ok(DeadPage { letters, total })));
    state
}

fn snapshots(name: &str, make: impl Fn(Language, (u16, u16)) -> State) {
    for language in Language::ALL {
        for (size_name, size) in [("narrow", NARROW), ("large", LARGE)] {
            let state = make(*language, size);
            insta::assert_snapshot!(
                format!("{name}_{size_name}_{language:?}").to_lowercase(),
                screen(&state)
            );
        }
    }
}

fn depth(ready: usize) -> Message {
    let name = topology::DEAD.into();
    Message::Queues(Ok(vec![QueueDepth { name, ready, unacked: None, consumers: 0 }]))
}

#[test]
fn without_parked_messages_it_says_what_would_be_here() {
    snapshots("dead_empty", |language, size| shown(language, size, vec![]));
}

#[test]
fn each_message_has_its_reason_its_original_and_what_would_become_of_it() {
    snapshots("dead_busy", |language, size| shown(language, size, letters()));
}

#[test]
fn without_the_bus_it_says_why_there_is_nothing_to_see() {
    snapshots("dead_disconnected", |language, (width, height)| {
        let mut state = started(language, width, height);
        reads(&mut state, vec![], Health::default());
        press(&mut state, '6');
        let cause = || "127.0.0.1:5672: Connection refused".to_owned();
        update(&mut state, NOW, Message::BusLost { cause: cause(), retry_at: ago(-2000) });
        update(&mut state, NOW, Message::Dead(Err(DeadError::Unreachable(cause()))));
        state
    });
}

#[test]
fn what_is_told_follows_the_selection() {
    let mut state = shown(Language::English, LARGE, letters());
    for (id, told) in [
        ("p-1", "may do so twice"),
        ("p-2", "refused again"),
        ("p-3", "ff 00 1b"),
        ("p-4", "does not say where it came from"),
    ] {
        assert_eq!(state.dead.selected().map(|letter| letter.id.as_str()), Some(id));
        assert!(screen(&state).contains(told), "{id}: {}", screen(&state));
        press(&mut state, KeyCode::Down);
    }
}

fn asked(effects: &[Effect]) -> Option<&Deal> {
    effects.iter().find_map(|effect| match effect {
        Effect::Deal(deal) => Some(deal),
        _ => None,
    })
}

fn report(done: usize, stays: &[&str]) -> DealReport {
    let mut report =
        DealReport { summary: Summary { done, stay: stays.len(), left: 0 }, ..DealReport::default() };
    stays.iter().for_each(|why| report.note(&Disposition::Stays((*why).to_owned())));
    report
}

#[test]
fn whatever_is_wanted_is_tried_dry_first_then_asked_about_and_only_then_done() {
    let one = || Which::One("p-1".to_owned());
    let keys: [(Key, Operation, Which); 4] = [
        (KeyCode::Enter.into(), Operation::Replay, one()),
        ('a'.into(), Operation::Replay, Which::All),
        ('x'.into(), Operation::Drop, one()),
        ('X'.into(), Operation::Drop, Which::All),
    ];
    for (key, operation, which) in keys {
        let mut state = shown(Language::English, LARGE, letters());
        let effects = press(&mut state, key);
        let dry = Deal { operation, which: which.clone(), is_dry: true };
        assert_eq!(asked(&effects), Some(&dry));
        assert_eq!(asked(&press(&mut state, key)), None, "one at a time");

        update(&mut state, NOW, Message::Summary(dry, Ok(report(3, &["it would only be refused again"]))));
        let question = screen(&state);
        assert!(question.contains("1 stay parked: it would only be refused again"), "{question}");
        let mut refused = state.clone();
        assert_eq!(press(&mut refused, KeyCode::Enter), [], "no is the default");

        let real = Deal { operation, which, is_dry: false };
        assert_eq!(asked(&press(&mut state, 'y')), Some(&real));
        let effects = update(&mut state, NOW, Message::Summary(real, Ok(report(3, &[]))));
        assert!(effects.contains(&Effect::ReadDead), "what is left is not looked at: {effects:?}");
        assert!(screen(&state).contains("3."), "{}", screen(&state));
    }
}

#[test]
fn where_nothing_would_happen_nothing_is_asked() {
    let mut state = shown(Language::English, LARGE, letters());
    press(&mut state, 'a');
    let dry = Deal { operation: Operation::Replay, which: Which::All, is_dry: true };
    update(&mut state, NOW, Message::Summary(dry, Ok(report(0, &["it is no JSON"]))));
    assert!(state.layers.is_empty());
    assert!(
        screen(&state).contains("Nothing would be done. 1 stay parked: it is no JSON"),
        "{}",
        screen(&state)
    );
}

#[test]
fn they_are_read_again_when_their_number_has_changed_and_not_otherwise() {
    let mut state = shown(Language::English, NARROW, letters());
    assert!(update(&mut state, NOW, depth(4)).contains(&Effect::ReadDead), "its number was not known yet");
    update(&mut state, NOW, Message::Dead(Ok(DeadPage { letters: letters(), total: 4 })));
    assert_eq!(update(&mut state, NOW, depth(4)), [], "nothing has changed");
    assert_eq!(update(&mut state, NOW, depth(5)), [Effect::ReadDead]);
    assert_eq!(update(&mut state, NOW, depth(6)), [], "it is being read");
    press(&mut state, '1');
    update(&mut state, NOW, Message::Dead(Ok(DeadPage { letters: letters(), total: 4 })));
    assert_eq!(update(&mut state, NOW, depth(7)), [], "nobody looks");
}

#[test]
fn a_selection_stays_with_its_message_and_else_with_its_place() {
    let mut state = shown(Language::English, NARROW, letters());
    press(&mut state, KeyCode::Down);
    let read = |state: &mut State, letters: Vec<DeadLetter>| {
        let total = letters.len();
        update(state, NOW, Message::Dead(Ok(DeadPage { letters, total })));
        state.dead.selected().map(|letter| letter.id.clone())
    };
    assert_eq!(read(&mut state, letters().split_off(1)), Some("p-2".to_owned()));
    assert_eq!(read(&mut state, letters().split_off(2)), Some("p-3".to_owned()), "its neighbour");
    assert_eq!(read(&mut state, vec![]), None);
}
