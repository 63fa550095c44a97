//! The load that is put on from the dashboard: what keys and the mouse do, and how it looks meanwhile and afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::layers::load::state::{News, Phase, RATES, SHOWN_SECONDS, Seen};
use skstore::dashboard::message::{Effect, Message};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::load::ledger::Became;
use skstore::load::report::Report;
use skstore::load::tally::{Counts, Second, Tally, Verdict};
use skstore::text::{Language, Text};

use crate::builders::*;

fn opened(language: Language, width: u16, height: u16) -> State {
    let mut state = busy(language, width, height);
    press(&mut state, 'w');
    assert_eq!(state.scope(), Scope::Load);
    state
}

fn hear(state: &mut State, news: News) {
    assert_eq!(update(state, NOW, Message::Load(news)), [], "nothing has to be done for it");
}

fn orders() -> Counts {
    let refusals = BTreeMap::from([("declined", 3), ("try_later", 1200)]);
    let failures = BTreeMap::from([("no_answer", 2)]);
    Counts { sent: 13_550, ok: 12_345, refused: 1203, failed: 2, refusals, failures }
}

/// A second in which ten times as many were answered as its number says.
fn seen(at_s: u64) -> News {
    let (p50_us, p99_us) = (Some(1234), Some(45_678));
    let second = Second { at_s, ok: at_s * 9, refused: at_s, p50_us, p99_us, ..Second::default() };
    News::Seen(Box::new(Seen { second, orders: orders(), in_flight: 7 }))
}

fn ended(open: u64) -> News {
    let mut tally = Tally::default();
    tally.record(Verdict::Ok, Duration::from_millis(4), Duration::ZERO);
    tally.orders = orders();
    tally.orders.ok += 1;
    News::Ended(Arc::new(Report {
        began_at: None,
        run: "k3x9".to_owned(),
        seed: 1,
        target: "dashboard",
        clients: 64,
        rate: Some(10.0),
        ended: "told",
        elapsed: Duration::from_secs(12),
        unsent: 0,
        tally,
        is_followed: true,
        became: Became { delivering: 12_300, cancelled: 45, rejected: 3, not_placed: 1202 - open, open },
        open_orders: Vec::new(),
    }))
}

/// Opens the window, and lets a run go on for twelve seconds.
pub(crate) fn put_load(state: &mut State) {
    press(state, 'w');
    press(state, KeyCode::Enter);
    hear(state, News::Begun("k3x9".to_owned()));
    for at_s in 1..=12 {
        hear(state, seen(at_s));
    }
}

fn running(language: Language, width: u16, height: u16) -> State {
    let mut state = busy(language, width, height);
    put_load(&mut state);
    state
}

#[test]
fn it_is_started_steered_and_stopped_with_keys() {
    let mut state = opened(Language::English, 80, 24);
    assert_eq!(press(&mut state, '+'), [], "before it runs a rate is only chosen");
    assert_eq!(press(&mut state, KeyCode::Enter), [Effect::StartLoad(Some(20))]);
    assert_eq!(press(&mut state, '-'), [Effect::SteerLoad(Some(10))], "also while it is prepared");
    hear(&mut state, News::Begun("k3x9".to_owned()));
    hear(&mut state, seen(1));
    assert_eq!(state.load.phase, Phase::Running);
    assert_eq!(press(&mut state, KeyCode::Left), [Effect::SteerLoad(Some(5))]);
    assert_eq!(press(&mut state, KeyCode::Enter), [], "there is one already");
    assert!(screen(&state).contains(Language::English.get(Text::WhyLoadRuns)), "{}", screen(&state));
    // It goes on while something else is looked at.
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.scope(), Scope::Orders);
    assert!(screen(&state).contains("load 5/s"), "{}", screen(&state));
    press(&mut state, 'w');
    assert_eq!(press(&mut state, 'x'), [Effect::StopLoad]);
    hear(&mut state, seen(2));
    assert_eq!(state.load.phase, Phase::Stopping, "what was under way does not start it again");
    assert_eq!(press(&mut state, 'x'), [], "once is enough");
    hear(&mut state, News::Open(17));
    assert!(screen(&state).contains("waiting for 17 orders"), "{}", screen(&state));
    assert_eq!(press(&mut state, 'x'), [Effect::StopLoad], "who does not want to wait need not");
    hear(&mut state, ended(0));
    assert_eq!(state.load.phase, Phase::Idle);
    assert!(!screen(&state).contains("load 5/s"), "{}", screen(&state));
    assert_eq!(press(&mut state, 's'), [Effect::StartLoad(Some(5))], "and again");
    assert_eq!(
        state.load.report.as_ref().map(|report| report.run.clone()),
        None,
        "of the last one nothing is left"
    );
    assert_eq!(press(&mut state, 'x'), [Effect::StopLoad], "also before it has begun");
    hear(&mut state, News::NotBegun);
    assert_eq!(state.load.phase, Phase::Idle);
}

#[test]
fn rates_end_with_as_fast_as_it_is_answered() {
    let mut state = opened(Language::English, 80, 24);
    for _ in 0..RATES.len() {
        press(&mut state, KeyCode::Right);
    }
    assert!(screen(&state).contains("[max]"), "{}", screen(&state));
    assert!(screen(&state).contains(Language::English.get(Text::WhyFastest)), "{}", screen(&state));
    assert_eq!(press(&mut state, KeyCode::Enter), [Effect::StartLoad(None)]);
    assert!(screen(&state).contains(" load max "), "{}", screen(&state));
    for _ in 0..=RATES.len() {
        press(&mut state, '-');
    }
    assert_eq!(state.load.rate(), Some(1));
    assert!(screen(&state).contains(Language::English.get(Text::WhySlowest)), "{}", screen(&state));
}

#[test]
fn what_the_footer_shows_can_be_clicked() {
    let mut state = opened(Language::English, 80, 24);
    assert!(!screen(&state).contains("x stop"), "what is not possible is not offered: {}", screen(&state));
    assert_eq!(click(&mut state, "start"), [Effect::StartLoad(Some(10))]);
    assert_eq!(click(&mut state, "faster"), [Effect::SteerLoad(Some(20))]);
    assert_eq!(click(&mut state, "stop"), [Effect::StopLoad]);
    click(&mut state, "Esc close");
    assert_eq!(state.scope(), Scope::Orders);
}

#[test]
fn why_it_cannot_begin_is_told_and_the_curve_has_an_end() {
    let mut state = opened(Language::Korean, 80, 24);
    press(&mut state, KeyCode::Enter);
    hear(&mut state, News::Failed("nothing takes commands there".to_owned()));
    assert!(screen(&state).contains("nothing takes commands there"), "{}", screen(&state));
    press(&mut state, KeyCode::Enter);
    for at_s in 1..1000 {
        hear(&mut state, seen(at_s));
    }
    assert_eq!(state.load.per_second.len(), SHOWN_SECONDS);
    assert!(!screen(&state).contains("nothing takes commands there"), "{}", screen(&state));
}

#[test]
fn the_window_is_calm_at_every_size_in_both_languages() {
    for language in Language::ALL {
        let name = |what: &str| format!("load_{what}_{language:?}").to_lowercase();
        insta::assert_snapshot!(name("idle"), screen(&opened(*language, 80, 24)));
        let mut state = running(*language, 80, 24);
        insta::assert_snapshot!(name("running"), screen(&state));
        hear(&mut state, ended(2));
        let shown = screen(&state);
        assert!(shown.contains("12,346") && shown.contains("p50 4.00 ms"), "of the whole run: {shown}");
        insta::assert_snapshot!(name("ended"), screen(&state));
        let smallest = running(*language, 60, 16);
        assert!(screen(&smallest).contains("p99 45.6 ms"), "{}", screen(&smallest));
    }
}
