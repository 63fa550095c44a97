//! What the dashboard asks of its terminal besides drawing: to give it to the shell for a while, and to copy.

use std::io;
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;
use ratatui::Terminal;
use ratatui::layout::Size;

use super::outlet::{self, Outlet, Sheet};
use super::screen::Screen;
use super::{TerminalGuard, give_back, take_over};

/// How long it is waited to be continued after having stopped ourselves. Whoever is still running then was not
/// stopped: the first process of a container cannot be.
const STOPPED_WITHIN: Duration = Duration::from_secs(1);

/// What has happened to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Somebody wants this process to stop for a while, and the terminal for the shell.
    Stop,
    /// It was stopped without having been asked, and goes on: whatever was done to the terminal meanwhile, it is
    /// ours again.
    Continued,
    /// It has another size, or learns it.
    Resized,
}

/// A terminal, as the dashboard needs it besides drawing.
pub trait Console {
    /// The way that takes what is drawn to the terminal. Only once it is idle is it worth while to draw again. `None`
    /// where whoever draws waits for the screen itself.
    fn outlet(&self) -> Option<Outlet>;

    /// Asks the terminal to put `text` into the clipboard of whoever looks at it, wherever that is. Whether it does is
    /// not told.
    ///
    /// # Errors
    /// What the terminal said.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Waits until something happens to the terminal. Cancel-safe.
    fn told(&mut self) -> impl Future<Output = Told>;

    /// Gives the terminal to the shell, stops, and takes it again once this process is continued; then the whole
    /// screen must be drawn anew. `false` when there is no shell that could continue it: nothing was done then.
    ///
    /// # Errors
    /// What the terminal said.
    fn suspend(&mut self) -> impl Future<Output = io::Result<bool>>;

    /// Takes the terminal again after [`Told::Continued`]; then the whole screen must be drawn anew.
    ///
    /// # Errors
    /// What the terminal said.
    fn retake(&mut self) -> io::Result<()>;
}

/// The terminal of this process.
#[derive(Debug)]
pub struct OwnConsole {
    guard: TerminalGuard,
    outlet: Outlet,
    #[cfg(unix)]
    signals: unix::Signals,
}

impl OwnConsole {
    /// On the terminal that `guard` holds. From now on being asked to stop does not stop the process by itself.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn new(guard: TerminalGuard) -> io::Result<Self> {
        Ok(Self {
            guard,
            outlet: outlet::own()?,
            #[cfg(unix)]
            signals: unix::Signals::new()?,
        })
    }

    /// [`TerminalGuard::screen`].
    ///
    /// # Errors
    /// What the terminal said.
    pub fn screen(&self, assumed: Size) -> io::Result<Terminal<Screen>> {
        self.guard.screen(assumed)
    }
}

impl Console for OwnConsole {
    fn outlet(&self) -> Option<Outlet> {
        Some(self.outlet.clone())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = Sheet::new(self.outlet.clone());
        execute!(out, CopyToClipboard::to_clipboard_from(text))
    }

    async fn told(&mut self) -> Told {
        #[cfg(unix)]
        return self.signals.told().await;
        #[cfg(not(unix))]
        std::future::pending().await
    }

    async fn suspend(&mut self) -> io::Result<bool> {
        #[cfg(unix)]
        if !unix::is_orphaned() {
            give_back();
            let stopped = self.signals.stop().await;
            take_over(self.guard.with_mouse)?;
            return stopped.map(|()| true);
        }
        Ok(false)
    }

    fn retake(&mut self) -> io::Result<()> {
        give_back();
        take_over(self.guard.with_mouse)
    }
}

#[cfg(unix)]
mod unix {
    use futures_util::FutureExt;
    use nix::sys::signal::{Signal as Number, kill};
    use nix::unistd::{Pid, getppid, getsid};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{STOPPED_WITHIN, Told, io};

    /// What a signal is sent to when it is for all processes of the sender's group.
    const OWN_GROUP: Pid = Pid::from_raw(0);

    /// What stands for a process that cannot be seen from within this one's container. A session may be led by one.
    const OUTSIDE: Pid = Pid::from_raw(0);

    #[derive(Debug)]
    pub(super) struct Signals {
        stop: Signal,
        continued: Signal,
        resized: Signal,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            let of = |number: Number| signal(SignalKind::from_raw(number as i32));
            Ok(Self {
                stop: of(Number::SIGTSTP)?,
                continued: of(Number::SIGCONT)?,
                resized: of(Number::SIGWINCH)?,
            })
        }

        pub(super) async fn told(&mut self) -> Told {
            tokio::select! {
                biased;
                _ = self.stop.recv() => Told::Stop,
                _ = self.continued.recv() => Told::Continued,
                _ = self.resized.recv() => Told::Resized,
            }
        }

        /// Stops this process and whatever was started with it, such as the `cargo run` that it runs under: the
        /// shell waits for all of them. Returns once it is continued.
        pub(super) async fn stop(&mut self) -> io::Result<()> {
            kill(OWN_GROUP, Number::SIGSTOP)?;
            tokio::select! {
                biased;
                _ = self.continued.recv() => {}
                () = tokio::time::sleep(STOPPED_WITHIN) => {}
            }
            // The timer may have been first. What is still to be told of belongs to this stop, and is drawn anew.
            while self.told().now_or_never().is_some() {}
            Ok(())
        }
    }

    /// Whether no shell waits for this process, which would then be stopped for good: it is the first one of its
    /// terminal, its container or its connection.
    pub(super) fn is_orphaned() -> bool {
        let parent = getppid();
        if parent == OUTSIDE {
            return true;
        }
        match (getsid(Some(parent)), getsid(None)) {
            (Ok(theirs), Ok(ours)) => theirs != ours,
            (Err(_), _) | (_, Err(_)) => true,
        }
    }
}
