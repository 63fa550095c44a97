//! The tab of health: what it shows of workers, queues, breakers and promises, and how it is looked at.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::message::Message;
use skstore::dashboard::screens::health::history::Range;
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore::theme::{Glyphs, ThemeName};
use skstore_domain::books::{Books, Breach, BreachKind};
use skstore_domain::order::Awaited;
use skstore_domain::signals::{Service, Wait};
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::view::Health;

use crate::builders::*;

const NARROW: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 60);

fn looked_at(language: Language, (width, height): (u16, u16), health: &Health) -> State {
    let mut state = started(language, width, height);
    lived(&mut state, health);
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

/// Something is wrong with one service's books.
fn broken(service: Service, kind: BreachKind, id: &str) -> Health {
    let mut health = health();
    for beat in health.services.iter_mut().filter(|beat| beat.service == service) {
        beat.books = beat
            .books
            .take()
            .map(|books| Books { breach: Some(Breach { kind, id: id.into(), at: ago(75_000) }), ..books });
    }
    health
}

#[test]
fn before_anything_was_heard_it_says_so() {
    snapshots("health_empty", |language, (width, height)| {
        let mut state = started(language, width, height);
        press(&mut state, '4');
        reads(&mut state, vec![], Health::default());
        state
    });
}

#[test]
fn a_busy_desk_shows_how_it_is_and_how_it_was() {
    snapshots("health_busy", |language, size| looked_at(language, size, &tripped()));
}

/// Orders that Item and Deposit owe something.
fn waiting() -> Health {
    let mut health = health();
    let wait =
        |what, count, seconds: i64, told_again| Wait { what, count, since: ago(seconds * 1000), told_again };
    health.services[0].waits = vec![wait(Awaited::Delivery, 1_234, 95, 6), wait(Awaited::Release, 1, 12, 2)];
    health
}

#[test]
fn orders_that_wait_for_long_are_counted_in_the_header_and_told_beside_their_worker() {
    snapshots("health_waiting", |language, size| looked_at(language, size, &waiting()));
}

#[test]
fn orders_that_wait_are_counted_once_and_only_by_workers_that_are_heard_of() {
    let mut health = waiting();
    let mut another = health.services[0].clone();
    another.instance.push('2');
    another.waits[0].count = 1_000;
    health.services.push(another);
    let mut state = started(Language::English, NARROW.0, NARROW.1);
    reads(&mut state, rows(), health.clone());
    assert_eq!(state.waiting_long(), 1_235);
    assert!(screen(&state).contains("waiting over 10 s: 1,235"), "{}", screen(&state));
    for beat in &mut health.services {
        beat.at = ago(6_000);
    }
    reads(&mut state, rows(), health);
    assert_eq!(state.waiting_long(), 0);
    assert!(!screen(&state).contains("waiting"), "{}", screen(&state));
}

/// Looks at the queues once a second for so long, with heartbeats that are new each time.
fn watched(
    state: &mut State,
    health: &Health,
    queues: &[QueueDepth],
    seconds: std::ops::RangeInclusive<u64>,
) {
    for second in seconds {
        let now = NOW.after(Duration::from_secs(second));
        let mut health = health.clone();
        health.services.iter_mut().for_each(|beat| beat.at = now);
        update(state, now, Message::Heard(health));
        update(state, now, Message::Queues(Ok(queues.to_vec())));
    }
}

fn depth(name: &str, consumers: usize) -> QueueDepth {
    QueueDepth { name: name.into(), ready: 7, unacked: None, consumers }
}

#[test]
fn queues_that_are_not_read_by_those_who_should_are_named() {
    let mut two_only = health();
    two_only.services.retain(|beat| beat.service != Service::Deposit);
    let queues = [
        depth("deposit.events", 0),
        depth("deposit.payments", 0),
        depth("item.events", 2),
        depth("order.events", 0),
        depth("skstore.dead", 0),
    ];
    snapshots("health_unattended", |language, size| {
        let mut state = looked_at(language, size, &two_only);
        watched(&mut state, &two_only, &queues, 1..=11);
        state
    });
}

#[test]
fn nothing_is_said_of_readers_before_it_has_lasted_nor_once_it_is_over_or_not_known() {
    let stolen = [depth("item.events", 2)];
    let well = [depth("item.events", 1)];
    let is_told = |state: &State| screen(state).contains("readers of item.events");
    let (width, height) = LARGE;
    let begin = || {
        let mut state = started(Language::English, width, height);
        reads(&mut state, rows(), health());
        press(&mut state, '4');
        state
    };
    let mut state = begin();
    watched(&mut state, &health(), &stolen, 0..=9);
    assert!(!is_told(&state), "it may be a worker that has just begun");
    watched(&mut state, &health(), &stolen, 10..=10);
    assert!(is_told(&state), "{}", screen(&state));
    watched(&mut state, &health(), &well, 11..=11);
    assert!(!is_told(&state));
    watched(&mut state, &health(), &stolen, 12..=21);
    assert!(!is_told(&state), "it has begun anew");
    watched(&mut state, &health(), &stolen, 22..=22);
    assert!(is_told(&state), "{}", screen(&state));
    watched(&mut state, &health(), &stolen, 30..=30);
    assert!(!is_told(&state), "nobody has looked for long");

    let mut another = health();
    let mut second = another.services[2].clone();
    second.instance.push('2');
    another.services.push(second);
    let mut state = begin();
    watched(&mut state, &another, &stolen, 0..=20);
    assert!(!is_told(&state), "each of them is there");

    let mut state = begin();
    watched(&mut state, &health(), &stolen, 0..=20);
    update(&mut state, NOW.after(Duration::from_secs(30)), Message::Tick);
    assert!(!is_told(&state), "no heartbeat came: nobody knows how many workers there are");
}

#[test]
fn without_bus_and_view_it_says_how_old_all_of_it_is() {
    snapshots("health_disconnected", |language, size| {
        let mut state = looked_at(language, size, &health());
        let later = NOW.after(Duration::from_secs(7));
        let retry_at = NOW.after(Duration::from_secs(9));
        let cause = || "127.0.0.1:5672: Connection refused".to_owned();
        update(&mut state, NOW, Message::BusLost { cause: cause(), retry_at });
        update(&mut state, NOW, Message::ViewLost { cause: cause(), retry_at });
        update(&mut state, later, Message::Tick);
        state
    });
}

#[test]
fn the_rest_of_a_narrow_screen_is_reached_by_scrolling() {
    let mut state = looked_at(Language::English, NARROW, &tripped());
    let mut seen = screen(&state);
    for _ in 0..20 {
        press(&mut state, KeyCode::PageDown);
        seen.push_str(&screen(&state));
        see(&mut state);
    }
    for part in
        ["promises", "services", "breaker", "orders/s", "answer ms", "refused/s", "queues", "skstore.dead"]
    {
        assert!(seen.contains(part), "{part} was never seen:\n{seen}");
    }
    let last = screen(&state);
    press(&mut state, KeyCode::PageDown);
    assert_eq!(screen(&state), last, "it goes on beyond its end");
    for _ in 0..20 {
        press(&mut state, KeyCode::PageUp);
    }
    assert_eq!(state.health_tab.scroll.at, 0);
}

#[test]
fn a_broken_promise_is_told_with_what_broke_it_in_words_and_in_red() {
    let table = [
        (Service::Deposit, BreachKind::Unbalanced, "order-7", "money"),
        (Service::Deposit, BreachKind::Overdrawn, "kim", "money"),
        (Service::Item, BreachKind::NegativeStock, "item-10", "stock"),
        (Service::Order, BreachKind::StuckPaying, "order-8", "orders"),
    ];
    for (service, kind, id, line) in table {
        let mut state = started(Language::English, 120, 40);
        press(&mut state, '4');
        reads(&mut state, vec![], health());
        let calm = buffer(&state);
        reads(&mut state, vec![], broken(service, kind, id));
        let shown = screen(&state);
        let line = shown.lines().find(|shown| shown.contains(line) && shown.contains(id));
        assert!(line.is_some_and(|line| line.contains("1m")), "{kind}: {shown}");
        let red = |buffer: &ratatui::buffer::Buffer| {
            buffer.content.iter().filter(|cell| cell.fg == ratatui::style::Color::Indexed(203)).count()
        };
        assert!(red(&buffer(&state)) > red(&calm) + id.len(), "{kind} is not red");
    }
}

#[test]
fn while_a_log_is_read_it_says_how_far() {
    let mut health = health();
    for books in health.services.iter_mut().filter_map(|beat| beat.books.as_mut()) {
        books.read = books.last / 4;
    }
    let mut state = started(Language::English, 120, 40);
    press(&mut state, '4');
    reads(&mut state, vec![], health);
    assert_eq!(screen(&state).matches("(25 % read)").count(), 3, "{}", screen(&state));
}

#[test]
fn a_key_steps_through_the_ranges_of_the_charts() {
    let mut state = looked_at(Language::English, LARGE, &health());
    let first = state.health_tab.range;
    let mut seen = Vec::new();
    for _ in Range::ALL {
        press(&mut state, 'z');
        seen.push(state.health_tab.range);
        let (name, shown) = (["1 min", "5 min", "30 min", "2 h"], screen(&state));
        assert!(name.iter().any(|name| shown.matches(name).count() >= 3), "{shown}");
    }
    assert_eq!(state.health_tab.range, first, "round and round");
    assert!(Range::ALL.iter().all(|range| seen.contains(range)), "{seen:?}");
}

#[test]
fn without_colours_and_without_unicode_everything_is_still_told() {
    let mut state = looked_at(Language::English, LARGE, &tripped());
    state.look.theme = ThemeName::None;
    state.look.glyphs = Glyphs::ASCII;
    let shown = screen(&state);
    assert!(shown.is_ascii(), "{shown}");
    for part in
        ["open", "probe", "money", "orders/s", "failed", "27 of 36 charges in 9 calls within 10 s failed"]
    {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
}
