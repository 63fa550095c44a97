//! The loop around [`update`](mod@super::update): it owns the desk and the screen. Only runner,
//! [`reading`](super::reading), loading and recording do I/O and read the clock.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::{Event, MouseButton, MouseEvent, MouseEventKind};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::{Position, Rect};
use skstore_domain::answers::Answer;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::view::ViewError;
use skstore_workers::desk::{BusState, DeadLetter, Desk, DeskError, Disposition};
use tokio::time::Instant;

use super::keys::Chord;
use super::layers::load::state::News;
use super::loading::{self, Loading};
use super::message::{Answered, Effect, Gesture, Message, Mouse, Request, Wanted};
use super::pace::Pace;
use super::reading::{READ_WITHIN, Reading, Reads, cause};
use super::recording::{Recorder, Wish};
use super::screens::dead_letters::state::{Deal, DealReport, LISTED, Operation};
use super::screens::health::recording::state as recording;
use super::screens::wanted;
use super::shown::Shown;
use super::size::Size;
use super::state::State;
use super::toasts::state::Notice;
use super::{DashboardError, DashboardOptions, draw, screens, update};
use crate::terminal::console::Console;
use crate::terminal::outlet::Outlet;

/// While the view keeps changing it is read this often: more often nobody could follow.
const READ_EVERY: Duration = Duration::from_millis(100);
/// How often ages and countdowns are drawn anew.
const TICK: Duration = Duration::from_secs(1);
/// How often the view is read and ages are drawn anew for those who want the screen to be calm.
const READ_EVERY_CALM: Duration = Duration::from_secs(2);
const TICK_CALM: Duration = Duration::from_secs(10);
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
    let DashboardOptions { look, keys, walk_in, clock, is_calm, log, recordings, gateway, .. } = options;
    let (read_every, tick) = if is_calm { (READ_EVERY_CALM, TICK_CALM) } else { (READ_EVERY, TICK) };
    let mut state = State::new(look, size_of(screen)?, clock.now());
    state.keys = keys;
    state.pickable.last_customer = walk_in;
    if let Some(gateway) = gateway {
        state.toasts.say(Notice::Gateway(gateway), state.now);
    }
    let mut changes = desk.view().changes();
    let mut bus = desk.bus_state();
    let mut logged = log.changes();
    let outlet = console.outlet();
    let mut outside = Outside::new(desk, clock, read_every, recordings);
    let mut pace = Pace::new(Instant::now());
    let mut next_tick = Instant::now() + tick;
    let mut is_drawn = false;
    loop {
        // A terminal that is still at the last frame gets the newest one when it has taken that.
        let can_draw = !is_drawn && outlet.as_ref().is_none_or(Outlet::is_idle);
        if can_draw && pace.next() <= Instant::now() {
            show(&mut state, &outside.clock, screen)?;
            pace.drawn(Instant::now());
            is_drawn = true;
        }
        let message = tokio::select! {
            biased;
            event = keyboard.next() => match event {
                None => {
                    Box::pin(outside.leave()).await;
                    return Ok(());
                }
                Some(Err(error)) => return Err(DashboardError::Keyboard(error)),
                // Not every terminal knows the size that it tells.
                Some(Ok(Event::Resize(..))) => Some(Message::Resized(size_of(screen)?)),
                Some(Ok(event)) => message_of(event),
            },
            told = console.told() => Some(Message::Terminal(told)),
            Ok(()) = bus.changed() => Some(outside.bus_message(&bus.borrow_and_update())),
            Ok(()) = logged.changed(), if state.shows_log() => Some(Message::Log(log.lines())),
            news = heard(&mut outside.load) => Some(Message::Load(news)),
            news = recorded(&mut outside.recorder) => Some(Message::Recording(news)),
            Some(done) = outside.pending.next(), if !outside.pending.is_empty() => {
                outside.done(done, &wanted(&state))
            }
            () = changes.changed(), if outside.reads.may_be_due() => {
                outside.reads.changed(Instant::now());
                None
            }
            () = outside.reads.due() => {
                outside.read(wanted(&state));
                None
            }
            () = tokio::time::sleep_until(next_tick), if screens::shows_time(&state) => Some(Message::Tick),
            taken = taken(outlet.as_ref()), if !is_drawn && !can_draw => {
                taken.map_err(|error| DashboardError::Screen(error.to_string()))?;
                None
            }
            () = tokio::time::sleep_until(pace.next()), if !is_drawn && can_draw => None,
        };
        let Some(message) = message else { continue };
        match message {
            Message::Tick => next_tick = Instant::now() + tick,
            // It draws ages anew as well, and so will the next one, if it comes in time. Where something is lost none
            // may come, and no second of its countdown shall be left out.
            Message::Heard(_) if state.bus_lost.is_none() => next_tick = Instant::now() + tick + tick / 2,
            _ => {}
        }
        is_drawn = false;
        // Ids are there before the next key: someone may type faster than a frame is drawn.
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut state, outside.clock.now(), message) {
                match effect {
                    Effect::Quit => {
                        Box::pin(outside.leave()).await;
                        return Ok(());
                    }
                    Effect::StartLoad(rate) => outside.put_load(rate),
                    Effect::SteerLoad(rate) => outside.load.iter().for_each(|load| load.steer(rate)),
                    Effect::StopLoad => outside.load.iter().for_each(Loading::stop),
                    Effect::StartRecording { instance, name } => outside.start_recording(instance, name),
                    Effect::StopRecording => outside.recorder.iter().for_each(Recorder::stop),
                    Effect::Read => outside.reads.wanted(Instant::now()),
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

/// The next news of the load that is put on, if it is.
async fn heard(load: &mut Option<Loading>) -> News {
    match load {
        Some(load) => load.news().await,
        None => std::future::pending().await,
    }
}

/// The next news of the recording that is made, if one is.
async fn recorded(recorder: &mut Option<Recorder>) -> recording::News {
    match recorder {
        Some(recorder) => recorder.news().await,
        None => std::future::pending().await,
    }
}

/// Waits until the terminal has taken what was drawn.
async fn taken(outlet: Option<&Outlet>) -> io::Result<()> {
    match outlet {
        Some(outlet) => outlet.idle().await,
        None => Ok(()),
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
    let mut shown = Shown::default();
    screen
        .draw(|frame| shown = draw(state, frame))
        .map_err(|error| DashboardError::Screen(error.to_string()))?;
    state.drawn(shown);
    Ok(())
}

fn message_of(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => Chord::pressed(&key).map(Message::Key),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Mouse(event) => mouse_of(event).map(Message::Mouse),
        Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
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
    Read(Result<Reading, ViewError>),
    /// The last news of the load.
    Loaded(News),
    /// The last news of the recording.
    Recorded(recording::News),
}

/// Everything outside of the state, and what is on its way from there.
///
/// What is on its way is bounded: one read, one look at the queues, one deal with parked
/// messages, two questions about the open detail, one load and one recording within their own bounds, and what a person asks for by
/// hand, each for as long as [`skstore_workers::desk::ANSWER_WITHIN`].
struct Outside {
    desk: Desk,
    clock: Clock,
    pending: FuturesUnordered<Pin<Box<dyn Future<Output = Done>>>>,
    reads: Reads,
    /// The load that is put on.
    load: Option<Loading>,
    /// The recording that is made.
    recorder: Option<Recorder>,
    /// The directory of recordings.
    recordings: PathBuf,
}

impl Outside {
    fn new(desk: Desk, clock: Clock, read_every: Duration, recordings: PathBuf) -> Self {
        let reads = Reads::new(Instant::now(), read_every);
        let pending = FuturesUnordered::new();
        Self { desk, clock, pending, reads, load: None, recorder: None, recordings }
    }

    fn ask(&self, request: Request) {
        let desk = self.desk.clone();
        self.pending.push(Box::pin(async move {
            let result = ask(&desk, &request).await;
            Done::Message(Message::Answered(Box::new(Answered { request, result })))
        }));
    }

    fn put_load(&mut self, rate: Option<u32>) {
        let (load, done) = Loading::start(self.desk.clone(), rate);
        self.load = Some(load);
        self.pending.push(Box::pin(async move { Done::Loaded(done.await) }));
    }

    fn start_recording(&mut self, instance: String, name: String) {
        let wish = Wish { instance, directory: self.recordings.clone(), name };
        let (recorder, done) = Recorder::start(self.desk.view().clone(), wish);
        self.recorder = Some(recorder);
        self.pending.push(Box::pin(async move { Done::Recorded(done.await) }));
    }

    /// Ends in good order what goes on: a recording has its end, and orders of a load in flight are answered, or will not be.
    async fn leave(&mut self) {
        self.load.iter().for_each(Loading::leave);
        self.recorder.iter().for_each(Recorder::stop);
        let is_over = async {
            while self.load.is_some() || self.recorder.is_some() {
                match self.pending.next().await {
                    Some(Done::Loaded(_)) => self.load = None,
                    Some(Done::Recorded(_)) => self.recorder = None,
                    Some(Done::Message(_) | Done::Read(_)) => {}
                    None => return,
                }
            }
        };
        // Whoever leaves waits no longer.
        let _ = tokio::time::timeout(loading::LEFT_WITHIN, is_over).await;
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
            let note = |_: &DeadLetter, disposition: &Disposition| report.note(disposition);
            let summary = match deal.operation {
                Operation::Replay => desk.replay_dead(&deal.which, deal.is_dry, note).await,
                Operation::Drop => desk.drop_dead(&deal.which, deal.is_dry, note).await,
            };
            let result = summary.map(|summary| DealReport { summary, ..report });
            Done::Message(Message::Summary(deal, result))
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

    fn read(&mut self, wanted: Wanted) {
        let reading = self.reads.start(Instant::now(), self.desk.view().clone(), wanted);
        self.pending.push(Box::pin(async move { Done::Read(reading.await) }));
    }

    /// `wanted` is what is wanted by now.
    fn done(&mut self, done: Done, wanted: &Wanted) -> Option<Message> {
        match done {
            Done::Message(message) => Some(message),
            Done::Loaded(news) => {
                self.load = None;
                Some(Message::Load(news))
            }
            Done::Recorded(news) => {
                self.recorder = None;
                Some(Message::Recording(news))
            }
            Done::Read(Ok(reading)) => {
                self.reads.succeeded(Instant::now(), &reading, wanted);
                match reading {
                    Reading::Whole(snapshot, _) => Some(Message::Read(snapshot)),
                    Reading::Health(health) => Some(Message::Heard(health)),
                    Reading::Nothing => None,
                }
            }
            Done::Read(Err(error)) => {
                let wait = self.reads.failed(Instant::now());
                Some(Message::ViewLost { cause: cause(error), retry_at: self.clock.now().after(wait) })
            }
        }
    }
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
        Request::Crash(service) => desk.crash(*service, None).await.map(|()| None),
        Request::Heal => desk.heal().await.map(|()| None),
    }
}
