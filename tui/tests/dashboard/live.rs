//! The real loop on the real view, bus and workers: keys go in, and the screen is read.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
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
use skstore::dashboard::pace::FRAMES_PER_SECOND;
use skstore::dashboard::{DashboardError, DashboardOptions, run_on};
use skstore::log_tail::LogTail;
use skstore::terminal::console::{Console, Told};
use skstore::text::{Language, fit};
use skstore_domain::myinfo::ViewWrite;
use skstore_workers::bus::Bus;
use skstore_workers::bus::embedded::EmbeddedBus;
use skstore_workers::clock::{Clock, Ids};
use skstore_workers::config::{Config, Sources};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::view::View;
use skstore_workers::view::embedded::EmbeddedView;
use tokio::sync::{Notify, mpsc};

use crate::builders::*;

/// How long a test waits for a screen before it says what it saw instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// A screen that is drawn on and read at the same time.
#[derive(Clone)]
struct Glass {
    screen: Rc<RefCell<TestBackend>>,
    frames: Rc<RefCell<usize>>,
    drawn: Rc<Notify>,
}

impl Glass {
    fn new(width: u16, height: u16) -> Self {
        let screen = Rc::new(RefCell::new(TestBackend::new(width, height)));
        Self { screen, frames: Rc::default(), drawn: Rc::default() }
    }

    fn text(&self) -> String {
        text_of(self.screen.borrow().buffer())
    }

    fn frames(&self) -> usize {
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
struct Keyboard(mpsc::UnboundedReceiver<Event>);

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// Someone who presses keys and reads the screen.
struct User {
    keys: mpsc::UnboundedSender<Event>,
    glass: Glass,
}

impl User {
    fn press(&self, code: KeyCode) {
        self.keys.send(event(code)).expect("the dashboard still reads keys");
    }

    fn type_in(&self, text: &str) {
        for c in text.chars() {
            self.press(KeyCode::Char(c));
        }
    }

    /// Clicks on a text once it is there.
    async fn clicks(&self, text: &str) {
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
    async fn sees(&self, texts: &[&str]) {
        self.waits_for(&format!("{texts:?}"), |screen| texts.iter().all(|text| screen.contains(text))).await;
    }

    async fn waits_for(&self, what: &str, is_seen: impl Fn(&str) -> bool) {
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
struct NoConsole;

impl Console for NoConsole {
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

fn runtime(paused: bool) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(paused).build().expect("a runtime")
}

/// Runs the dashboard on `desk` while `script` acts, and leaves it with `q`.
async fn watch<F: Future<Output = User>>(
    desk: Desk,
    clock: Clock,
    script: impl FnOnce(User) -> F,
) -> Result<(), DashboardError> {
    let glass = Glass::new(120, 40);
    let (keys, pressed) = mpsc::unbounded_channel();
    let mut screen = Terminal::new(glass.clone()).expect("a screen");
    let options = DashboardOptions {
        look: look(Language::English),
        keys: Arc::default(),
        has_mouse: true,
        is_calm: false,
        walk_in: None,
        clock,
        log: LogTail::default(),
    };
    let mut console = NoConsole;
    let run = run_on(desk, options, &mut screen, Keyboard(pressed), &mut console);
    let act = async {
        let user = script(User { keys, glass }).await;
        user.press(KeyCode::Char('q'));
        user
    };
    tokio::time::timeout(PATIENCE * 10, async { tokio::join!(run, act).0 }).await.expect("it ends after 'q'")
}

/// A desk on a view that the test fills itself; there are no workers.
async fn bare_desk() -> (Desk, View) {
    let view = View::Embedded(EmbeddedView::new(1_000_000));
    view.begin_rebuild().await.unwrap();
    view.finish_rebuild().await.unwrap();
    let desk = Desk::open(&Bus::Embedded(EmbeddedBus::new()), view.clone(), Ids::random()).await.unwrap();
    (desk, view)
}

fn written(orders: impl Iterator<Item = i64>) -> Vec<ViewWrite> {
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

#[test]
fn an_order_is_placed_paid_shown_and_cancelled_with_keys() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![("data_dir".to_owned(), data.path().display().to_string())];
    let config = Config::load(&Sources { file: None, environment: vec![], flags }).unwrap();
    let process = Process::start(&config).unwrap();
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        watch(desk, Clock::System, |user| async {
            user.sees(&["connected", "No orders yet", "breaker closed"]).await;
            user.press(KeyCode::Char('n'));
            user.sees(&["place an order", "Apple"]).await;
            user.type_in("apple");
            user.press(KeyCode::Enter);
            user.type_in("kim");
            user.press(KeyCode::Enter);
            user.press(KeyCode::Char('+'));
            user.sees(&["total", "2,000 won"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["done:", "× 2", "▸ delivering 1 "]).await;
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "Order answers", "same as shown", "timeline"]).await;
            user.press(KeyCode::Char('c'));
            user.sees(&["Cancel this order?"]).await;
            user.press(KeyCode::Char('y'));
            user.sees(&["⊘ cancelled", "refunded", "delivery cancelled"]).await;
            user.press(KeyCode::Esc);
            user.clicks("2 accounts").await;
            user.type_in("/kim");
            user.press(KeyCode::Enter);
            user.sees(&["payments of kim", "× 2", "order canc"]).await;
            user.clicks("3 items").await;
            user.sees(&["deliveries of", "price (won)"]).await;
            user.type_in("5");
            user.sees(&["delivery started", "refunded"]).await;
            user.type_in("/delivering");
            user.sees(&["order.delivering"]).await;
            user.press(KeyCode::Enter);
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "timeline", "same as shown"]).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
}

#[test]
fn while_the_breaker_is_forced_open_an_order_is_told_to_try_later_and_placed_once_it_is_free() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![("data_dir".to_owned(), data.path().display().to_string())];
    let config = Config::load(&Sources { file: None, environment: vec![], flags }).unwrap();
    let process = Process::start(&config).unwrap();
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        watch(desk, Clock::System, |user| async {
            user.sees(&["breaker closed"]).await;
            user.type_in("b");
            user.press(KeyCode::Down);
            user.press(KeyCode::Enter);
            user.type_in("y");
            user.sees(&["breaker open", "forced open"]).await;
            user.type_in("n");
            user.sees(&["place an order", "Apple"]).await;
            for _ in 0..3 {
                user.press(KeyCode::Enter);
            }
            user.sees(&["try later", "with the same id", "No orders yet"]).await;
            user.type_in("b");
            user.press(KeyCode::Enter);
            user.sees(&["breaker half-open"]).await;
            user.type_in("r");
            user.waits_for("exactly one order", |screen| screen.contains("▸ delivering 1 ")).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
}

#[test]
fn a_view_with_many_orders_is_walked_through_from_the_newest_to_the_oldest() {
    const ORDERS: i64 = 3_000;
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..ORDERS)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 3,000", "following the newest"]).await;
            for _ in 0..ORDERS {
                user.press(KeyCode::PageDown);
                tokio::time::sleep(Duration::from_millis(50)).await;
                if user.glass.text().contains("13:23:21") {
                    break;
                }
            }
            user.sees(&["13:23:21"]).await;
            view.apply(&written(-5..0)).await.unwrap();
            user.sees(&["5 new above", "13:23:21"]).await;
            user.type_in("g");
            user.sees(&["following the newest", "14:13:25"]).await;
            user.type_in("G");
            user.sees(&["13:23:21"]).await;
            for _ in 0..ORDERS {
                user.press(KeyCode::PageUp);
                tokio::time::sleep(Duration::from_millis(50)).await;
                if user.glass.text().contains("following the newest") {
                    break;
                }
            }
            user.sees(&["following the newest", "14:13:25"]).await;
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_filter_finds_what_the_view_finds() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..100)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 100"]).await;
            user.type_in("/000000000042");
            user.sees(&["scanned 100", "14:12:38", "scans the newest 10,000 at a time"]).await;
            user.press(KeyCode::Enter);
            user.type_in("/");
            user.press(KeyCode::End);
            for _ in 0..12 {
                user.press(KeyCode::Backspace);
            }
            user.type_in("status:cancelled");
            user.press(KeyCode::Enter);
            user.sees(&["No order matches"]).await;
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    runtime(true).block_on(async {
        let (desk, _view) = bare_desk().await;
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["No orders yet"]).await;
            let before = user.glass.frames();
            tokio::time::sleep(Duration::from_secs(120)).await;
            assert_eq!(user.glass.frames(), before, "frames in two minutes without a change");
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn ages_are_drawn_once_a_second_and_a_flood_of_changes_not_too_often() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..5)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 5"]).await;
            let before = user.glass.frames();
            tokio::time::sleep(Duration::from_secs(10)).await;
            let frames = user.glass.frames() - before;
            assert!((9..=11).contains(&frames), "{frames} frames in 10 s in which only ages change");
            let before = user.glass.frames();
            for number in 5..5_005 {
                view.apply(&written(number..number + 1)).await.unwrap();
                user.press(KeyCode::Down);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let frames = user.glass.frames() - before;
            let most = usize::try_from(FRAMES_PER_SECOND * 10).unwrap() + 10;
            assert!(frames <= most, "{frames} frames in 10 s of changes and keys");
            assert!(frames > most / 2, "only {frames} frames in 10 s of changes and keys");
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn an_unanswered_question_is_told_and_the_dashboard_goes_on() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..1)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 1"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "asking"]).await;
            user.sees(&["No answer from deposit within 5 s", "No answer from order within 5 s"]).await;
            user
        })
        .await
        .unwrap();
    });
}
