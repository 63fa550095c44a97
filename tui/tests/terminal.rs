//! The dashboard in a real terminal: the program on a pseudo-terminal, a terminal emulator that shows what a
//! person would see, and a person's keys.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::time::Duration;

use portable_pty::CommandBuilder;

#[path = "terminal/ends.rs"]
mod ends;
#[path = "terminal/http.rs"]
mod http;
#[path = "terminal/mouse.rs"]
mod mouse;
#[path = "terminal/panic.rs"]
mod panic;
#[path = "terminal/person.rs"]
mod person;
#[path = "terminal/poor.rs"]
mod poor;

use person::{Person, assert_colourless, line_with, signal, skstore, with_environment};

const KOREAN: &[(&str, &str)] = &[("LANG", "ko_KR.UTF-8")];
const ENGLISH: &[(&str, &str)] = &[("LANG", "en_US.UTF-8")];
const COLOURLESS: &[(&str, &str)] = &[("LANG", "en_US.UTF-8"), ("NO_COLOR", "1")];
/// What the shell's prompt says.
const PROMPT: &str = "shell> ";

/// Someone at an interactive shell.
fn at_a_shell(home: &Path, environment: &[(&str, &str)]) -> Person {
    let mut command = CommandBuilder::new("bash");
    command.args(["--norc", "--noprofile", "-i"]);
    with_environment(&mut command, home, environment);
    command.env("PS1", PROMPT);
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    let mut person = Person::starts(command);
    person.sees_text(PROMPT);
    person
}

#[test]
fn an_order_is_watched_being_delivered_cancelled_and_is_there_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], KOREAN));
    person.sees_text("차단기 닫힘");
    person.orders_five_apples("사과");
    person.sees("the order on its way", |screen| line_with(screen, "× 5", "배송시작").is_some());

    person.types("c");
    person.sees_text("이 주문을 취소할까요?");
    person.types("y");
    person.sees("the order cancelled and refunded", |screen| {
        line_with(screen, "× 5", "취소").is_some_and(|row| row.contains("환불"))
    });
    person.leaves();

    let mut person = Person::starts(skstore(home.path(), &[], KOREAN));
    person.sees("the order after a restart", |screen| {
        line_with(screen, "× 5", "취소").is_some_and(|row| row.contains("환불"))
    });
    person.types("\r");
    person.sees_text("주문 상세");
    person.sees_text("결제중");
    person.leaves();
}

/// With and without colours: order, filter, resize, look at every tab, copy, paste.
#[test]
fn a_day_at_the_desk_with_colours_and_without() {
    for environment in [ENGLISH, COLOURLESS] {
        let home = tempfile::tempdir().unwrap();
        let mut person = Person::starts(skstore(home.path(), &[], environment));
        person.sees("a connected desk", |screen| screen.contains("closed"));
        person.orders_five_apples("Apple");
        person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());

        person.types("/");
        // Pasted: line breaks are no keys.
        person.types("\u{1b}[200~status:cancelled\r\n\u{1b}[201~");
        person.sees_text("status:cancelled");
        person.types("\r");
        person.sees("no order that matches", |screen| line_with(screen, "× 5", "delivering").is_none());
        person.types("\u{1b}");
        person.sees("all orders again", |screen| line_with(screen, "× 5", "delivering").is_some());

        person.types("y");
        person.sees_text("sent to the terminal to be copied");
        let copied = String::from_utf8_lossy(&person.heard).contains("\u{1b}]52;c;");
        assert!(copied, "the clipboard was not set");

        for (columns, rows) in [(80, 24), (200, 60), (40, 10), (120, 36)] {
            person.resizes(columns, rows);
            let fits = columns >= 60 && rows >= 16;
            person.sees("the screen of its size", |screen| {
                screen.contains("too small") != fits
                    && (!fits || line_with(screen, "× 5", "delivering").is_some())
            });
        }

        person.types("4");
        person.sees_all(&["topped up =", "none stuck", "order.commands", "orders/s"]);
        person.types("6");
        person.sees_text("No message is parked");
        person.types("1");
        if environment == COLOURLESS {
            assert_colourless(person.screen.screen());
        }
        person.leaves();
    }
}

/// Whether the shell has the screen, has told so many times that the desk was stopped, and waits for a line: what is typed
/// before is still the desk's.
fn shell_waits(screen: &str, stops: usize) -> bool {
    let last = screen.lines().rfind(|line| !line.trim().is_empty());
    screen.matches("Stopped").count() == stops && last.is_some_and(|line| line.trim() == PROMPT.trim())
}

#[test]
fn the_shell_gets_the_terminal_and_gives_it_back() {
    for environment in [ENGLISH, COLOURLESS] {
        let home = tempfile::tempdir().unwrap();
        let mut person = at_a_shell(home.path(), environment);
        let data = home.path().join("data");
        person.types(&format!("{} --data-dir {}\r", env!("CARGO_BIN_EXE_skstore"), data.display()));
        person.sees("a connected desk", |screen| screen.contains("closed"));
        person.orders_five_apples("Apple");
        person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());

        person.types("\u{1a}");
        person.sees("the shell", |screen| shell_waits(screen, 1));
        assert!(person.has_own_terminal(), "the shell has no terminal of its own:\n{}", person.text());
        person.types("echo answer $((6 * 7))\r");
        person.sees_text("answer 42");

        person.types("fg\r");
        person.sees("the desk as it was", |screen| {
            line_with(screen, "× 5", "delivering").is_some() && !screen.contains("answer 42")
        });
        assert!(!person.has_own_terminal(), "it draws over the shell");

        // Stopped by somebody else, who asks for it.
        let lock = std::fs::read_to_string(data.join("skstore.lock")).unwrap();
        let process = lock.lines().next().unwrap().parse().unwrap();
        signal("TSTP", process);
        person.sees("the shell again", |screen| shell_waits(screen, 2));
        assert!(person.has_own_terminal(), "the shell has no terminal of its own:\n{}", person.text());
        person.types("fg\r");
        person.sees("the desk once more", |screen| line_with(screen, "× 5", "delivering").is_some());

        // Stopped without having been asked, its screen is drawn over; it is whole again when it goes on.
        signal("STOP", process);
        person.sees_text("Stopped");
        person.types("fg\r");
        person.sees("a whole screen", |screen| {
            line_with(screen, "× 5", "delivering").is_some() && !screen.contains("Stopped")
        });

        person.types("q");
        person.sees("the shell at the end", |screen| !screen.contains("delivering"));
        person.types("stty -a | grep -c ' icanon'\r");
        person.sees("a terminal that edits lines", |screen| screen.lines().any(|line| line.trim() == "1"));
        assert!(person.has_own_terminal(), "the shell has no terminal of its own:\n{}", person.text());
        person.types("exit\r");
        person.ends();
    }
}

#[test]
fn without_a_shell_it_does_not_stop() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    person.types("\u{1a}");
    person.sees_text("There is no shell that could continue it");
    person.types("4");
    person.sees_text("promises");
    person.leaves();
}

#[test]
fn the_terminal_is_given_back_however_the_program_is_told_to_end() {
    for name in ["TERM", "HUP", "INT"] {
        let home = tempfile::tempdir().unwrap();
        let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
        person.sees("a connected desk", |screen| screen.contains("closed"));
        signal(name, person.process());
        let status = person.ends().status;
        assert!(status.success(), "SIG{name}: {status:?}");
    }
}

#[test]
fn a_calm_desk_is_drawn_only_as_the_clock_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    person.watches_for(Duration::from_secs(3));
    let before = person.heard.len();
    person.watches_for(Duration::from_secs(3));
    let sent = person.heard.len() - before;
    // A screen of this size takes some 6 KiB: ages and rates are all that may change.
    assert!(sent < 6 * 1024, "{sent} bytes were sent in three seconds in which nothing happened");
    person.leaves();
}

#[test]
fn what_goes_wrong_goes_to_the_log_and_its_pane_and_never_over_the_screen() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    // Forcing the breaker is logged as a warning.
    person.types("b");
    person.sees_text("forced closed: it calls");
    person.types("jj");
    person.sees_text("▸ forced closed");
    person.types("\r");
    person.sees_text("Change the breakers");
    person.types("y");
    person.sees_text("forced closed");
    person.types("L");
    person.sees_all(&["log", "the operator sets the breaker"]);
    person.types("\u{1b}");
    person.sees("the desk below it", |screen| !screen.contains("the operator sets the breaker"));
    let log = std::fs::read_to_string(home.path().join("data").join("skstore.log")).unwrap();
    assert!(log.contains("the operator sets the breaker"), "{log}");
    person.leaves();
}
