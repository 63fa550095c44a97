//! The dashboard: orders, payments and the breaker, live; and the keys to act on them.
//!
//! Read in the order in which a key flows:
//!
//! 1. [`runner`]: the loop that turns keys, answers, changes of the view and the clock into messages, with [`reading`]:
//!    when the view is read, and what of it;
//! 2. [`message`]: all there can be told and asked for;
//! 3. [`keys`]: what a key does where, and [`tab`]: which screens there are;
//! 4. [`update`](mod@update): what a message does to the [`state`], and which effects it has; what can be done here and
//!    now, and why something else cannot, says [`refusal`];
//! 5. [`screens`] and [`layers`] that lie over them: a folder each, with its state, its keys and its drawing, over the
//!    parts of a [`table`];
//! 6. [`layout`] and [`draw`](mod@draw): how the state looks; what is where on the screen is recorded in [`shown`].
//!
//! Only runner, reading, loading and recording do I/O and read the clock. `update` and `draw` are functions of what they are handed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::Size;
use skstore_domain::ids::Customer;
use skstore_workers::desk::Desk;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::config::{self, Config};

use self::keys::Keymap;
use self::keys::map::BadKeys;
use self::state::Look;
use crate::local_time::LocalTime;
use crate::log_tail::LogTail;
use crate::terminal::TerminalGuard;
use crate::terminal::console::OwnConsole;
use crate::terminal::keyboard::{self, Keyboard};
use crate::terminal::size::assumed_size;
use crate::text::Language;
use crate::theme::{Glyphs, ThemeName};

pub mod draw;
pub mod keys;
pub mod layers;
pub mod layout;
pub mod message;
pub mod pace;
pub mod reading;
pub mod refusal;
pub mod runner;
pub mod screens;
pub mod shown;
pub mod size;
pub mod state;
pub mod tab;
pub mod table;
pub mod toasts;
pub mod update;

mod canvas;
mod footer;
mod header;
mod ink;
mod loading;
mod recording;
mod spark;

pub use draw::draw;
pub use runner::run_on;
pub use update::update;

/// The directory of recordings, in that of the data.
const RECORDINGS: &str = "recordings";

/// What a dashboard begins with.
#[derive(Debug, Clone)]
pub struct DashboardOptions {
    /// How things are shown.
    pub look: Look,
    /// What keys do.
    pub keys: Arc<Keymap>,
    /// Whether the mouse is listened to; else the terminal keeps it, to mark text.
    pub has_mouse: bool,
    /// Whether the screen shall change as seldom as it can.
    pub is_calm: bool,
    /// The size of a terminal that does not know its own.
    pub assumed_size: Size,
    /// The account that forms begin with.
    pub walk_in: Option<Customer>,
    /// Tells the time.
    pub clock: Clock,
    /// The last lines of this process's log.
    pub log: LogTail,
    /// The directory that recordings of breakers are written to.
    pub recordings: PathBuf,
    /// The gateway beside it, where the settings want one: where it listens, or why there is none.
    pub gateway: Option<Result<String, String>>,
}

impl DashboardOptions {
    /// What the settings say, looking as [`DashboardOptions::look`] has it.
    ///
    /// # Errors
    /// All that is wrong with the keys in the settings.
    pub fn new(
        config: &Config,
        variable: impl Fn(&str) -> Option<String>,
        data_at: String,
    ) -> Result<Self, Vec<BadKeys>> {
        Ok(Self {
            assumed_size: assumed_size(&variable),
            look: Self::look(config, variable, data_at),
            keys: Arc::new(Keymap::with(&config.keys)?),
            has_mouse: config.ui.mouse,
            is_calm: config.ui.reduced_motion,
            walk_in: Some(config.order.walk_in.clone()),
            clock: Clock::System,
            log: LogTail::default(),
            recordings: config.data_dir.join(RECORDINGS),
            gateway: None,
        })
    }

    /// How things are shown by the settings; where they say `auto`, what suits the environment: language and
    /// characters by locale, colours by terminal, the local time by `TZ`. `data_at` says where the data is, for the header.
    #[must_use]
    pub fn look(config: &Config, variable: impl Fn(&str) -> Option<String>, data_at: String) -> Look {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale =
            || set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG")).unwrap_or_default();
        let ui = &config.ui;
        let language = match ui.language {
            config::Language::Auto => Language::of_locale(&locale()),
            config::Language::Ko => Language::Korean,
            config::Language::En => Language::English,
        };
        let theme = match ui.theme {
            config::Theme::Auto => ThemeName::of_environment(&variable),
            config::Theme::Dark => ThemeName::Dark,
            config::Theme::Light => ThemeName::Light,
            config::Theme::Ansi => ThemeName::Ansi,
            config::Theme::None => ThemeName::None,
        };
        let glyphs = match ui.ascii {
            config::Ascii::Auto => Glyphs::of_environment(&variable),
            config::Ascii::Always => Glyphs::ASCII,
            config::Ascii::Never => Glyphs::UNICODE,
        };
        let LocalTime { zone, .. } = LocalTime::of_environment(&variable);
        Look { language, theme, glyphs, zone, time: ui.time, data_at }
    }
}

/// Why the dashboard ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The terminal cannot be taken over: there is none, or it is none.
    #[error("cannot use this terminal: {0}. Is the output redirected?")]
    Terminal(io::Error),
    /// The terminal cannot be drawn on any more.
    #[error("cannot draw on the terminal: {0}")]
    Screen(String),
    /// Keys cannot be read any more.
    #[error("cannot read keys: {0}")]
    Keyboard(io::Error),
}

/// Shows the dashboard on this process's terminal until someone leaves it. The terminal is given back on every
/// way out, also when this future is dropped.
///
/// # Errors
/// [`DashboardError`]. A lost bus or view is none: it is shown, and heals by itself.
pub async fn run(desk: Desk, options: DashboardOptions) -> Result<(), DashboardError> {
    let guard = TerminalGuard::enter(options.has_mouse).map_err(DashboardError::Terminal)?;
    let mut console = OwnConsole::new(guard).map_err(DashboardError::Terminal)?;
    // Dropped before the console, which gives the terminal back: that is the last that is written.
    let mut screen = console.screen(options.assumed_size).map_err(DashboardError::Terminal)?;
    let keyboard = Keyboard::listen().map_err(DashboardError::Keyboard)?;
    match run_on(desk, options, &mut screen, keyboard, &mut console).await {
        // What else than to fail can be drawn there? Nobody is left to be told.
        Err(_) if keyboard::is_gone() => Ok(()),
        left => left,
    }
}
