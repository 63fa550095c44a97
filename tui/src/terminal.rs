//! Takes the terminal over and gives it back, whatever happens: on return, on an error, on a panic, and for as long
//! as the shell wants it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::queue;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui::layout::Size;

pub mod console;
pub mod keyboard;
pub mod outlet;
pub mod screen;
pub mod size;

use outlet::Sheet;
use screen::Screen;

/// How long the terminal may take to take what gives it back. One that takes nothing gets nothing more, and the process
/// ends all the same: within two seconds, of which the workers need the rest.
const GIVEN_BACK_WITHIN: Duration = Duration::from_millis(500);

/// The thread that holds the terminal, if it is ours now: there is one terminal per process, and both [`Drop`]
/// and the panic hook may want to give it back.
static HOLDER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Holds the terminal in raw mode on the alternate screen until it is dropped.
///
/// Keep it until after the last frame; drop it before anything is printed. A process that is told to end
/// must drop it too (drop the future that holds it), and not call `exit` while it lives.
#[derive(Debug)]
#[must_use = "the terminal is given back as soon as this is dropped"]
pub struct TerminalGuard {
    /// Whether the mouse is ours too.
    with_mouse: bool,
}

impl TerminalGuard {
    /// Takes the terminal over: raw mode, alternate screen, bracketed paste, no cursor, and the mouse if
    /// it is wanted. From the first call on a panic of this thread gives it back before it prints its message; that of another thread (a worker
    /// that catches it and goes on) is logged instead of being printed across the screen.
    ///
    /// # Errors
    /// What the terminal said; it is as it was then.
    pub fn enter(with_mouse: bool) -> io::Result<Self> {
        restore_before_panic_messages();
        take_over(with_mouse)?;
        Ok(Self { with_mouse })
    }

    /// A drawing surface on this terminal, which has the size `assumed` while it does not know its own.
    ///
    /// # Errors
    /// What the terminal said.
    pub fn screen(&self, assumed: Size) -> io::Result<Terminal<Screen>> {
        Terminal::new(Screen::new(outlet::own()?, assumed))
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

fn holder() -> std::sync::MutexGuard<'static, Option<ThreadId>> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the terminal, or leaves it as it was.
fn take_over(with_mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    *holder() = Some(std::thread::current().id());
    let taken = outlet::own().and_then(|outlet| {
        let mut out = Sheet::new(outlet);
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        if with_mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    });
    if taken.is_err() {
        give_back();
    }
    taken
}

/// Gives the terminal back if it is ours. Errors are dropped: there is nobody left to tell them to. A terminal that takes
/// nothing is not waited for.
fn give_back() {
    if holder().take().is_some() {
        if let Ok(outlet) = outlet::own() {
            let mut out = Sheet::new(outlet.clone());
            let _ = queue!(out, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
            let _ = out.flush();
            outlet.idle_within(GIVEN_BACK_WITHIN);
        }
        let _ = disable_raw_mode();
    }
}

fn restore_before_panic_messages() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let held_by = *holder();
            // The main thread takes the process down with it, so it counts as the holder.
            if held_by.is_some_and(|holder| holder != thread.id()) && thread.name() != Some("main") {
                tracing::error!(thread = thread.name().unwrap_or("?"), "{panic}");
                return;
            }
            give_back();
            print(panic);
        }));
    });
}
