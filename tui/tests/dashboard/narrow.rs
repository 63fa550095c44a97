//! What has to be seen at once on a terminal as it comes, of 80 columns and 24 rows.

use crossterm::event::KeyCode;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::message::Message;
use skstore::dashboard::screens::orders::detail::state::Detail;
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::dashboard::toasts::state::Notice;
use skstore::dashboard::update;
use skstore::text::breaker::waits_for_words;
use skstore::text::words::Worded;
use skstore::text::{Language, Text};
use skstore::theme::Glyphs;
use skstore_domain::breaker::{BreakerSettings, BreakerSnapshot, BreakerState, Counts as Charges};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind};
use skstore_domain::myinfo::Step;
use skstore_domain::objects::OrderStatus;

use crate::builders::*;
use crate::load::put_load;

const SIZE: (u16, u16) = (80, 24);

fn shown(language: Language) -> State {
    busy(language, SIZE.0, SIZE.1)
}

/// The last lines of the screen above the footer, from the line with the breaker's name on.
fn panel(state: &State, language: Language) -> String {
    let screen = screen(state);
    let title = format!(" {} ", language.get(Text::BreakerTitle));
    let lines: Vec<&str> = screen.lines().collect();
    let from = lines.iter().rposition(|line| line.contains(&title)).expect("the panel has a title");
    lines[from..lines.len() - 1].join("\n")
}

fn say_much(state: &mut State) {
    state.toasts.say(Notice::Reason(Text::WhyNoTimeline), NOW);
    press(state, 'r');
    state.toasts.say(Notice::CopySent("0193".repeat(20)), NOW);
}

#[test]
fn messages_lie_over_neither_services_nor_breaker() {
    for language in Language::ALL {
        let mut state = shown(*language);
        let before = panel(&state, *language);
        say_much(&mut state);
        assert!(screen(&state).contains("01930193"), "{}", screen(&state));
        assert_eq!(panel(&state, *language), before);
        // Beside the table, too.
        let mut wide = busy(*language, 120, 30);
        let beside = |state: &State| -> Vec<String> {
            let cells = buffer(state);
            let places = (3..29).flat_map(|y| (74..120).map(move |x| (x, y)));
            places.map(|place| cells[place].symbol().to_owned()).collect()
        };
        let before = beside(&wide);
        say_much(&mut wide);
        assert!(screen(&wide).contains("01930193"), "{}", screen(&wide));
        assert_eq!(beside(&wide), before);
    }
}

#[test]
fn messages_take_rows_of_their_own_from_the_health() {
    let mut state = showing(Tab::Health, Language::English, SIZE.0, SIZE.1);
    say_much(&mut state);
    for _ in 0..100 {
        see(&mut state);
        press(&mut state, KeyCode::PageDown);
    }
    let (scrolled, last) = (screen(&state), Language::English.get(Text::QueuesUntold));
    assert!(scrolled.contains("01930193") && scrolled.contains(last), "the end can be read:\n{scrolled}");
}

#[test]
fn esc_closes_what_is_open_as_it_would_without_a_message_and_then_takes_messages_away() {
    for tab in Tab::ALL {
        let mut state = showing(*tab, Language::English, SIZE.0, SIZE.1);
        say_much(&mut state);
        assert!(!state.toasts.is_empty());
        for _ in 0..3 {
            if !state.toasts.is_empty() {
                press(&mut state, KeyCode::Esc);
            }
        }
        assert!(state.toasts.is_empty(), "on {tab:?}");
    }
    let mut state = shown(Language::English);
    press(&mut state, KeyCode::Enter);
    say_much(&mut state);
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.scope(), Scope::Orders, "a message comes and goes, and a key does what it did");
    assert!(!state.toasts.is_empty());
    for _ in 0..3 {
        press(&mut state, KeyCode::Esc);
    }
    assert!(state.toasts.is_empty(), "nothing is open any more");
}

#[test]
fn the_header_counts_orders_of_every_status_whatever_else_it_says() {
    for language in Language::ALL {
        let mut state = shown(*language);
        put_load(&mut state);
        let screen = screen(&state);
        let header = screen.lines().nth(1).unwrap();
        for (status, count) in OrderStatus::ALL.iter().zip(["3", "12", "1,234,567", "40", "8"]) {
            let (sign, word) = (Glyphs::UNICODE.status(*status), language.get(status.text()));
            let is_told = [format!("{sign} {count}"), format!("{sign} {word} {count}")];
            assert!(is_told.iter().any(|told| header.contains(told)), "no {status:?} in: {header}");
        }
        assert!(header.contains("10/"), "the load is told: {header}");
    }
}

/// Breakers that wait for each thing that there is to wait for.
fn breakers() -> Vec<BreakerSnapshot> {
    let full = |state| BreakerSnapshot {
        settings: Some(BreakerSettings::default()),
        failed_in_a_row: 4,
        ..breaker(state)
    };
    let few = Charges { calls: 4, ok: 10, failed: 2, ..Charges::default() };
    vec![
        full(BreakerState::Open),
        full(BreakerState::Closed),
        BreakerSnapshot { window: few, ..full(BreakerState::Closed) },
        BreakerSnapshot { probes_ok: 2, probes_in_flight: 1, ..full(BreakerState::HalfOpen) },
        BreakerSnapshot { probes_ok: 2, probes_in_flight: 0, ..full(BreakerState::HalfOpen) },
    ]
}

#[test]
fn all_that_a_breaker_waits_for_is_read_below_the_table() {
    for language in Language::ALL {
        for breaker in breakers() {
            let mut health = health();
            let waits = breaker.waits_for(NOW.since(health.services[0].at)).expect("it is told");
            health.services[0].breaker = Some(breaker);
            let mut state = started(*language, SIZE.0, SIZE.1);
            reads(&mut state, rows(), health);
            let panel = panel(&state, *language);
            let right =
                panel.lines().filter_map(|line| line.rsplit_once(Glyphs::UNICODE.border.vertical_left));
            let read: Vec<&str> = right.flat_map(|(_, right)| right.split_whitespace()).collect();
            let words = waits_for_words(*language, waits);
            let words: Vec<&str> = words.split_whitespace().collect();
            assert!(read.ends_with(&words), "{words:?} are cut:\n{panel}");
        }
    }
}

/// What happens to an order that is cancelled while it is delivered.
fn cancelled(steps: &mut Vec<Step>) {
    let last = steps.last().cloned().unwrap();
    let further = [
        EventKind::Order(OrderKind::Cancelled),
        EventKind::Deposit(DepositKind::Refunded),
        EventKind::Item(ItemKind::DeliveryCancelled),
    ];
    steps.extend(further.map(|kind| Step { kind, source: kind.source(), ..last.clone() }));
}

#[test]
fn of_a_timeline_that_does_not_fit_the_newest_steps_are_shown_and_the_others_are_scrolled_to() {
    for language in Language::ALL {
        let mut state = shown(*language);
        press(&mut state, KeyCode::Enter);
        let mut read = snapshot(&state, rows(), health());
        cancelled(&mut read.detail.as_mut().unwrap().timeline);
        update(&mut state, NOW, Message::Read(Box::new(read)));
        let steps = state.detail.as_ref().map(Detail::steps).unwrap_or_default().to_vec();
        let word = |at: usize| language.get(steps[at].kind.text());
        let timeline = |state: &State| {
            let screen = screen(state);
            screen.split_once(language.get(Text::TimelineTitle)).map(|(_, below)| below.to_owned()).unwrap()
        };
        let first = screen(&state);
        assert!(first.contains(language.get(Text::ColumnCustomer)), "the fields are there: {first}");
        assert!(timeline(&state).contains(word(steps.len() - 1)), "the newest is: {first}");
        let earlier = language.fill(Text::TimelineEarlier, &[&3, &"UTC"]);
        assert!(timeline(&state).contains(&earlier), "and how many are not: {first}");
        for _ in 0..3 {
            see(&mut state);
            press(&mut state, KeyCode::Down);
        }
        let all = timeline(&state);
        for at in 0..steps.len() {
            assert!(all.contains(word(at)), "step {at} is scrolled to: {all}");
        }
        // A step back in time is shown wherever it was scrolled to.
        press(&mut state, KeyCode::Up);
        see(&mut state);
        for at in (0..steps.len() - 1).rev() {
            press(&mut state, KeyCode::Left);
            see(&mut state);
            let marker = Glyphs::UNICODE.marker;
            let marked =
                timeline(&state).lines().any(|line| line.starts_with(marker) && line.contains(word(at)));
            assert!(marked, "step {at} is marked:\n{}", screen(&state));
        }
    }
}
