//! A screen that is too small shows nothing of what keys, the mouse and pasted text act on: there they do not act.

use crossterm::event::KeyCode;
use skstore::dashboard::keys::{Chord, Scope};
use skstore::dashboard::message::{Effect, Gesture, Message};
use skstore::dashboard::size::Size;
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::Language;

use crate::builders::*;

const TOO_SMALL: &[(u16, u16)] = &[(59, 16), (60, 15), (120, 15), (59, 40), (20, 3), (1, 1), (0, 0)];
/// What can lie over the desk, by the keys that bring it there.
const OPEN: &[&str] = &["", "n", "u", "s", "/", ":", "b", "f", "c", "L", "4", "5", "6"];

fn resized(mut state: State, (width, height): (u16, u16)) -> State {
    update(&mut state, NOW, Message::Resized(Size { width, height }));
    state
}

/// All that could have changed but the size and what is told, which nobody did.
fn seen(state: &State) -> String {
    format!("{:?} {:?} {:?} {:?} {:?}", state.layers, state.tab, state.look, state.detail, state.orders)
}

/// Every key there is and text can be typed with.
fn every_chord() -> Vec<Chord> {
    let characters = (' '..='~').chain(['ㅜ', 'ㅊ', '한']);
    let codes = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Insert,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
    ];
    let plain = characters.clone().map(Chord::char);
    plain.chain(codes.map(Chord::of)).chain(('a'..='z').map(Chord::ctrl)).collect()
}

#[test]
fn no_key_acts_on_what_cannot_be_seen_but_quit_help_and_the_shells() {
    let acts = ['q', '?', 'h', 'ㅂ', 'ㅗ'].map(Chord::char).into_iter();
    let acts: Vec<Chord> = acts.chain(['c', 'z'].map(Chord::ctrl)).collect();
    for size in TOO_SMALL {
        for open in OPEN {
            let mut state = desk();
            type_in(&mut state, open);
            reads(&mut state, rows(), health());
            let state = resized(state, *size);
            for chord in every_chord().into_iter().filter(|chord| !acts.contains(chord)) {
                let mut after = state.clone();
                let effects = update(&mut after, NOW, Message::Key(chord));
                assert_eq!(effects, [], "{chord:?} at {size:?} over '{open}'");
                assert_eq!(seen(&after), seen(&state), "{chord:?} at {size:?} over '{open}'");
            }
        }
    }
}

#[test]
fn quit_and_help_act_on_the_smallest_screen_and_the_help_can_be_read_and_left() {
    for size in TOO_SMALL {
        for open in OPEN {
            let mut state = desk();
            type_in(&mut state, open);
            let mut state = resized(state, *size);
            assert_eq!(press(&mut state, 'q'), [Effect::Quit], "at {size:?} over '{open}'");
            assert_eq!(press(&mut state, Key(Chord::ctrl('c'))), [Effect::Quit], "at {size:?} over '{open}'");
            let before = seen(&state);
            press(&mut state, '?');
            assert_eq!(state.scope(), Scope::Help, "at {size:?} over '{open}'");
            press(&mut state, KeyCode::Down);
            press(&mut state, KeyCode::Esc);
            assert_eq!(seen(&state), before, "the help is left again at {size:?} over '{open}'");
        }
    }
    let mut state = resized(desk(), (50, 14));
    let shown = screen(&state);
    assert!(shown.contains("? help") && shown.contains("q quit"), "the keys that act are shown:\n{shown}");
    press(&mut state, '?');
    let shown = screen(&state);
    assert!(shown.contains("q Ctrl-c"), "the help shows them:\n{shown}");
}

#[test]
fn neither_the_mouse_nor_pasted_text_acts_on_what_cannot_be_seen() {
    for size in TOO_SMALL {
        for open in OPEN {
            let mut state = desk();
            type_in(&mut state, open);
            reads(&mut state, rows(), health());
            see(&mut state);
            let mut after = resized(state, *size);
            let before = seen(&after);
            assert_eq!(update(&mut after, NOW, Message::Paste("1000".into())), [], "{size:?} '{open}'");
            for gesture in [Gesture::Click, Gesture::WheelDown, Gesture::WheelUp] {
                for (x, y) in [(0, 0), (3, 1), (25, 8), (size.0.max(1) - 1, size.1.max(1) - 1)] {
                    assert_eq!(mouse(&mut after, gesture, x, y), [], "{gesture:?} at {size:?} over '{open}'");
                }
            }
            assert_eq!(seen(&after), before, "at {size:?} over '{open}'");
        }
    }
}

#[test]
fn what_was_open_is_as_it_was_once_the_screen_is_large_enough() {
    let mut state = busy(Language::English, 80, 24);
    press(&mut state, 'n');
    reads(&mut state, rows(), health());
    let before = screen(&state);
    let mut small = resized(state, (60, 15));
    assert!(small.size.is_too_small());
    type_in(&mut small, "kim");
    press(&mut small, KeyCode::Enter);
    assert_eq!(screen(&resized(small, (80, 24))), before);
}
