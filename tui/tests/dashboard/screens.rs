//! Snapshots of whole screens, and what must hold for every one of them.

use crossterm::event::KeyCode;
use ratatui::style::Color;
use skstore::dashboard::keys::Scope;
use skstore::dashboard::message::{Answered, Found, Message, Request};
use skstore::dashboard::size::Size;
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::dashboard::update;
use skstore::text::words::Worded;
use skstore::text::{Language, fit};
use skstore::theme::{Glyphs, ThemeName};
use skstore_domain::answers::{Answer, PaymentAnswer};
use skstore_domain::ids::is_unsafe_to_show;
use skstore_domain::objects::{Order, OrderStatus};
use skstore_domain::signals::Service;
use skstore_workers::desk::DeskError;
use skstore_workers::desk::view::{Health, OrderPage};

use crate::builders::*;

const NARROW: (u16, u16) = (80, 24);
const WIDE: (u16, u16) = (120, 40);
const LARGE: (u16, u16) = (200, 60);

fn both(name: &str, size: (u16, u16), make: impl Fn(Language) -> State) {
    for language in Language::ALL {
        let state = make(*language);
        assert_eq!((state.size.width, state.size.height), size, "the screen's size");
        insta::assert_snapshot!(format!("{name}_{language:?}").to_lowercase(), screen(&state));
    }
}

/// The detail of the third order, with what Order and Deposit answer.
fn detailed(language: Language, (width, height): (u16, u16)) -> State {
    let mut state = busy(language, width, height);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    reads(&mut state, rows(), health());
    let row = rows().swap_remove(2);
    let answer = Answer::payment(PaymentAnswer::Known(row.payment.unwrap()));
    answers(&mut state, Request::Payment(row.order.order_id.clone()), Ok(answer));
    answers(&mut state, Request::Order(row.order.order_id.clone()), Ok(Answer::order(row.order)));
    state
}

fn answers(state: &mut State, request: Request, answer: Result<Answer, DeskError>) {
    let answered = Answered { request, result: answer.map(Some) };
    update(state, NOW, Message::Answered(Box::new(answered)));
}

/// A place form in which kim is about to order seven apples, which is more than the account covers.
fn ordering(language: Language, (width, height): (u16, u16)) -> State {
    let mut state = busy(language, width, height);
    press(&mut state, 'n');
    reads(&mut state, rows(), health());
    update(&mut state, NOW, Message::OrderId(order_id(99)));
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Enter);
    for _ in 0..6 {
        press(&mut state, '+');
    }
    state
}

#[test]
fn an_empty_desk_says_how_to_begin() {
    both("empty", NARROW, |language| {
        let mut state = started(language, NARROW.0, NARROW.1);
        reads(&mut state, vec![], health());
        state
    });
}

#[test]
fn a_busy_desk_fits_80_by_24() {
    both("busy_narrow", NARROW, |language| busy(language, NARROW.0, NARROW.1));
}

#[test]
fn a_busy_desk_uses_a_wide_screen() {
    both("busy_wide", WIDE, |language| busy(language, WIDE.0, WIDE.1));
}

#[test]
fn a_detail_fills_a_narrow_screen() {
    both("detail_narrow", NARROW, |language| detailed(language, NARROW));
}

#[test]
fn a_detail_stands_beside_the_table_on_a_wide_screen() {
    both("detail_wide", WIDE, |language| detailed(language, WIDE));
}

#[test]
fn a_timeline_marks_what_was_told_again_because_the_order_waited() {
    for (size_name, size) in [("narrow", NARROW), ("wide", WIDE)] {
        both(&format!("told_again_{size_name}"), size, |language| {
            let mut state = detailed(language, size);
            let mut snapshot = snapshot(&state, rows(), health());
            snapshot.detail.as_mut().unwrap().timeline[2].told_again = 3;
            update(&mut state, NOW, Message::Read(Box::new(snapshot)));
            if size == NARROW {
                press(&mut state, KeyCode::End);
            }
            state
        });
    }
}

#[test]
fn accounts_and_items_show_what_belongs_to_the_selected_one() {
    for (name, tab) in [("accounts", Tab::Accounts), ("items", Tab::Items)] {
        both(&format!("{name}_narrow"), NARROW, |language| showing(tab, language, NARROW.0, NARROW.1));
        let wide = showing(tab, Language::English, LARGE.0, LARGE.1);
        insta::assert_snapshot!(format!("{name}_large"), screen(&wide));
    }
}

#[test]
fn events_show_what_happens_and_all_of_the_selected_one() {
    both("events_narrow", NARROW, |language| showing(Tab::Events, language, NARROW.0, NARROW.1));
    let mut state = showing(Tab::Events, Language::English, LARGE.0, LARGE.1);
    press(&mut state, ' ');
    press(&mut state, KeyCode::Down);
    insta::assert_snapshot!("events_large_frozen", screen(&state));
}

#[test]
fn a_sorted_window_says_by_what() {
    let mut state = busy(Language::English, NARROW.0, NARROW.1);
    for _ in 0..4 {
        press(&mut state, 'o');
    }
    insta::assert_snapshot!("sorted", screen(&state));
}

#[test]
fn an_order_is_shown_as_it_was_and_word_for_word() {
    both("detail_then", NARROW, |language| {
        let mut state = detailed(language, NARROW);
        press(&mut state, KeyCode::Left);
        press(&mut state, KeyCode::Left);
        state
    });
    let mut state = detailed(Language::English, LARGE);
    press(&mut state, 'e');
    insta::assert_snapshot!("detail_raw_large", screen(&state));
}

#[test]
fn commands_are_listed_with_their_keys() {
    both("palette", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, ':');
        type_in(&mut state, "r");
        press(&mut state, KeyCode::Down);
        state
    });
}

#[test]
fn a_busy_desk_uses_a_large_screen() {
    let mut state = started(Language::English, LARGE.0, LARGE.1);
    reads(&mut state, rows(), tripped());
    insta::assert_snapshot!("busy_large", screen(&state));
}

#[test]
fn a_form_shows_what_it_would_cost_and_that_the_balance_does_not_cover_it() {
    both("place_form", NARROW, |language| ordering(language, NARROW));
}

#[test]
fn a_form_lists_what_matches() {
    both("place_form_picking", NARROW, |language| {
        let mut state = ordering(language, NARROW);
        press(&mut state, KeyCode::BackTab);
        state
    });
}

#[test]
fn the_help_lists_every_key() {
    both("help", WIDE, |language| {
        let mut state = busy(language, WIDE.0, WIDE.1);
        press(&mut state, '?');
        state
    });
}

#[test]
fn an_open_breaker_shows_why_and_when_it_tries_again() {
    for (name, size) in [("breaker_open_wide", WIDE), ("breaker_open_narrow", NARROW)] {
        both(name, size, |language| {
            let mut state = started(language, size.0, size.1);
            reads(&mut state, rows(), tripped());
            state
        });
    }
}

#[test]
fn a_lost_view_is_a_banner_with_a_countdown() {
    both("disconnected", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        let cause = "connection refused".to_owned();
        update(&mut state, ago(4000), Message::ViewLost { cause: cause.clone(), retry_at: ago(1000) });
        update(&mut state, NOW, Message::ViewLost { cause, retry_at: ago(-2400) });
        state
    });
}

#[test]
fn a_rebuild_is_a_banner_with_its_progress() {
    both("rebuilding", NARROW, |language| {
        let mut state = started(language, NARROW.0, NARROW.1);
        let mut health = health();
        health.services[3].rebuilding = Some(42);
        reads(&mut state, rows(), health);
        state
    });
}

#[test]
fn an_answer_of_try_later_counts_down() {
    both("try_later", NARROW, |language| {
        let mut state = ordering(language, NARROW);
        let effects = press(&mut state, KeyCode::Enter);
        let [skstore::dashboard::message::Effect::Ask(request), ..] = effects.as_slice() else {
            panic!("the form was not sent: {effects:?}");
        };
        let answer = Answer::try_later("deposit is protected", std::time::Duration::from_millis(4200));
        answers(&mut state, request.clone(), Ok(answer));
        let unheard =
            DeskError::NoAnswer { service: Service::Order, within: skstore_workers::desk::ANSWER_WITHIN };
        answers(&mut state, Request::Cancel(order_id(4)), Err(unheard));
        state
    });
}

#[test]
fn a_cancel_is_asked_about_and_no_is_the_default() {
    both("ask_cancel", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, KeyCode::Down);
        press(&mut state, 'c');
        state
    });
}

#[test]
fn the_menus_say_what_each_choice_does() {
    both("breaker_menu", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, 'b');
        state
    });
    both("faults_menu", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, 'f');
        press(&mut state, KeyCode::Down);
        state
    });
}

#[test]
fn the_filter_is_typed_in_the_last_line() {
    both("filter", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, '/');
        type_in(&mut state, "status:paying 사과");
        reads(&mut state, rows(), health());
        state
    });
}

#[test]
fn a_filter_without_an_index_says_how_far_it_looked() {
    both("scanned", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        press(&mut state, '/');
        type_in(&mut state, "sold");
        press(&mut state, KeyCode::Enter);
        let mut read = snapshot(&state, vec![], health());
        let next = Some(skstore_workers::desk::view::Cursor { placed_at: ago(1), order_id: order_id(7) });
        read.found = Found::Orders(OrderPage { next, scanned: Some(10_000), ..OrderPage::default() });
        update(&mut state, NOW, Message::Read(Box::new(read)));
        state
    });
}

#[test]
fn a_screen_that_is_too_small_says_what_it_needs() {
    both("tiny", (30, 6), |language| busy(language, 30, 6));
}

#[test]
fn ascii_is_enough() {
    both("ascii", NARROW, |language| {
        let mut state = busy(language, NARROW.0, NARROW.1);
        state.look.glyphs = Glyphs::ASCII;
        press(&mut state, KeyCode::Down);
        press(&mut state, 'c');
        state
    });
    let mut state = busy(Language::English, NARROW.0, NARROW.1);
    state.look.glyphs = Glyphs::ASCII;
    let rows = (1..20).map(|number| row(Order { item_name: "apple".into(), ..order(number) })).collect();
    reads(&mut state, rows, tripped());
    assert!(screen(&state).is_ascii(), "{}", screen(&state));
}

/// Every state of this file, in every language and theme.
fn every_screen() -> impl Iterator<Item = State> {
    let languages = Language::ALL.iter().copied();
    languages.flat_map(|language| ThemeName::ALL.iter().map(move |theme| (language, *theme))).flat_map(
        |(language, theme)| {
            let sizes = [NARROW, WIDE, (60, 16), (200, 60)];
            sizes.into_iter().flat_map(move |size| {
                let mut help = busy(language, size.0, size.1);
                press(&mut help, '?');
                let mut tripped_state = started(language, size.0, size.1);
                reads(&mut tripped_state, rows(), tripped());
                let mut menu = tripped_state.clone();
                press(&mut menu, 'f');
                let states = [
                    started(language, size.0, size.1),
                    busy(language, size.0, size.1),
                    detailed(language, size),
                    ordering(language, size),
                    help,
                    tripped_state,
                    menu,
                    showing(Tab::Accounts, language, size.0, size.1),
                    showing(Tab::Items, language, size.0, size.1),
                    showing(Tab::Events, language, size.0, size.1),
                ];
                states.into_iter().map(move |mut state| {
                    state.look.theme = theme;
                    state
                })
            })
        },
    )
}

#[test]
fn without_colour_nothing_is_coloured_and_everything_is_still_said() {
    for mut state in every_screen() {
        let coloured = screen(&state);
        state.look.theme = ThemeName::None;
        let plain = buffer(&state);
        for cell in plain.content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{cell:?} has a colour");
        }
        assert_eq!(text_of(&plain), coloured, "a theme changes what is said");
    }
}

#[test]
fn every_tab_has_its_name_on_80_columns() {
    for language in Language::ALL {
        for health in [health(), tripped(), Health::default()] {
            for shown in Tab::ALL {
                let mut state = started(*language, NARROW.0, NARROW.1);
                reads(&mut state, rows(), health.clone());
                press(&mut state, shown.number());
                let screen = screen(&state);
                let header = screen.lines().next().unwrap();
                for tab in Tab::ALL {
                    let name = format!("{} {}", tab.number(), language.get(tab.short()));
                    assert!(header.contains(&name), "no '{name}' in: {header}");
                }
            }
        }
    }
}

#[test]
fn every_status_is_said_in_a_word() {
    for language in Language::ALL {
        let state = busy(*language, WIDE.0, WIDE.1);
        let shown = screen(&state);
        for status in OrderStatus::ALL {
            let word = language.get(status.text());
            let rows = shown.lines().skip(4).filter(|line| line.contains(word)).count();
            assert!(rows > 1, "{status:?} is not said as '{word}' in its rows:\n{shown}");
        }
    }
}

#[test]
fn columns_stand_in_line_whatever_the_names() {
    for (width, height) in [NARROW, WIDE, (60, 16), (200, 60)] {
        for language in Language::ALL {
            let shown = buffer(&busy(*language, width, height));
            let heading = *language_heading(*language);
            let lines: Vec<String> = text_of(&shown).lines().map(str::to_owned).collect();
            let column = |line: &str, word: &str| line.find(word).map(|at| fit::width(&line[..at]));
            let status = column(&lines[3], heading).expect("the heading has a status column");
            for line in lines.iter().skip(4).take(6) {
                let glyphs = OrderStatus::ALL.iter().map(|status| Glyphs::UNICODE.status(*status));
                let found =
                    glyphs.filter_map(|glyph| column(line, &format!("{glyph} "))).any(|at| at == status);
                assert!(found, "no status at column {status} in {width}x{height}:\n{line}");
            }
        }
    }
}

fn language_heading(language: Language) -> &'static &'static str {
    match language {
        Language::Korean => &"상태",
        Language::English => &"status",
    }
}

#[test]
fn no_wide_character_hides_what_stands_beside_it() {
    for state in every_screen() {
        let shown = buffer(&state);
        for y in 0..shown.area.height {
            for x in 0..shown.area.width.saturating_sub(1) {
                if fit::width(shown[(x, y)].symbol()) > 1 {
                    assert_eq!(
                        shown[(x + 1, y)].symbol(),
                        " ",
                        "beside column {x} of row {y}:\n{}",
                        text_of(&shown)
                    );
                }
            }
        }
    }
}

#[test]
fn no_foreign_text_can_repaint_the_screen() {
    let evil = "x\u{1b}[2J\u{202e}y\u{200b}\n\r\u{9b}31m\u{feff}z\u{200d}\u{e0041}";
    let mut health = tripped();
    for beat in &mut health.services {
        beat.last_error = Some(evil.into());
        beat.fault = Some(evil.into());
        beat.instance = format!("{evil}{}", beat.service);
    }
    for change in &mut health.breaker_changes {
        change.why = evil.into();
        change.instance = format!("{evil}order");
    }
    for size in [NARROW, WIDE] {
        let mut state = started(Language::Korean, size.0, size.1);
        state.look.data_at = evil.into();
        let rows: Vec<_> =
            (0..20).map(|number| row(Order { item_name: evil.into(), ..order(number) })).collect();
        reads(&mut state, rows.clone(), health.clone());
        update(&mut state, NOW, Message::ViewLost { cause: evil.into(), retry_at: NOW });
        let answer = Answer::refuse(skstore_domain::answers::ErrorCode::Invalid, evil);
        answers(&mut state, Request::Cancel(order_id(1)), Ok(answer));
        press(&mut state, KeyCode::Enter);
        reads(&mut state, rows, health.clone());
        press(&mut state, 'c');
        let shown = buffer(&state);
        for cell in shown.content() {
            let harmful = cell.symbol().chars().find(|c| is_unsafe_to_show(*c));
            assert_eq!(harmful, None, "in {:?}", text_of(&shown));
        }
        assert!(
            text_of(&shown).contains("x[2Jy"),
            "what is harmless of it is still shown:\n{}",
            text_of(&shown)
        );
    }
}

#[test]
fn the_footer_shows_only_what_is_possible_and_always_the_help() {
    for state in every_screen().filter(|state| !state.size.is_too_small()) {
        let shown = screen(&state);
        let footer = shown.lines().last().unwrap();
        let is_tab = Tab::ALL.iter().any(|tab| Scope::of(*tab) == state.scope());
        if is_tab || state.scope() == Scope::Detail {
            let help = state.look.language.get(skstore::text::Text::KeyHelp);
            assert!(footer.contains(help), "no help in: {footer}");
        }
    }
    let mut state = started(Language::English, NARROW.0, NARROW.1);
    reads(&mut state, vec![], health());
    let shown = screen(&state);
    assert!(!shown.lines().last().unwrap().contains("cancel"), "there is nothing to cancel:\n{shown}");
}

#[test]
fn nothing_panics_on_any_size() {
    for width in 0..90 {
        for height in [0, 1, 2, 5, 15, 16, 17, 23, 24, 30] {
            for language in Language::ALL {
                // Opened where it can be seen, and then made to fit.
                for mut state in [detailed(*language, NARROW), ordering(*language, NARROW)] {
                    update(&mut state, NOW, Message::Resized(Size { width, height }));
                    screen(&state);
                    press(&mut state, KeyCode::F(1));
                    screen(&state);
                }
            }
        }
    }
}
