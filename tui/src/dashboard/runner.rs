//! The loop around [`update`](mod@super::update): it owns the desk and the screen, and is the only one to wait for anything.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::{Event, MouseButton, MouseEvent, MouseEventKind};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};
use skstore_domain::answers::Answer;
use skstore_domain::ids::Customer;
use skstore_workers::clock::Clock;
use skstore_workers::desk::{BusState, DeadLetter, Desk, DeskError, Fate};
use skstore_workers::view::{OrderFilter, OrderPage, View, ViewError, Written};
use tokio::time::Instant;

use super::keys::Chord;
use super::message::{
    AccountsFound, Answered, Effect, Found, Gesture, ItemsFound, Message, Mouse, Pickers, Query, Request,
    Size, Snapshot, Start, Wanted,
};
use super::pace::Pace;
use super::state::State;
use super::state::accounts::just_before;
use super::state::dead::{Deal, DealReport, Deed, LISTED};
use super::state::events::EVENTS_READ;
use super::state::listing::LISTED_ROWS;
use super::state::orders::WINDOW_ROWS;
use super::{DashboardError, DashboardOptions, draw, update};
use crate::terminal::console::Console;
use crate::text::names::KNOWN_ITEMS;

/// While the view keeps changing it is read this often: more often nobody could follow.
const READ_EVERY: Duration = Duration::from_millis(100);
/// A view that has not answered within this is lost: many times what the slowest read takes.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How long is waited after the first read that failed. Each further one doubles it.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// How long is waited at most: a person looks at a countdown meanwhile.
const RETRY_MOST: Duration = Duration::from_secs(5);
/// How long items are known by the names that were read, if there are no other items: names hardly ever change.
pub const NAMES_FOR: Duration = Duration::from_secs(10);
/// How often ages and countdowns are drawn anew.
const TICK: Duration = Duration::from_secs(1);
/// How often the view is read and ages are drawn anew for those who want the screen to be calm.
const READ_EVERY_CALM: Duration = Duration::from_secs(2);
const TICK_CALM: Duration = Duration::from_secs(10);
/// Accounts that forms can pick from: more than one scrolls through; beyond, names can be typed.
const PICKABLE: usize = 1000;
/// Orders of the selected account or item that are shown beside it: as many as the tallest screen has rows.
const ORDERS_BESIDE: usize = 100;

/// Shows the dashboard on `screen` until someone leaves it or `keyboard` ends.
///
/// # Errors
/// [`DashboardError::Screen`] and [`DashboardError::Keyboard`].
pub async fn run_on<B, K, C>(
    desk: Desk,
    options: DashboardOptions,
    screen: &mut Terminal<B>,
    mut keyboard: K,
    console: &mut C,
) -> Result<(), DashboardError>
where
    B: Backend,
    K: Stream<Item = io::Result<Event>> + Unpin,
    C: Console,
{
    let DashboardOptions { look, keys, walk_in, clock, is_calm, log, .. } = options;
    let (read_every, tick) = if is_calm { (READ_EVERY_CALM, TICK_CALM) } else { (READ_EVERY, TICK) };
    let mut state = State::new(look, size_of(screen)?, clock.now());
    state.keys = keys;
    state.pickable.last_customer = walk_in;
    let mut changes = desk.view().changes();
    let mut bus = desk.bus_state();
    let mut logged = log.changes();
    let mut outside = Outside::new(desk, clock, read_every);
    let mut pace = Pace::new(Instant::now());
    let mut next_tick = Instant::now() + tick;
    let mut is_drawn = false;
    loop {
        if !is_drawn && pace.next() <= Instant::now() {
            show(&mut state, &outside.clock, screen)?;
            pace.drawn(Instant::now());
            is_drawn = true;
        }
        let message = tokio::select! {
            biased;
            event = keyboard.next() => match event {
                None => return Ok(()),
                Some(Err(error)) => return Err(DashboardError::Keyboard(error)),
                Some(Ok(event)) => message_of(event),
            },
            told = console.told() => Some(Message::Terminal(told)),
            Ok(()) = bus.changed() => Some(outside.bus_message(&bus.borrow_and_update())),
            Ok(()) = logged.changed(), if state.shows_log() => Some(Message::Log(log.lines())),
            Some(done) = outside.pending.next(), if !outside.pending.is_empty() => {
                Some(outside.done(done, &state.wanted()))
            }
            () = changes.changed(), if outside.reads.may_be_due() => {
                outside.reads.changed(Instant::now());
                None
            }
            () = outside.reads.due() => {
                outside.read(state.wanted());
                None
            }
            () = tokio::time::sleep_until(next_tick), if state.shows_time() => Some(Message::Tick),
            () = tokio::time::sleep_until(pace.next()), if !is_drawn => None,
        };
        let Some(message) = message else { continue };
        if matches!(message, Message::Tick) {
            next_tick = Instant::now() + tick;
        }
        is_drawn = false;
        // Ids are there before the next key: someone may type faster than a frame is drawn.
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut state, outside.clock.now(), message) {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Read => outside.wanted(),
                    Effect::Ask(request) => outside.ask(request),
                    Effect::ReadQueues => outside.read_queues(),
                    Effect::ReadDead => outside.read_dead(),
                    Effect::Deal(deal) => outside.deal(deal),
                    Effect::Copy(text) => console.copy(&text).map_err(DashboardError::Terminal)?,
                    Effect::Suspend => {
                        if console.suspend().await.map_err(DashboardError::Terminal)? {
                            draw_anew(screen)?;
                        } else {
                            messages.push_back(Message::NotSuspended);
                        }
                    }
                    Effect::Retake => {
                        console.retake().map_err(DashboardError::Terminal)?;
                        draw_anew(screen)?;
                    }
                    Effect::MintOrderId => messages.push_back(Message::OrderId(outside.desk.order_id())),
                    Effect::MintRequestId => {
                        messages.push_back(Message::RequestId(outside.desk.request_id()));
                    }
                }
            }
        }
    }
}

/// Forgets what the terminal showed: the next frame draws every cell. Clearing the screen would do as well, but asks
/// the terminal where its cursor is, and would take a key that is pressed meanwhile for the answer.
fn draw_anew<B: Backend>(screen: &mut Terminal<B>) -> Result<(), DashboardError> {
    let size = screen.size().map_err(|error| DashboardError::Screen(error.to_string()))?;
    screen
        .resize(Rect::from((Position::ORIGIN, size)))
        .map_err(|error| DashboardError::Screen(error.to_string()))
}

fn size_of<B: Backend>(screen: &Terminal<B>) -> Result<Size, DashboardError> {
    let size = screen.size().map_err(|error| DashboardError::Screen(error.to_string()))?;
    Ok(Size { width: size.width, height: size.height })
}

/// Draws a frame. The size is asked for each time: a change of it may not have been told.
fn show<B: Backend>(
    state: &mut State,
    clock: &Clock,
    screen: &mut Terminal<B>,
) -> Result<(), DashboardError> {
    let size = size_of(screen)?;
    if state.size != size {
        update(state, clock.now(), Message::Resized(size));
    }
    state.now = clock.now();
    screen.draw(|frame| draw(state, frame)).map_err(|error| DashboardError::Screen(error.to_string()))?;
    Ok(())
}

fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Chord::pressed(&key).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resized(Size { width, height })),
        Event::Mouse(event) => mouse_of(event).map(Message::Mouse),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn mouse_of(event: MouseEvent) -> Option<Mouse> {
    let gesture = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Gesture::Click,
        MouseEventKind::ScrollUp => Gesture::WheelUp,
        MouseEventKind::ScrollDown => Gesture::WheelDown,
        MouseEventKind::Down(_)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => return None,
    };
    Some(Mouse { gesture, x: event.column, y: event.row })
}

/// Something that was waited for.
enum Done {
    Message(Message),
    /// And what the view's mark was just before.
    Read(Box<Snapshot>, Option<Written>),
    NotRead(ViewError),
}

/// When the view is read: at once when something else is wanted of it, after a change not too often, and after
/// a failure later and later. At most one read is on its way.
struct Reads {
    due: Option<Instant>,
    is_reading: bool,
    last: Instant,
    /// How long to wait after the next failure; absent while reads succeed.
    backoff: Option<Duration>,
    /// How often a view that keeps changing is read.
    every: Duration,
}

impl Reads {
    const fn new(now: Instant, every: Duration) -> Self {
        Self { due: Some(now), is_reading: false, last: now, backoff: None, every }
    }

    /// Whether a change could make a read due that is not due already.
    const fn may_be_due(&self) -> bool {
        self.due.is_none()
    }

    fn changed(&mut self, now: Instant) {
        self.due = self.due.or(Some(now.max(self.last + self.every)));
    }

    fn wanted(&mut self, now: Instant) {
        if self.backoff.is_none() {
            self.due = Some(now);
        }
    }

    /// Returns when a read is due and none is on its way.
    async fn due(&self) {
        match self.due {
            Some(due) if !self.is_reading => tokio::time::sleep_until(due).await,
            Some(_) | None => std::future::pending().await,
        }
    }

    fn started(&mut self, now: Instant) {
        (self.due, self.is_reading, self.last) = (None, true, now);
    }

    fn succeeded(&mut self) {
        (self.is_reading, self.backoff) = (false, None);
    }

    /// Returns how long is waited now.
    fn failed(&mut self, now: Instant) -> Duration {
        let wait = self.backoff.map_or(RETRY_FIRST, |last| (last * 2).min(RETRY_MOST));
        (self.is_reading, self.backoff, self.due) = (false, Some(wait), Some(now + wait));
        wait
    }
}

/// Everything outside of the state, and what is on its way from there.
///
/// What is on its way is bounded: one read, one look at the queues, one deal with parked
/// messages, two questions about the open detail, and what a person asks for by
/// hand, each for as long as [`skstore_workers::desk::ANSWER_WITHIN`].
struct Outside {
    desk: Desk,
    clock: Clock,
    pending: FuturesUnordered<Pin<Box<dyn Future<Output = Done>>>>,
    reads: Reads,
    /// When items were read last, and how many there were.
    items: Option<(Instant, u64)>,
    /// The view's mark when what is on the screen was read, as long as nothing else was wanted.
    shown: Option<Written>,
}

impl Outside {
    fn new(desk: Desk, clock: Clock, read_every: Duration) -> Self {
        let reads = Reads::new(Instant::now(), read_every);
        Self { desk, clock, pending: FuturesUnordered::new(), reads, items: None, shown: None }
    }

    fn ask(&self, request: Request) {
        let desk = self.desk.clone();
        self.pending.push(Box::pin(async move {
            let result = ask(&desk, &request).await;
            Done::Message(Message::Answered(Box::new(Answered { request, result })))
        }));
    }

    fn read_queues(&self) {
        let desk = self.desk.clone();
        self.pending.push(Box::pin(async move {
            let asked = tokio::time::timeout(READ_WITHIN, desk.queues()).await;
            let late = || DeskError::Unreachable(format!("no answer within {} s", READ_WITHIN.as_secs()));
            Done::Message(Message::Queues(asked.unwrap_or_else(|_| Err(late()))))
        }));
    }

    fn read_dead(&self) {
        let desk = self.desk.clone();
        self.pending
            .push(Box::pin(async move { Done::Message(Message::Dead(desk.dead_letters(LISTED).await)) }));
    }

    fn deal(&self, deal: Deal) {
        let desk = self.desk.clone();
        self.pending.push(Box::pin(async move {
            let mut report = DealReport::default();
            let note = |_: &DeadLetter, fate: &Fate| report.note(fate);
            let dealt = match deal.deed {
                Deed::Replay => desk.replay_dead(&deal.which, deal.is_dry, note).await,
                Deed::Drop => desk.drop_dead(&deal.which, deal.is_dry, note).await,
            };
            let result = dealt.map(|dealt| DealReport { dealt, ..report });
            Done::Message(Message::Dealt(deal, result))
        }));
    }

    fn bus_message(&self, state: &BusState) -> Message {
        match state {
            BusState::Up => Message::BusBack,
            BusState::Lost { cause, retry_in } => {
                Message::BusLost { cause: cause.clone(), retry_at: self.clock.now().after(*retry_in) }
            }
        }
    }

    /// Something else is to be on the screen.
    fn wanted(&mut self) {
        self.shown = None;
        self.reads.wanted(Instant::now());
    }

    fn read(&mut self, wanted: Wanted) {
        self.reads.started(Instant::now());
        let shown = self.shown.clone();
        let view = self.desk.view().clone();
        let known = self.items.filter(|(at, _)| at.elapsed() < NAMES_FOR).map(|(_, count)| count);
        self.pending.push(Box::pin(async move {
            match tokio::time::timeout(READ_WITHIN, read(&view, wanted, known, shown)).await {
                Ok(Ok((snapshot, written))) => Done::Read(Box::new(snapshot), written),
                Ok(Err(error)) => Done::NotRead(error),
                Err(_) => {
                    Done::NotRead(ViewError::Lost(format!("no answer within {} s", READ_WITHIN.as_secs())))
                }
            }
        }));
    }

    /// `wanted` is what is wanted by now.
    fn done(&mut self, done: Done, wanted: &Wanted) -> Message {
        match done {
            Done::Message(message) => message,
            Done::Read(snapshot, written) => {
                self.reads.succeeded();
                // What is not wanted any more is not shown.
                self.shown = written.filter(|_| snapshot.wanted == *wanted);
                if snapshot.items.is_some() {
                    self.items = Some((Instant::now(), snapshot.counts.items));
                }
                Message::Read(snapshot)
            }
            Done::NotRead(error) => {
                let wait = self.reads.failed(Instant::now());
                let cause = match error {
                    ViewError::Lost(cause) => cause,
                    ViewError::Empty => ViewError::Empty.to_string(),
                };
                Message::ViewLost { cause, retry_at: self.clock.now().after(wait) }
            }
        }
    }
}

/// Reads what is wanted, and the items unless they are known, as many as `known`. What is `shown` is not read again if
/// it has not changed: heartbeats come every second, and hundreds of orders with each of them would not be cheap.
async fn read(
    view: &View,
    wanted: Wanted,
    known: Option<u64>,
    shown: Option<Written>,
) -> Result<(Snapshot, Option<Written>), ViewError> {
    let written = view.written().await?;
    let (found, detail) = if shown.is_some() && written == shown {
        (Found::AsBefore, None)
    } else {
        let found = find(view, &wanted.query).await?;
        let detail = match &wanted.detail {
            Some(id) => view.order(id).await?,
            None => None,
        };
        (found, detail)
    };
    let pickers = match &wanted.pickers {
        Some(typed) => Some(pickers(view, typed).await?),
        None => None,
    };
    // Counted before they are read: one that is listed in between is missed by the count, and is read again.
    let (counts, health) = (view.counts().await?, view.health().await?);
    let items = if wanted.pickers.is_some() || known != Some(counts.items) {
        Some(view.items(None, KNOWN_ITEMS).await?)
    } else {
        None
    };
    Ok((Snapshot { wanted, found, detail, counts, health, items, pickers }, written))
}

/// What a tab needs of the view.
async fn find(view: &View, query: &Query) -> Result<Found, ViewError> {
    match query {
        Query::Nothing => Ok(Found::Nothing),
        Query::Orders(query) => {
            let filter = &query.filter;
            let page = match &query.start {
                Start::Newest => view.orders(filter, None, WINDOW_ROWS).await,
                Start::After(place) => view.orders(filter, Some(place), WINDOW_ROWS).await,
                Start::Before(place) => view.orders_before(filter, Some(place), WINDOW_ROWS).await,
                Start::Oldest => view.orders_before(filter, None, WINDOW_ROWS).await,
            };
            page.map(Found::Orders)
        }
        Query::Accounts(query) => {
            let accounts = view.accounts(query.after.as_ref(), LISTED_ROWS).await?;
            let has_more = accounts.len() >= LISTED_ROWS;
            let filter = query
                .orders_of
                .clone()
                .map(|customer| OrderFilter { customer: Some(customer), ..OrderFilter::default() });
            let orders = newest(view, filter).await?;
            Ok(Found::Accounts(AccountsFound { accounts, has_more, orders }))
        }
        Query::Items(query) => {
            let items = view.items(query.after.as_ref(), LISTED_ROWS).await?;
            let has_more = items.len() >= LISTED_ROWS;
            let filter = query
                .orders_of
                .clone()
                .map(|item_id| OrderFilter { item_id: Some(item_id), ..OrderFilter::default() });
            let orders = newest(view, filter).await?;
            Ok(Found::Items(ItemsFound { items, has_more, orders }))
        }
        Query::Events => {
            let (mut entries, _) = view.feed(0, EVENTS_READ).await?;
            entries.reverse();
            Ok(Found::Events(entries))
        }
    }
}

/// The newest orders that match, if a filter is given.
async fn newest(view: &View, filter: Option<OrderFilter>) -> Result<OrderPage, ViewError> {
    match filter {
        Some(filter) => view.orders(&filter, None, ORDERS_BESIDE).await,
        None => Ok(OrderPage::default()),
    }
}

/// The first accounts, and those from `typed` on if there are more than the first.
async fn pickers(view: &View, typed: &str) -> Result<Pickers, ViewError> {
    let mut accounts = view.accounts(None, PICKABLE).await?;
    let has_more_accounts = accounts.len() >= PICKABLE;
    if has_more_accounts && let Some(before) = just_before(typed) {
        let first: BTreeSet<Customer> = accounts.iter().map(|account| account.customer.clone()).collect();
        let from_typed = view.accounts(Some(&before), PICKABLE).await?;
        accounts.extend(from_typed.into_iter().filter(|account| !first.contains(&account.customer)));
    }
    Ok(Pickers { accounts, has_more_accounts })
}

async fn ask(desk: &Desk, request: &Request) -> Result<Option<Answer>, DeskError> {
    match request {
        Request::Place(place) => desk.place(place).await.map(Some),
        Request::Cancel(id) => desk.cancel(id).await.map(Some),
        Request::Order(id) => desk.order(id).await.map(Some),
        Request::Payment(id) => desk.payment(id).await.map(Some),
        Request::TopUp(top_up) => desk.top_up(top_up).await.map(Some),
        Request::Restock(restock) => desk.restock(restock).await.map(Some),
        Request::ForceBreaker(mode) => desk.force_breaker(None, *mode).await.map(|()| None),
        Request::Inject(service, fault) => desk.inject(*service, *fault).await.map(|()| None),
    }
}
