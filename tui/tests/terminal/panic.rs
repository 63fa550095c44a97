//! A program that panics leaves the terminal as it was, with its message on it.

use std::path::Path;

use crossterm::event::{Event, KeyCode};
use futures_util::StreamExt;
use portable_pty::CommandBuilder;
use skstore::dashboard::{DashboardOptions, run_on};
use skstore::terminal::TerminalGuard;
use skstore::terminal::console::OwnConsole;
use skstore::terminal::keyboard::Keyboard;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;

use super::ENGLISH;
use super::person::{Person, with_environment};

/// This test, as its own binary is asked to run it once more, on a terminal.
const ITSELF: &str = "panic::a_panic_gives_the_terminal_back_and_its_message_can_be_read";
/// Set where it is the one that panics: where its data is.
const PANICS_WITH: &str = "PANICS_WITH_DATA_IN";
/// What the program says when it panics.
const SLIP: &str = "somebody has made a mistake";

#[test]
fn a_panic_gives_the_terminal_back_and_its_message_can_be_read() {
    if let Some(data) = std::env::var_os(PANICS_WITH) {
        return show_a_desk_that_panics(Path::new(&data));
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    // With one thread a test runs on the main one, as the program does.
    command.args([ITSELF, "--exact", "--nocapture", "--test-threads=1"]);
    with_environment(&mut command, home.path(), ENGLISH);
    command.env(PANICS_WITH, home.path());
    let mut person = Person::starts(command);
    person.sees("a connected desk", |screen| screen.contains("closed"));
    assert!(!person.has_own_terminal(), "the dashboard has the terminal:\n{}", person.text());

    // A worker's panic is caught and logged: it is no reason to touch the screen.
    person.types("%4");
    person.sees_text("promises");
    assert!(!String::from_utf8_lossy(&person.heard).contains(SLIP), "it is drawn over:\n{}", person.text());

    person.types("!");
    let ended = person.ends();
    assert!(!ended.status.success(), "{:?}", ended.status);
    let told = ended.text.lines().filter(|line| line.contains(SLIP)).count();
    assert_eq!(told, 1, "the message can be read:\n{}", ended.text);
    assert!(!ended.text.contains("promises"), "nothing of the dashboard is left:\n{}", ended.text);
}

/// The real dashboard with its workers on this process's terminal, until `!` is pressed; `%` panics beside it.
fn show_a_desk_that_panics(data: &Path) {
    let flags = vec![("data_dir".to_owned(), data.display().to_string())];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let process = Process::start(&config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keyboard = Keyboard::listen().unwrap().inspect(|event| match event {
        Ok(Event::Key(key)) if key.code == KeyCode::Char('!') => panic!("{SLIP}"),
        Ok(Event::Key(key)) if key.code == KeyCode::Char('%') => {
            let worker = std::thread::Builder::new().name("worker".to_owned());
            worker.spawn(|| panic!("{SLIP}")).unwrap().join().unwrap_err();
        }
        _ => {}
    });
    runtime.block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        let options = DashboardOptions::new(&config, |_| None, "embedded".to_owned()).unwrap();
        let guard = TerminalGuard::enter(options.has_mouse).unwrap();
        let mut screen = guard.screen(options.assumed_size).unwrap();
        let mut console = OwnConsole::new(guard).unwrap();
        run_on(desk, options, &mut screen, keyboard, &mut console).await.unwrap();
    });
}
