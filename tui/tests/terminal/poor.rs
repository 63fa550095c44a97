//! Terminals that can do little: no screen, no size, few characters, no marks around what is pasted.

use std::time::Duration;

use portable_pty::PtySize;

use super::ENGLISH;
use super::ends::{ENDS_WITHIN, LEEWAY};
use super::person::{COLUMNS, Person, ROWS, line_with, signal, skstore};

#[test]
fn a_terminal_that_cannot_be_drawn_on_gets_the_status_and_a_sentence() {
    for term in [Some("dumb"), Some("unknown"), Some(""), None] {
        let home = tempfile::tempdir().unwrap();
        let mut command = skstore(home.path(), &[], ENGLISH);
        match term {
            Some(term) => command.env("TERM", term),
            None => command.env_remove("TERM"),
        }
        let mut person = Person::starts(command);
        person.sees_all(&["nothing can be drawn", "export TERM=", "orders", "deposit"]);
        let heard = person.heard.clone();
        let ended = person.ends();
        assert!(ended.status.success(), "TERM={term:?}: {:?}", ended.status);
        assert!(!heard.contains(&0x1b), "TERM={term:?}: {:?}", String::from_utf8_lossy(&heard));
    }
}

#[test]
fn a_terminal_without_a_size_is_drawn_on_as_one_of_old_until_it_is_told_its_size() {
    for (environment, columns) in [(ENGLISH, 80), (&[("LANG", "en_US.UTF-8"), ("COLUMNS", "100")][..], 100)] {
        let home = tempfile::tempdir().unwrap();
        let nothing = PtySize { rows: 0, cols: 0, pixel_width: 0, pixel_height: 0 };
        let mut person = Person::starts_at(nothing, skstore(home.path(), &[], environment));
        person.sees("a connected desk", |screen| screen.contains("closed") && screen.contains("q quit"));
        let shown = person.text();
        let widest = shown.lines().map(skstore::text::fit::width).max();
        assert_eq!((widest, shown.lines().count()), (Some(columns), 24), "of the assumed size:\n{shown}");
        person.orders_five_apples("Apple");
        person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());
        person.resizes(COLUMNS, ROWS);
        person.sees("the screen of its size", |screen| screen.lines().count() == usize::from(ROWS));
        person.leaves();
    }
}

/// What the program may have had while its terminal claims to be larger than any.
const MAX_BYTES: usize = 400 << 20;

#[test]
fn a_terminal_that_claims_to_be_larger_than_any_is_drawn_on_as_far_as_anybody_could_see() {
    for (columns, rows) in [(3000, 3000), (u16::MAX, u16::MAX)] {
        let home = tempfile::tempdir().unwrap();
        let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
        person.sees("a connected desk", |screen| screen.contains("closed"));
        person.claims(columns, rows);
        // Any change of what is shown comes after the new size.
        person.types("2");
        person.sees_text("walk-in");
        person.watches_for(Duration::from_millis(500));
        let peak = person.peak_bytes();
        assert!(peak < MAX_BYTES, "{columns} × {rows}: {} MiB", peak >> 20);
        signal("TERM", person.process());
        let (status, took) = Person::waits_for_end(person.program());
        assert!(took < ENDS_WITHIN + LEEWAY, "{columns} × {rows}: it took {took:?}");
        assert!(status.success(), "{columns} × {rows}: {status:?}");
    }
}

#[test]
fn a_linux_console_gets_characters_that_it_has_unless_others_are_wished() {
    for (arguments, is_ascii) in [(&[][..], true), (&["--set", "ui.ascii=false"][..], false)] {
        let home = tempfile::tempdir().unwrap();
        let mut command = skstore(home.path(), arguments, ENGLISH);
        command.env("TERM", "linux");
        let mut person = Person::starts(command);
        person.sees_text("closed");
        person.sees("what can be done", |screen| screen.contains("q quit"));
        assert_eq!(person.text().is_ascii(), is_ascii, "{}", person.text());
        person.leaves();
    }
}

#[test]
fn what_is_pasted_without_marks_is_typed_into_a_field_and_does_nothing_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(skstore(home.path(), &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    // As keys it would top up an account, order something and leave.
    for pasted in ["u\rkim\r1000\r", "n\r\r5\r", "please quit\n"] {
        person.types(pasted);
        person.sees_text("Pasted text does nothing here");
        person.types("d");
        person.sees("the message gone", |screen| !screen.contains("Pasted text"));
    }
    assert!(person.text().contains("No orders yet"), "{}", person.text());
    let long = "status:paying ".repeat(300);
    person.types(&long);
    person.sees_text("Pasted text does nothing here");

    person.types("/");
    person.sees_text("filter:");
    person.types("status:cancelled\r");
    person.sees_text("status:cancelled");
    person.watches_for(Duration::from_millis(200));
    assert!(person.text().contains("filter:"), "the end of its line is no key:\n{}", person.text());
    person.types("\r");
    person.sees("the filter in place", |screen| !screen.contains("filter:"));

    // Keys of a hand that was held up, and one that is held.
    person.types("\u{1b}");
    person.sees_text("No orders yet");
    person.types("44");
    person.sees_text("promises");
    person.types("55555");
    person.sees_text("following, the newest");
    person.leaves();
}

#[test]
fn times_are_local_also_where_the_machine_knows_no_zones_and_labelled() {
    for (zone, wish, shown) in
        [("KST-9", "local", "KST"), ("KST-9", "utc", "UTC"), ("Asia/Soeul", "local", "UTC")]
    {
        let home = tempfile::tempdir().unwrap();
        let mut command = skstore(home.path(), &["--set", &format!("ui.time={wish}")], ENGLISH);
        command.env("TZ", zone);
        let mut person = Person::starts(command);
        person.sees("a connected desk", |screen| screen.contains("closed"));
        person.orders_five_apples("Apple");
        person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());
        person.types("\r");
        person.sees(&format!("a timeline in {shown}, TZ={zone}"), |screen| {
            line_with(screen, "timeline", shown).is_some()
        });
        person.leaves();
    }
}
