//! Workers in a process, each on a thread of its own.
//!
//! Over the embedded bus these are all of them, in one data directory, at whose door other processes come
//! to them: those have none, and take them over once this one is gone. Over a broker they are any of them, and other
//! processes may have more of them side by side on the same stores; or none: then the process only has a [`Desk`], and
//! the workers are elsewhere.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use skstore_domain::events::Source;
use skstore_domain::faults::Fault;
use skstore_domain::signals::Service;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::bookkeeper::{self, Log};
use crate::bus::amqp::AmqpBus;
use crate::bus::embedded::{DEAD_LETTERS, EmbeddedBus};
use crate::bus::{Bus, BusError};
use crate::catalog::{Catalog, CatalogError};
use crate::clock::{Clock, Ids};
use crate::config::address::BrokerAddress;
use crate::config::{BusUrl, Config, StoreUrl, ViewUrl};
use crate::context::{Context, Drain, Settings, WorkerStatus};
use crate::desk::asked::Request;
use crate::desk::{Desk, DeskError};
use crate::door::client::{DoorClient, NoEntry};
use crate::faults::Faults;
use crate::health;
use crate::logging;
use crate::monitor::Watch;
use crate::probe::Probe;
use crate::relay;
use crate::store::Store;
use crate::view::View;
use crate::worker::{self, Keeps};

mod door;
mod error;
mod lock;
pub(crate) mod readiness;
mod successor;

use door::{Behind, Door};
pub use error::{Holder, StartError};
use lock::DataLock;
pub use lock::holder_of;
use readiness::Readiness;
use successor::Successor;

/// How long somebody who has the data may take to open its door, or to let go of it.
const OPENS_WITHIN: Duration = Duration::from_secs(10);
/// How long, where nobody says that he has it: workers over a broker open none.
const SAYS_WITHIN: Duration = Duration::from_secs(1);
/// How long is waited until it is looked again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long it is asked at a door whether all is ready, before it is asked again.
const READY_ASKED_FOR: Duration = Duration::from_secs(600);

/// How long a worker may take longer to end than it takes its time to: threads have to be woken.
const LATE_BY: Duration = Duration::from_millis(250);
/// How long the goodbye to the broker may take.
const GOODBYE_WITHIN: Duration = Duration::from_millis(750);
/// What of the time for draining is not for what is in hand, but for the last confirms and the goodbye.
const SHUTDOWN_RESERVE: Duration = Duration::from_secs(2);

/// The workers of this process. Stop it to have them finish what they have in hand; dropping it does the same.
#[derive(Debug)]
pub struct Process {
    reach: Reach,
    ids: Ids,
    workers: Vec<Running>,
    stop: watch::Sender<bool>,
    /// Ends when the last worker's thread has; nothing is ever sent.
    ended: mpsc::Receiver<()>,
    ends: Option<mpsc::Sender<()>>,
    settle_within: Duration,
    settings: Arc<Settings>,
    has_stopped: bool,
    /// Where others come to the workers.
    door: Option<Door>,
    /// What has the workers once those at the other side of the door are gone.
    successor: Option<Successor>,
    // Let go last, when no thread writes any more.
    lock: Option<DataLock>,
}

/// By what the workers are reached.
#[derive(Debug, Clone)]
enum Reach {
    Bus(Bus, View),
    /// The process that has them.
    Door(DoorClient),
}

/// A way to the workers of a process, for another thread of it. It must not outlive the process.
#[derive(Debug, Clone)]
pub struct Approach {
    reach: Reach,
    ids: Ids,
}

impl Approach {
    /// A desk as [`Process::attach`] has it, on the caller's runtime.
    pub async fn attach(self) -> Desk {
        match self.reach {
            Reach::Bus(bus, view) => Desk::attach(&bus, view, self.ids).await,
            Reach::Door(door) => Desk::through(door, self.ids),
        }
    }
}

/// A worker of this process.
#[derive(Debug)]
struct Running {
    service: Service,
    status: Arc<WorkerStatus>,
    faults: Arc<Faults>,
    thread: JoinHandle<()>,
}

impl Process {
    /// What a desk needs: over the embedded bus all workers, or a way to those of the process that has them already;
    /// none over a broker.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        match &config.bus.url {
            BusUrl::Embedded => Self::own_or_attach(config),
            BusUrl::Amqp(_) => Self::start_workers(config, &[]),
        }
    }

    /// Has the workers of the data directory, or goes to whoever has: one of both can be done as soon as that one has
    /// either begun or ended.
    fn own_or_attach(config: &Config) -> Result<Self, StartError> {
        let began = Instant::now();
        loop {
            let (path, holder) = match Self::start_workers(config, Service::ALL) {
                Err(StartError::Held { path, holder, .. }) => (path, holder),
                other => return other,
            };
            let why = match DoorClient::enter(&config.data_dir) {
                Ok(door) => return Self::attached(config, door),
                Err(NoEntry::Refused(why)) => Some(why),
                Err(NoEntry::Nobody) => None,
            };
            let within = if holder.is_known() { OPENS_WITHIN } else { SAYS_WITHIN };
            if why.is_some() || began.elapsed() > within {
                return Err(StartError::Held { path, holder, why });
            }
            look_again();
        }
    }

    /// Without workers, as long as `door` leads to some.
    fn attached(config: &Config, door: DoorClient) -> Result<Self, StartError> {
        let settings = Arc::new(Settings::new(config)?);
        let theirs = config.clone();
        let successor = Successor::wait(door.state(), move || Self::start_workers(&theirs, Service::ALL));
        let successor = successor.map_err(|error| StartError::Books(error.to_string()))?;
        let mut process = Self::without_workers(Reach::Door(door), settings, config, None);
        process.successor = Some(successor);
        Ok(process)
    }

    fn without_workers(
        reach: Reach,
        settings: Arc<Settings>,
        config: &Config,
        lock: Option<DataLock>,
    ) -> Self {
        let (ends, ended) = mpsc::channel();
        Self {
            reach,
            ids: Ids::random(),
            workers: Vec::new(),
            stop: watch::channel(false).0,
            ended,
            ends: Some(ends),
            settle_within: settings.drain.limit() + worker::LAST_CONFIRMS + LATE_BY,
            settings,
            has_stopped: Service::ALL.iter().any(|service| config.faults.of(*service) == Fault::Stopped),
            door: None,
            successor: None,
            lock,
        }
    }

    /// Starts the workers of `services`; over the embedded bus that must be all of them.
    ///
    /// # Errors
    /// [`StartError`] says what to do.
    pub fn start_workers(config: &Config, services: &[Service]) -> Result<Self, StartError> {
        let unusable = |url: &BrokerAddress, error| StartError::Bus { url: url.to_string(), error };
        let (bus, lock) = match &config.bus.url {
            BusUrl::Embedded => embedded(config, services)?,
            BusUrl::Amqp(_) if config.view.url == ViewUrl::Embedded => return Err(StartError::Unseen),
            // Who only looks needs no broker: it is connected to when somebody asks for something.
            BusUrl::Amqp(url) if services.is_empty() => {
                (Bus::Amqp(AmqpBus::of(url).map_err(|error| unusable(url, error))?), None)
            }
            BusUrl::Amqp(url) => {
                let lock = DataLock::share(&config.data_dir)?;
                let bus = connect(url).map_err(|error| unusable(url, error))?;
                bus.look_after(config.bus.check_every, &config.bus.management_url);
                (Bus::Amqp(bus), Some(lock))
            }
        };
        let view = View::open(&config.view.url, config.view.keep_orders)?;
        let settings = Arc::new(Settings::new(config)?);
        let mut process =
            Self::without_workers(Reach::Bus(bus.clone(), view.clone()), settings, config, lock);
        let stopped = process.stop.subscribe();
        let mut logs = Vec::new();
        for service in services {
            let status = process.spawn(*service, config, (&bus, &view), &stopped)?;
            logs.extend(log_of(*service, config, status));
        }
        if config.bus.url == BusUrl::Embedded {
            process.open_door(config, bus, view);
        }
        if !logs.is_empty() {
            bookkeeper::start(logs, Clock::System, stopped)
                .map_err(|error| StartError::Books(error.to_string()))?;
        }
        Ok(process)
    }

    /// Lets others come to the workers. Where that cannot be, on a file system without sockets, this process has them for
    /// itself.
    fn open_door(&mut self, config: &Config, bus: Bus, view: View) {
        let behind = Behind { bus, view, ids: self.ids.clone(), readiness: self.readiness() };
        match Door::open(&config.data_dir, behind) {
            Ok(door) => self.door = Some(door),
            Err(why) => tracing::warn!(
                directory = %config.data_dir.display(), why,
                "there can be no socket there: other processes cannot use these workers"
            ),
        }
    }

    fn readiness(&self) -> Readiness {
        let statuses = self.workers.iter().map(|running| Arc::clone(&running.status)).collect();
        Readiness::of(statuses, self.has_stopped)
    }

    /// Starts one worker, and returns once its store is open.
    fn spawn(
        &mut self,
        service: Service,
        config: &Config,
        (bus, view): (&Bus, &View),
        stop: &watch::Receiver<bool>,
    ) -> Result<Arc<WorkerStatus>, StartError> {
        let instance: Arc<str> = format!("{service}-{}", self.ids.mint()).into();
        let status = Arc::new(WorkerStatus::default());
        // MyInfo has the view alone.
        let place = match config.store_url(service) {
            Some(url) => Place::Store(url.clone()),
            None => Place::View(view.clone()),
        };
        let told = Arc::clone(&status);
        let faults = Arc::new(Faults::new(config.faults.of(service), config.faults_are_allowed()));
        let context = Context {
            service,
            instance,
            bus: bus.clone(),
            clock: Clock::System,
            ids: self.ids.clone(),
            settings: Arc::clone(&self.settings),
            probe: Probe::default(),
            status: Arc::clone(&status),
            faults: Arc::clone(&faults),
            rebuild: Arc::default(),
            stop: stop.clone(),
        };
        let (opened, is_open) = mpsc::sync_channel(1);
        let ends = self.ends.clone();
        let thread = std::thread::Builder::new()
            .name(format!("skstore-{service}"))
            .spawn(move || {
                // Dropped when the thread ends, also by a panic.
                let _ends = ends;
                serve(context, place, &opened);
            })
            .map_err(|error| StartError::Thread { service, cause: error.to_string() })?;
        self.workers.push(Running { service, status, faults, thread });
        match is_open.recv() {
            Ok(opened) => opened.map(|()| told),
            Err(_) => Err(StartError::Thread { service, cause: "it panicked".to_owned() }),
        }
    }

    /// What connects the workers; `None` where these are another process's.
    #[must_use]
    pub const fn bus(&self) -> Option<&Bus> {
        match &self.reach {
            Reach::Bus(bus, _) => Some(bus),
            Reach::Door(_) => None,
        }
    }

    /// Whether the workers are those of this very process.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        match &self.reach {
            Reach::Bus(bus, _) => matches!(bus, Bus::Embedded(_)),
            Reach::Door(_) => false,
        }
    }

    /// A desk, whose answers are heard on the caller's runtime.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn desk(&self) -> Result<Desk, DeskError> {
        match &self.reach {
            Reach::Bus(bus, view) => Desk::open(bus, view.clone(), self.ids.clone()).await,
            Reach::Door(door) => Ok(Desk::through(door.clone(), self.ids.clone())),
        }
    }

    /// A desk that needs no bus to show the view: see [`Desk::attach`].
    pub async fn attach(&self) -> Desk {
        self.approach().attach().await
    }

    /// By what other threads of this process make desks of their own.
    #[must_use]
    pub fn approach(&self) -> Approach {
        Approach { reach: self.reach.clone(), ids: self.ids.clone() }
    }

    /// Waits until all workers take work, and the view is complete: as far as it can be, where a worker is told
    /// not to work.
    pub async fn ready(&self) {
        match &self.reach {
            Reach::Bus(..) => self.readiness().ready().await,
            Reach::Door(door) => {
                while door.ask::<()>(&Request::Ready, READY_ASKED_FOR).await.is_err() {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    /// Takes leave of those who came to the workers of this process; they are another's from then on, or nobody's.
    pub fn close_door(&mut self) {
        if let Some(mut door) = self.door.take() {
            door.close();
        }
    }

    /// Waits until nothing is pending: no message waits or is in hand, no event is unsent. Over a broker, or where another
    /// process has the workers, that is not for this one to know, and it does not wait.
    pub async fn settle(&self) {
        let Some(Bus::Embedded(bus)) = self.bus() else { return };
        while !self.is_settled(bus) {
            bus.wait_idle().await;
            for status in self.status() {
                status.all_sent().await;
            }
        }
    }

    fn is_settled(&self, bus: &EmbeddedBus) -> bool {
        // A committed event counts as unsent until its last delivery is acked, and a delivery is acked only
        // after what it caused is committed. The bus is looked at on both sides, since acks come in between.
        bus.pending() == 0 && self.status().all(|status| status.unsent() == 0) && bus.pending() == 0
    }

    /// How its workers do.
    #[must_use]
    pub fn workers(&self) -> Vec<health::Worker> {
        let noticed = self.bus().map(|bus| bus.noticed(Clock::System.now())).unwrap_or_default();
        let worker = |running: &Running| {
            let (ready, trouble) = worker::present(running.status.trouble(), &noticed);
            health::Worker { service: running.service, alive_at: running.status.alive_at(), ready, trouble }
        };
        self.workers.iter().map(worker).collect()
    }

    /// The same, for whoever looks at them for as long as they run.
    #[must_use]
    pub fn watches(&self) -> Vec<Watch> {
        let watch = |running: &Running| Watch {
            service: running.service,
            status: Arc::clone(&running.status),
            faults: Arc::clone(&running.faults),
        };
        self.workers.iter().map(watch).collect()
    }

    fn status(&self) -> impl Iterator<Item = &WorkerStatus> {
        self.workers.iter().map(|running| &*running.status)
    }

    /// Has the workers finish what they have in hand, and waits for them, for as long as the settings have it.
    ///
    /// # Errors
    /// A sentence about the workers that panicked or did not finish. What those had in hand comes again.
    pub fn stop(mut self) -> Result<(), String> {
        self.join()
    }

    /// The same, where others in this process have been ending for `used` already: all together take no longer.
    ///
    /// # Errors
    /// As [`Process::stop`].
    pub fn stop_after(mut self, used: Duration) -> Result<(), String> {
        let before = self.settings.drain.limit();
        self.settings.drain.shorten(used);
        self.settle_within -= before - self.settings.drain.limit();
        self.join()
    }

    fn join(&mut self) -> Result<(), String> {
        self.close_door();
        drop(self.successor.take());
        if self.stop.send_replace(true) {
            return Ok(());
        }
        drop(self.ends.take());
        // Nobody sends: it is over when all have ended, or when the time is up.
        let have_ended = self.ended.recv_timeout(self.settle_within) != Err(mpsc::RecvTimeoutError::Timeout);
        let mut problems = Vec::new();
        for Running { service, thread, .. } in self.workers.drain(..) {
            if !have_ended && !thread.is_finished() {
                problems.push(format!(
                    "{service} did not finish within {:?}; what it has in hand comes again",
                    self.settle_within
                ));
            } else if thread.join().is_err() {
                problems.push(format!("{service} panicked; see the log"));
            }
        }
        if !have_ended {
            // It may still write: the lock is the process's now, and ends with it.
            std::mem::forget(self.lock.take());
        }
        let result = if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) };
        if let Some(Bus::Amqp(bus)) = self.bus().cloned() {
            // So that the last acks reach the broker. Whatever fails here, it gives the messages to somebody else.
            let _ = apart(async move { tokio::time::timeout(GOODBYE_WITHIN, bus.close()).await });
        }
        result
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(problem) = self.join() {
            tracing::error!(problem);
        }
    }
}

/// Lets some time pass until it is looked again who has the data.
#[expect(
    clippy::disallowed_methods,
    reason = "neither a lock nor a socket that is not there yet can be waited for"
)]
fn look_again() {
    std::thread::sleep(LOOK_AGAIN);
}

/// The log that a service writes. MyInfo has none.
fn log_of(service: Service, config: &Config, status: Arc<WorkerStatus>) -> Option<Log> {
    let source = match service {
        Service::Order => Source::Order,
        Service::Deposit => Source::Deposit,
        Service::Item => Source::Item,
        Service::MyInfo => return None,
    };
    Some(Log { source, store_url: config.store_url(service)?.clone(), status })
}

/// The bus of this process alone, in a data directory of its own.
fn embedded(config: &Config, services: &[Service]) -> Result<(Bus, Option<DataLock>), StartError> {
    if !Service::ALL.iter().all(|service| services.contains(service)) {
        let named: Vec<&str> = services.iter().map(|service| service.word()).collect();
        return Err(StartError::Alone(named.join(", ")));
    }
    let lock = DataLock::take(&config.data_dir)?;
    let bus = EmbeddedBus::with_dead_letters(&config.data_dir.join(DEAD_LETTERS))
        .map_err(|error| StartError::DataDir { path: config.data_dir.clone(), cause: error.to_string() })?;
    Ok((Bus::Embedded(bus), Some(lock)))
}

/// Connects to a broker.
fn connect(address: &BrokerAddress) -> Result<AmqpBus, BusError> {
    let to = address.clone();
    apart(async move { AmqpBus::connect_to(&to).await }).flatten()
}

/// Does `work` on a thread of its own: callers may be on a runtime, where nobody may block on another.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, BusError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| BusError::Lost(error.to_string()))?;
    let done = std::thread::spawn(move || runtime.block_on(work)).join();
    done.map_err(|_| BusError::Lost("the thread that waits for it panicked".to_owned()))
}

impl Settings {
    /// What the configuration says.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn new(config: &Config) -> Result<Self, CatalogError> {
        Ok(Self {
            // A data directory of the embedded bus is one process's alone.
            shares_stores: config.bus.url != BusUrl::Embedded,
            news_every: relay::NEWS_EVERY,
            batch: config.batch.max_messages,
            payment_timeout: config.payment.timeout,
            breaker: config.breaker.clone(),
            sweep_every: config.sweeper.every,
            patience: config.sweeper.patience(),
            hold_paying: config.relay.hold_paying,
            max_unsent_events: config.max_unsent_events,
            beat_every: worker::BEAT_EVERY,
            retry_first: config.retry.first,
            max_retry: config.retry.max,
            drain: Drain::of(config.drain_within.saturating_sub(SHUTDOWN_RESERVE)),
            walk_in: config.order.walk_in.clone(),
            catalog: Arc::new(Catalog::load(config.catalog_path())?),
        })
    }
}

/// Where a worker keeps its data, before its own thread has opened it.
enum Place {
    Store(StoreUrl),
    View(View),
}

/// A worker's thread.
fn serve(context: Context, place: Place, opened: &mpsc::SyncSender<Result<(), StartError>>) {
    let service = context.service;
    let _span = logging::worker(&context).entered();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time();
    // Only who goes to a server by itself waits for one: to watch sockets costs a thread a little each time it rests.
    if matches!(place, Place::Store(StoreUrl::Postgres(_))) {
        runtime.enable_io();
    }
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nobody listens only if the process itself is going down.
            let _ = opened.send(Err(StartError::Thread { service, cause: error.to_string() }));
            return;
        }
    };
    runtime.block_on(async {
        let keeps = match place {
            Place::View(view) => Ok(Keeps::View(view)),
            Place::Store(url) if context.settings.shares_stores => {
                Store::open_at(&url).await.map(Keeps::Store)
            }
            Place::Store(url) => Store::open_alone(&url).await.map(Keeps::Store),
        };
        match keeps {
            Ok(keeps) => {
                let _ = opened.send(Ok(()));
                worker::run(context, keeps).await;
            }
            Err(error) => {
                let _ = opened.send(Err(error.into()));
            }
        }
    });
}
