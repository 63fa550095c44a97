//! Someone at the real loop: what they press, and the screen that they read.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use futures_util::stream::Stream;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use skstore::dashboard::{DashboardError, DashboardOptions, run_on};
use skstore::log_tail::LogTail;
use skstore::terminal::console::{Console, Told};
use skstore::terminal::outlet::Outlet;
use skstore::text::{Language, fit};
use skstore_domain::myinfo::ViewWrite;
use skstore_workers::desk::Desk;
use skstore_workers::desk::bus::Bus;
use skstore_workers::desk::bus::embedded::EmbeddedBus;
use skstore_workers::desk::clock::{Clock, Ids};
use skstore_workers::desk::view::View;
use skstore_workers::desk::view::embedded::EmbeddedView;
use tokio::sync::{Notify, mpsc};

use crate::builders::*;

/// How long a test waits for a screen before it says what it saw instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// A screen that is drawn on and read at the same time.
#[derive(Clone)]
pub(crate) struct Glass {
    screen: Rc<RefCell<TestBackend>>,
    frames: Rc<RefCell<usize>>,
    drawn: Rc<Notify>,
}

impl Glass {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let screen = Rc::new(RefCell::new(TestBackend::new(width, height)));
        Self { screen, frames: Rc::default(), drawn: Rc::default() }
    }

    pub(crate) fn text(&self) -> String {
        text_of(self.screen.borrow().buffer())
    }

    pub(crate) fn frames(&self) -> usize {
        *self.frames.borrow()
    }
}

impl Backend for Glass {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.screen.borrow_mut().draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.screen.borrow_mut().hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.screen.borrow_mut().show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.screen.borrow_mut().get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.screen.borrow_mut().set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.screen.borrow_mut().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.screen.borrow_mut().clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.screen.borrow().size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.screen.borrow_mut().window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        *self.frames.borrow_mut() += 1;
        self.drawn.notify_waiters();
        Ok(())
    }
}

/// A keyboard whose keys are pressed by the test.
pub(crate) struct Keyboard(mpsc::UnboundedReceiver<Event>);

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// Someone who presses keys and reads the screen.
pub(crate) struct User {
    keys: mpsc::UnboundedSender<Event>,
    pub(crate) glass: Glass,
}

impl User {
    pub(crate) fn press(&self, code: KeyCode) {
        self.keys.send(event(code)).expect("the dashboard still reads keys");
    }

    pub(crate) fn type_in(&self, text: &str) {
        for c in text.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    /// Clicks on a text once it is there.
    pub(crate) async fn clicks(&self, text: &str) {
        self.sees(&[text]).await;
        let screen = self.glass.text();
        let (y, line) =
            screen.lines().enumerate().find(|(_, line)| line.contains(text)).expect("it is there");
        let x = fit::width(&line[..line.find(text).expect("it is there")]);
        let (column, row) = (u16::try_from(x).expect("it fits"), u16::try_from(y).expect("it fits"));
        let kind = MouseEventKind::Down(MouseButton::Left);
        let click = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        self.keys.send(Event::Mouse(click)).expect("the dashboard still reads the mouse");
    }

    /// Waits until the screen shows all of `texts`.
    pub(crate) async fn sees(&self, texts: &[&str]) {
        self.waits_for(&format!("{texts:?}"), |screen| texts.iter().all(|text| screen.contains(text))).await;
    }

    pub(crate) async fn waits_for(&self, what: &str, is_seen: impl Fn(&str) -> bool) {
        let seen = async {
            loop {
                let drawn = self.glass.drawn.notified();
                if is_seen(&self.glass.text()) {
                    return;
                }
                drawn.await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, seen).await;
        assert!(seen.is_ok(), "never seen: {what}. The screen:\n{}", self.glass.text());
    }
}

/// A screen that is no terminal: there is nothing to copy to, and no shell.
pub(crate) struct NoConsole;

impl Console for NoConsole {
    fn outlet(&self) -> Option<Outlet> {
        None
    }

    fn copy(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn told(&mut self) -> impl Future<Output = Told> {
        std::future::pending()
    }

    async fn suspend(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    fn retake(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn runtime(paused: bool) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(paused).build().expect("a runtime")
}

/// How the screen shall move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Motion {
    /// With what happens.
    Lively,
    /// As seldom as it can.
    Calm,
}

/// Runs the dashboard on `desk` while `script` acts, and leaves it with `q`.
pub(crate) async fn watch<F: Future<Output = User>>(
    desk: Desk,
    clock: Clock,
    script: impl FnOnce(User) -> F,
) -> Result<(), DashboardError> {
    watch_in(Motion::Lively, desk, clock, script).await
}

/// Likewise, on a screen that moves in one way or the other.
pub(crate) async fn watch_in<F: Future<Output = User>>(
    motion: Motion,
    desk: Desk,
    clock: Clock,
    script: impl FnOnce(User) -> F,
) -> Result<(), DashboardError> {
    let options = DashboardOptions { is_calm: motion == Motion::Calm, ..options(clock) };
    watch_with(options, desk, script).await
}

/// Likewise, with recordings in a directory.
pub(crate) async fn watch_recording<F: Future<Output = User>>(
    recordings: &Path,
    desk: Desk,
    script: impl FnOnce(User) -> F,
) -> Result<(), DashboardError> {
    let options = DashboardOptions { recordings: recordings.to_owned(), ..options(Clock::System) };
    watch_with(options, desk, script).await
}

fn options(clock: Clock) -> DashboardOptions {
    DashboardOptions {
        look: look(Language::English),
        keys: Arc::default(),
        has_mouse: true,
        assumed_size: Size::new(80, 24),
        is_calm: false,
        walk_in: None,
        clock,
        log: LogTail::default(),
        recordings: PathBuf::from("/dev/null/nowhere"),
        gateway: None,
    }
}

async fn watch_with<F: Future<Output = User>>(
    options: DashboardOptions,
    desk: Desk,
    script: impl FnOnce(User) -> F,
) -> Result<(), DashboardError> {
    let glass = Glass::new(120, 40);
    let (keys, pressed) = mpsc::unbounded_channel();
    let mut screen = Terminal::new(glass.clone()).expect("a screen");
    let mut console = NoConsole;
    let run = Box::pin(run_on(desk, options, &mut screen, Keyboard(pressed), &mut console));
    let act = async {
        let user = script(User { keys, glass }).await;
        user.press(KeyCode::Char('q'));
        user
    };
    tokio::time::timeout(PATIENCE * 10, async { tokio::join!(run, act).0 }).await.expect("it ends after 'q'")
}

/// A desk on a view that the test fills itself; there are no workers.
pub(crate) async fn bare_desk() -> (Desk, View) {
    let view = View::Embedded(EmbeddedView::new(1_000_000));
    let rebuild = view.begin_rebuild().await.unwrap();
    assert_eq!(view.finish_rebuild(rebuild).await.unwrap(), skstore_workers::desk::view::Swept::Whole);
    let desk = Desk::open(&Bus::Embedded(EmbeddedBus::new()), view.clone(), Ids::random()).await.unwrap();
    (desk, view)
}

/// Orders with these numbers, their payments and timelines, as they are written to the view.
pub(crate) fn written(orders: impl Iterator<Item = i64>) -> Vec<ViewWrite> {
    orders
        .flat_map(|number| {
            let row = row(order(number));
            let steps = timeline(&row.order).into_iter();
            let id = row.order.order_id.clone();
            let steps = steps.map(move |step| ViewWrite::Step(id.clone(), step));
            [ViewWrite::Order(row.order), ViewWrite::Payment(row.payment.unwrap())].into_iter().chain(steps)
        })
        .collect()
}
