//! The recording of a breaker from the tab of health: what its key does, why it may do nothing, and what is shown and told of it.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::KeyCode;
use jiff::tz::TimeZone;
use skstore::dashboard::message::{Effect, Message};
use skstore::dashboard::screens::health::recording::state::{Ended, News, Recording, Trouble};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::recording::RecordingError;
use skstore::text::times::Zone;
use skstore::text::{Language, Text};
use skstore_domain::breaker::{Breaker, BreakerSettings};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::Health;

use crate::builders::*;

/// Makes something else of what is heard of the workers.
type Change = fn(&mut Health);

const SIZES: [(&str, (u16, u16)); 2] = [("narrow", (80, 24)), ("wide", (120, 40))];

/// Workers of which Order tells the calls of its breaker, which is open.
fn telling() -> Health {
    let mut health = tripped();
    let now = Duration::from_secs(1000);
    let told = Breaker::new(BreakerSettings::default(), now).tell(ago(600_000), now);
    health.services[0].calls = Some(Box::new(told));
    health
}

fn looked_at(language: Language, (width, height): (u16, u16), health: &Health) -> State {
    let mut state = started(language, width, height);
    press(&mut state, '4');
    reads(&mut state, vec![], health.clone());
    state
}

fn order() -> String {
    health().services[0].instance.clone()
}

/// `news` after so many seconds, while workers go on to be heard of.
fn hears(state: &mut State, seconds: u64, news: News) {
    let now = beats(state, seconds);
    assert_eq!(update(state, now, Message::Recording(news)), [], "nothing has to be done for it");
}

/// Heartbeats after so many seconds.
fn beats(state: &mut State, seconds: u64) -> Timestamp {
    let now = NOW.after(Duration::from_secs(seconds));
    let mut health = telling();
    health.services.iter_mut().for_each(|beat| beat.at = now);
    update(state, now, Message::Heard(health));
    now
}

fn running(language: Language, size: (u16, u16)) -> State {
    let mut state = looked_at(language, size, &telling());
    press(&mut state, 'R');
    hears(&mut state, 0, News::Seen(0));
    hears(&mut state, 65, News::Seen(132));
    state
}

fn ended() -> News {
    let path = "/home/kim/.local/share/skstore/recordings/breaker-2026-09-21-231320.jsonl".into();
    News::Ended(Ended { path, calls: 132, is_full: false })
}

/// What is written on the screen, without frames and line breaks.
fn read_aloud(state: &State) -> String {
    let words = screen(state).replace(['│', '┃'], " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn one_key_begins_and_ends_it_and_both_are_told() {
    let mut state = looked_at(Language::English, (120, 40), &telling());
    state.look.zone = Zone::new(TimeZone::posix("KST-9").unwrap());
    assert!(screen(&state).contains("R record"), "the footer has it:\n{}", screen(&state));
    let name = "breaker-2026-09-21-231320".to_owned();
    assert_eq!(press(&mut state, 'R'), [Effect::StartRecording { instance: order(), name }]);
    assert!(!screen(&state).contains("recording"), "nothing is recorded yet:\n{}", screen(&state));
    hears(&mut state, 0, News::Seen(0));
    let shown = screen(&state);
    assert!(shown.contains("Recording the breaker of") && shown.contains("R ends it"), "{shown}");
    assert!(shown.contains("recording: 0 calls, 0s"), "{shown}");
    hears(&mut state, 1, News::Seen(1));
    assert!(screen(&state).contains("recording: 1 call, 1s"), "{}", screen(&state));
    hears(&mut state, 65, News::Seen(132));
    assert!(screen(&state).contains("recording: 132 calls, 1m05s"), "{}", screen(&state));
    assert_eq!(press(&mut state, 'R'), [Effect::StopRecording]);
    hears(&mut state, 66, News::Seen(140));
    hears(&mut state, 66, ended());
    assert_eq!(state.recording, Recording::Idle);
    let told = read_aloud(&state);
    assert!(told.contains("Recorded 132 calls.") && told.contains("skstore breaker replay"), "{told}");
    assert!(!told.contains("recording:"), "{told}");
    // It stays long enough to be copied, whatever else is told meanwhile.
    beats(&mut state, 120);
    press(&mut state, 'T');
    assert!(read_aloud(&state).contains("skstore breaker replay"), "{}", screen(&state));
    assert!(matches!(press(&mut state, 'R')[..], [Effect::StartRecording { .. }]), "and again");
    beats(&mut state, 127);
    assert!(!read_aloud(&state).contains("skstore breaker replay"), "{}", screen(&state));
}

#[test]
fn where_nothing_can_be_recorded_it_says_why_and_the_footer_does_not_offer_it() {
    let table: [(Text, Change); 4] = [
        (Text::WhyNoBreaker, |health| health.services.retain(|beat| beat.service != Service::Order)),
        (Text::WhyNoBreaker, |health| health.services[0].at = ago(6_000)),
        (Text::WhySeveralBreakers, |health| {
            let mut another = health.services[0].clone();
            another.instance.push('2');
            health.services.push(another);
        }),
        (Text::WhyNoCallsTold, |health| health.services[0].calls = None),
    ];
    for (why, change) in table {
        let mut health = telling();
        change(&mut health);
        let mut state = looked_at(Language::English, (120, 40), &health);
        assert!(!screen(&state).contains("R record"), "{why:?}:\n{}", screen(&state));
        assert_eq!(press(&mut state, 'R'), [], "{why:?}");
        assert!(read_aloud(&state).contains(Language::English.get(why)), "{}", screen(&state));
        assert_eq!(state.recording, Recording::Idle);
    }
}

#[test]
fn while_it_begins_or_ends_the_key_only_says_so() {
    let mut state = looked_at(Language::English, (120, 40), &telling());
    let why = Language::English.get(Text::WhyRecordingChanges);
    press(&mut state, 'R');
    assert_eq!(press(&mut state, 'R'), []);
    assert!(read_aloud(&state).contains(why), "{}", screen(&state));
    let mut state = running(Language::English, (120, 40));
    press(&mut state, 'R');
    assert_eq!(press(&mut state, 'R'), []);
    assert!(read_aloud(&state).contains(why), "{}", screen(&state));
}

#[test]
fn what_was_begun_can_be_ended_whatever_became_of_its_worker() {
    let mut state = running(Language::English, (120, 40));
    let now = NOW.after(Duration::from_secs(80));
    update(&mut state, now, Message::Heard(Health::default()));
    assert!(screen(&state).contains("recording: 132 calls, nothing heard for 15s"), "{}", screen(&state));
    assert_eq!(press(&mut state, 'R'), [Effect::StopRecording]);
}

#[test]
fn it_goes_on_and_shows_while_another_tab_is_looked_at_where_the_key_does_nothing() {
    let mut state = running(Language::English, (120, 40));
    press(&mut state, '1');
    assert!(screen(&state).contains("recording: 132 calls, 1m05s"), "{}", screen(&state));
    assert_eq!(press(&mut state, 'R'), []);
    assert!(matches!(state.recording, Recording::Running(_)));
}

#[test]
fn the_palette_has_it_on_the_tab_of_health() {
    let mut state = looked_at(Language::English, (120, 40), &telling());
    press(&mut state, ':');
    type_in(&mut state, "record");
    assert!(matches!(press(&mut state, KeyCode::Enter)[..], [Effect::StartRecording { .. }]));
}

#[test]
fn why_there_is_no_recording_is_told_with_its_reason_and_ends_it() {
    let path = || PathBuf::from("/data/recordings/a.jsonl");
    let file = |error| News::Failed(Trouble::File(error));
    let not_made =
        RecordingError::NotMade { path: path(), reason: "Permission denied".into(), is_there: false };
    let not_written = RecordingError::NotWritten { path: path(), reason: "No space left on device".into() };
    let table = [
        (
            file(not_made),
            "Not recorded, /data/recordings/a.jsonl cannot be made: Permission denied",
            "/data/recordings/a.jsonl을(를) 만들 수 없어 기록하지 못했습니다: Permission denied",
        ),
        (
            file(not_written),
            "/data/recordings/a.jsonl cannot be written any more: No space left on device",
            "/data/recordings/a.jsonl에 더 쓸 수 없어 기록을 끝냈습니다: No space left on device",
        ),
        (News::Failed(Trouble::NotTold), "Not recorded: its worker is not heard of", "기록하지 못했습니다"),
        (
            News::Failed(Trouble::View("no answer within 5 s".into())),
            "the view cannot be read: no answer within 5 s",
            "뷰를 읽을 수 없어 기록하지 못했습니다: no answer within 5 s",
        ),
        (
            News::Ended(Ended { path: path(), calls: 9, is_full: true }),
            "The recording is full at 256 MiB, with 9 calls. Under other settings: skstore breaker replay \
             /data/recordings/a.jsonl --set breaker.KEY=VALUE",
            "기록이 256 MiB가 되어 끝났습니다: 호출 9회.",
        ),
    ];
    for (news, english, korean) in table {
        for (language, told) in [(Language::English, english), (Language::Korean, korean)] {
            let mut state = running(language, (120, 40));
            hears(&mut state, 66, news.clone());
            assert_eq!(state.recording, Recording::Idle);
            assert!(read_aloud(&state).contains(told), "{told}:\n{}", screen(&state));
        }
    }
}

#[test]
fn its_panel_and_its_end_fit_on_every_screen() {
    for language in Language::ALL {
        for (name, size) in SIZES {
            let snapshot = |what: &str, state: &State| {
                let name = format!("recording_{what}_{name}_{language:?}").to_lowercase();
                insta::assert_snapshot!(name, screen(state));
            };
            let mut state = running(*language, size);
            // On a narrow screen the breaker stands below the workers.
            see(&mut state);
            if name == "narrow" {
                press(&mut state, KeyCode::PageDown);
            }
            snapshot("runs", &state);
            press(&mut state, 'R');
            hears(&mut state, 66, ended());
            snapshot("ended", &state);
        }
    }
}
