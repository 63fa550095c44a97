//! Keys that work wherever one is.

use crossterm::event::KeyCode;
use jiff::tz::TimeZone;
use skstore::dashboard::keys::{Chord, Keymap};
use skstore::dashboard::message::{Effect, Message};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::times::Zone;
use skstore::text::{Language, Text};
use skstore_workers::desk::DeskError;

use crate::builders::*;

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
    let shown = screen(&state);
    assert!(shown.contains("sent to the terminal"), "nothing tells whether it copies:\n{shown}");
}

#[test]
fn a_syllable_is_told_of_and_does_nothing_but_where_text_is_typed() {
    let before = |state: &State| format!("{:?} {:?} {:?}", state.layers, state.tab, state.orders);
    for keys in ["", "b", "c", "?", "L", "4"] {
        let mut state = desk();
        type_in(&mut state, keys);
        let was = before(&state);
        // c and y, and n and u with others.
        for syllable in ['쵸', '녀', '휴', 'ㅘ'] {
            assert_eq!(press(&mut state, syllable), [], "{syllable} after '{keys}'");
            assert_eq!(before(&state), was, "{syllable} after '{keys}'");
        }
        let mut state = desk();
        type_in(&mut state, keys);
        press(&mut state, '쵸');
        state.layers.clear();
        let shown = screen(&state);
        assert!(shown.contains("'쵸' is no key but several (cy)"), "after '{keys}':\n{shown}");
    }
    let mut state = desk();
    type_in(&mut state, "/쵸");
    assert!(screen(&state).contains("filter: 쵸"), "{}", screen(&state));
    assert!(!screen(&state).contains("is no key"), "{}", screen(&state));
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
fn times_are_those_of_the_place_and_one_key_away_in_utc() {
    let mut state = sample_of_seoul();
    assert!(screen(&state).contains("23:13:20"), "{}", screen(&state));
    press(&mut state, KeyCode::Enter);
    reads(&mut state, rows(), health());
    let shown = screen(&state);
    let timeline = shown.lines().find(|line| line.contains("timeline")).unwrap();
    assert!(timeline.contains("KST"), "the timeline says whose times these are:\n{shown}");
    assert!(shown.contains("2026-09-21 23:13:20.123"), "{shown}");
    press(&mut state, 'T');
    let shown = screen(&state);
    assert!(shown.contains("Times are in UTC") && shown.contains("14:13:20"), "{shown}");
    assert!(!shown.contains("KST") && !shown.contains("23:13:20"), "{shown}");
    press(&mut state, 'T');
    assert!(screen(&state).contains("Times are in KST"), "{}", screen(&state));
}

/// A desk in Seoul, nine hours ahead.
fn sample_of_seoul() -> State {
    let mut state = desk();
    state.look.zone = Zone::new(TimeZone::posix("KST-9").unwrap());
    state
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
