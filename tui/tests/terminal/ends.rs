//! A terminal that takes nothing more, or is gone, does not keep the program: it ends when it is told to, or by itself, and
//! whoever comes next finds the data free.

use std::path::Path;
use std::time::Duration;

use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;

use super::ENGLISH;
use super::person::{Person, signal, skstore};

/// How long the program may take to end.
pub(super) const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// What a busy machine may need on top.
pub(super) const LEEWAY: Duration = Duration::from_secs(3);
/// What the workers may use of a core while they stop. Whoever goes round in circles meanwhile uses all of it.
const STOPPING_TAKES: Duration = Duration::from_millis(500);
/// How often a key is pressed that draws the whole screen anew, some 8 KiB: far more than a terminal holds.
const REDRAWS: usize = 100;

/// The data is nobody's, and is as the workers left it: they start on it at once.
fn is_free(home: &Path) {
    let flags = vec![("data_dir".to_owned(), home.join("data").display().to_string())];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let process = Process::start(&config).expect("nobody holds the data any more");
    process.stop().unwrap();
}

/// Someone whose connection stalls while the screen is being drawn.
fn stalled(home: &Path) -> Person {
    let mut person = Person::starts(skstore(home, &[], ENGLISH));
    person.sees("a connected desk", |screen| screen.contains("closed"));
    person.orders_five_apples("Apple");
    person.sees_text("delivering 1 ");
    person.looks_away();
    for _ in 0..REDRAWS {
        person.types("l");
        std::thread::sleep(Duration::from_millis(20));
    }
    person
}

#[test]
fn a_terminal_that_takes_nothing_more_does_not_keep_the_program_from_ending() {
    for how in ["TERM", "HUP", "INT", "q"] {
        let home = tempfile::tempdir().unwrap();
        let mut person = stalled(home.path());
        if how == "q" {
            person.types("q");
        } else {
            signal(how, person.process());
        }
        let (status, took) = Person::waits_for_end(person.program());
        assert!(took < ENDS_WITHIN + LEEWAY, "{how}: it took {took:?}");
        assert!(status.success(), "{how}: the workers stopped as they should: {status:?}");
        is_free(home.path());
    }
}

/// Seconds of a core that a process has used, as `/proc` counts them; `None` once it is gone.
fn used(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in brackets may hold anything; what follows it are numbers.
    let (_, numbers) = stat.rsplit_once(')')?;
    let ticks: u64 = numbers.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    // A tick is a hundredth of a second.
    Some(Duration::from_millis(10 * ticks))
}

#[test]
fn a_terminal_that_is_gone_ends_the_program_also_where_no_signal_tells_it() {
    for has_controlling_terminal in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let mut command = skstore(home.path(), &[], ENGLISH);
        command.set_controlling_tty(has_controlling_terminal);
        let mut person = Person::starts(command);
        person.sees("a connected desk", |screen| screen.contains("closed"));
        let process = person.process();
        let mut program = person.closes();
        let (mut last, before) = (Duration::ZERO, used(process).unwrap_or_default());
        let ended = std::thread::scope(|scope| {
            let waits = scope.spawn(|| Person::waits_for_end(&mut *program));
            while !waits.is_finished() {
                last = used(process).unwrap_or(last);
                std::thread::sleep(Duration::from_millis(5));
            }
            waits.join().unwrap()
        });
        let (status, took) = ended;
        let what = format!("with a controlling terminal: {has_controlling_terminal}");
        assert!(took < ENDS_WITHIN + LEEWAY, "{what}: it took {took:?}");
        let used = last.saturating_sub(before);
        assert!(used < STOPPING_TAKES, "{what}: it used {used:?} of a core in {took:?}");
        assert!(status.success(), "{what}: {status:?}");
        is_free(home.path());
    }
}
