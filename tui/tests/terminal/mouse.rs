//! The mouse on a real terminal, as the bytes that one sends.

use super::ENGLISH;
use super::person::{Person, line_with, skstore};

#[test]
fn the_desk_is_used_by_the_mouse_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    assert!(person.has_mouse(), "the terminal is asked to tell of the mouse");

    person.clicks("n order");
    person.clicks("10 Apple");
    person.clicks("walk-in  ");
    person.sees_text("+ more");
    for price in ["2,000 won", "3,000 won"] {
        person.clicks("[+]");
        person.sees_text(price);
    }
    person.clicks("[ send ]");
    person.sees("the order on its way", |screen| line_with(screen, "× 3", "delivering").is_some());
    person.clicks("× 3");
    person.sees_all(&["Deposit answers", "same as shown"]);
    person.clicks("Esc back");
    person.sees("the order closed", |screen| !screen.contains("Deposit answers"));

    person.clicks("3 items");
    person.sees_text("▸ 10");
    // Not over the apple: what was delivered of it stands beside the table as soon as it is read.
    person.wheels_down("Pear");
    person.sees_text("▸ 13");
    person.clicks("Watermelon");
    person.sees_text("▸ 14");
    person.clicks("price (won)");
    person.sees_text("price (won)▲");
    person.clicks("price (won)");
    person.sees_text("price (won)▼");
    person.clicks("q quit");
    assert!(person.ends().status.success());
}

#[test]
fn a_terminal_keeps_its_mouse_if_that_is_wished() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &["--set", "ui.mouse=false"], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    person.types("4");
    person.sees_text("promises");
    assert!(!person.has_mouse(), "the terminal was asked to tell of the mouse");
    person.leaves();
}
