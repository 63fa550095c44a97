//! One seed's world: the workers with their supervisors, the people, the incidents, and the checks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::commands::ListItem;
use skstore_domain::events::Source;
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::OrderStatus;
use skstore_domain::order::Patience;
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use skstore_workers::bus::embedded::{Chaos, EmbeddedBus};
use skstore_workers::bus::{Bus, Message};
use skstore_workers::catalog::{Catalog, CatalogAccount, CatalogItem};
use skstore_workers::clock::{Clock, Ids};
use skstore_workers::context::{Context, Drain, Settings, WorkerStatus};
use skstore_workers::desk::{Desk, DeskError, Which};
use skstore_workers::faults::Faults;
use skstore_workers::probe::{Bug, Point, Probe};
use skstore_workers::store::Store;
use skstore_workers::store::sqlite::SqliteStore;
use skstore_workers::store::sqlite::rewind::Snapshot;
use skstore_workers::view::View;
use skstore_workers::view::embedded::EmbeddedView;
use skstore_workers::worker::{self, Keeps};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::books::{Books, Broken};
use super::chance::{HEALED_AFTER, Plan, What};
use super::report::Report;
use super::trace::Trace;
use super::workload::{self, Ask, Client};

/// Every order has ended by then after the last fault has healed: P9.
const ENDED_WITHIN: Duration = Duration::from_secs(60);
/// An order is taken and paid again by then: the breaker may have to close, and Order to hear of prices.
const WORKS_WITHIN: Duration = Duration::from_secs(30);
/// The view agrees by then, if nothing was lost on its way there: P6.
const AGREES_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked whether all is at rest.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the workers of a store are away that is put back.
const AWAY_FOR_A_COPY: Duration = Duration::from_millis(20);
/// What follows from settling an order has happened by then, unless that takes another time.
const SETTLED_WITHIN: Duration = Duration::from_secs(3);
/// The longest time a crashed worker or process needs to come back, unless its absence is an incident.
const LONGEST_RESTART_MILLIS: u64 = 1_500;
/// The wall clock when every simulation starts.
const EPOCH: Timestamp = Timestamp(1_767_225_600_000);
/// More than any simulation has.
const EVERYTHING: usize = 10_000;

thread_local! {
    /// The world of the seed that this thread simulates. Probes are handed to code that must be able to cross
    /// threads, so they find their world here instead of holding it.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// What the seeds went through, so that a simulation in which nothing happens does not pass for a proof.
#[derive(Debug, Default, Clone)]
pub(crate) struct Totals(BTreeMap<&'static str, u64>);

impl Totals {
    fn count(&mut self, what: &'static str, count: usize) {
        *self.0.entry(what).or_default() += count as u64;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// Fails unless everything that can happen has happened.
    pub(crate) fn assert_worth_it(&self) {
        let all = [
            "delivering",
            "cancelled",
            "rejected",
            "refunds",
            "deliveries",
            "crashes",
            "kills",
            "answers",
            "unanswered",
            "stores put back",
        ];
        for what in all {
            assert!(self.0.get(what).is_some_and(|count| *count > 0), "no {what} in all seeds: {self}");
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{count} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}

/// Simulates one seed with these mistakes made.
pub(crate) fn simulate(seed: u64, bugs: &BTreeSet<Bug>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let world = tokio::task::LocalSet::new().block_on(&runtime, async {
        let world = Rc::new(World::new(seed, bugs.clone()));
        WORLD.set(Some(Rc::clone(&world)));
        world.run().await;
        WORLD.set(None);
        world
    });
    Report {
        seed,
        bugs: bugs.clone(),
        broken: world.broken.borrow().clone(),
        trace: world.trace.borrow().clone(),
        totals: world.totals.borrow().clone(),
    }
}

struct World {
    bugs: BTreeSet<Bug>,
    random: RefCell<fastrand::Rng>,
    started: Instant,
    clocks: BTreeMap<Service, Clock>,
    ids: Ids,
    settings: Arc<Settings>,
    /// As somebody sees them who only looks.
    stores: BTreeMap<Source, Store>,
    plan: Plan,
    chaos: Chaos,
    is_healed: Cell<bool>,
    process: RefCell<Option<Process>>,
    faults: BTreeMap<Service, Arc<Faults>>,
    absent_until: RefCell<BTreeMap<Service, Instant>>,
    sent_away: BTreeMap<Replica, Notify>,
    trace: RefCell<Trace>,
    books: RefCell<Books>,
    broken: RefCell<Vec<Broken>>,
    totals: RefCell<Totals>,
    promised: RefCell<Vec<(OrderId, Answer)>>,
    /// What the store that is to be put back had, and when.
    snapshot: RefCell<Option<Snapshot>>,
}

/// One of the workers of a service, by its number.
type Replica = (Service, usize);

/// What a kill of the process takes away.
struct Process {
    bus: EmbeddedBus,
    view: View,
    desk: Desk,
    status: BTreeMap<Replica, Arc<WorkerStatus>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl World {
    fn new(seed: u64, bugs: BTreeSet<Bug>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let plan = Plan::draw(&mut random);
        let minted = AtomicU64::new(0);
        let replicas = replicas(&plan);
        Self {
            bugs,
            started: Instant::now(),
            clocks: clocks(&plan),
            ids: Ids::from_fn(move || format!("id-{}", minted.fetch_add(1, Ordering::Relaxed))),
            settings: Arc::new(Settings { shares_stores: plan.replicas > 1, ..settings() }),
            stores: Source::ALL.iter().map(|source| (*source, open_empty(*source))).collect(),
            chaos: Chaos::new(seed, plan.faults),
            plan,
            is_healed: Cell::new(false),
            process: RefCell::new(None),
            faults: Service::ALL
                .iter()
                .map(|service| (*service, Arc::new(Faults::new(Fault::None, true))))
                .collect(),
            absent_until: RefCell::default(),
            sent_away: replicas.into_iter().map(|replica| (replica, Notify::new())).collect(),
            trace: RefCell::default(),
            books: RefCell::default(),
            broken: RefCell::default(),
            totals: RefCell::default(),
            promised: RefCell::default(),
            snapshot: RefCell::default(),
            random: RefCell::new(random),
        }
    }

    async fn run(self: &Rc<Self>) {
        let clients = workload::draw(&mut self.random.borrow_mut());
        self.start_process().await;
        let copies = tokio::task::spawn_local(Rc::clone(self).copy_what_is_put_back());
        let incidents = tokio::task::spawn_local(Rc::clone(self).let_things_go_wrong());
        let clients: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, client)| tokio::task::spawn_local(Rc::clone(self).serve(number, client)))
            .collect();
        for client in clients {
            client.await.expect("a client");
        }
        copies.await.expect("a copy");
        incidents.await.expect("the incidents");
        sleep_until(self.started + HEALED_AFTER).await;
        self.is_healed.set(true);
        self.chaos.heal();
        self.note("  ** all faults have healed");
        self.await_a_working_desk().await;
        self.come_to_rest().await;
        self.check_at_rest().await;
        self.process.replace(None);
        self.count_totals();
    }

    /// Starts everything that a kill takes away.
    async fn start_process(self: &Rc<Self>) {
        let bus = EmbeddedBus::with_chaos(self.chaos.clone());
        let view = View::Embedded(if self.bugs.contains(&Bug::ViewWithoutRevisions) {
            EmbeddedView::without_guards(EVERYTHING)
        } else {
            EmbeddedView::new(EVERYTHING)
        });
        let desk =
            Desk::open(&Bus::Embedded(bus.clone()), view.clone(), self.ids.clone()).await.expect("a desk");
        let mut process = Process { bus, view, desk, status: BTreeMap::new(), tasks: Vec::new() };
        for replica in replicas(&self.plan) {
            let status = Arc::new(WorkerStatus::default());
            process.status.insert(replica, Arc::clone(&status));
            let (bus, view) = (Bus::Embedded(process.bus.clone()), process.view.clone());
            let worker = Rc::clone(self).supervise(replica, bus, view, status);
            process.tasks.push(tokio::task::spawn_local(worker));
        }
        self.process.replace(Some(process));
    }

    /// Runs a worker, and starts it again whenever it has crashed or was sent away.
    async fn supervise(self: Rc<Self>, replica: Replica, bus: Bus, view: View, status: Arc<WorkerStatus>) {
        let (service, number) = replica;
        let (_stop, stopped) = watch::channel(false);
        for incarnation in 0_u64.. {
            let until = self.absent_until.borrow().get(&service).copied();
            if let Some(until) = until {
                sleep_until(until).await;
            }
            let crashed = Arc::new(Notify::new());
            let keeps = match service.source() {
                Some(source) => Keeps::Store(Store::Sqlite(open(source, Opener::Worker(number)))),
                None => Keeps::View(view.clone()),
            };
            let context = Context {
                service,
                instance: format!("{service}-{number}-{incarnation}").into(),
                bus: bus.clone(),
                clock: self.clocks[&service].clone(),
                ids: self.ids.clone(),
                settings: Arc::clone(&self.settings),
                probe: self.probe(service, Arc::clone(&crashed)),
                status: Arc::clone(&status),
                faults: Arc::clone(&self.faults[&service]),
                rebuild: Arc::default(),
                stop: stopped.clone(),
            };
            tokio::select! {
                biased;
                () = crashed.notified() => {}
                () = self.sent_away[&replica].notified() => {}
                () = worker::run(context, keeps) => return,
            }
            self.look_into(service);
            let restart = self.random.borrow_mut().u64(0..LONGEST_RESTART_MILLIS);
            sleep(Duration::from_millis(restart)).await;
        }
    }

    fn probe(&self, service: Service, crashed: Arc<Notify>) -> Probe {
        Probe::new(self.bugs.clone(), move |point| {
            let world = WORLD.with_borrow(|world| world.clone());
            let crashes = world.is_some_and(|world| world.pass(service, point));
            if crashes {
                crashed.notify_one();
            }
            crashes
        })
    }

    /// A worker passes a named point: what it has committed is looked into, and it may crash there.
    fn pass(&self, service: Service, point: Point) -> bool {
        if point == Point::Committed {
            self.look_into(service);
        }
        let crashes = !self.is_healed.get() && self.random.borrow_mut().f64() < self.plan.crash;
        if crashes {
            self.note(&format!("  ** {service} crashes at {point:?}"));
            self.totals.borrow_mut().count("crashes", 1);
        }
        crashes
    }

    /// Reads what a worker has committed into the books.
    fn look_into(&self, service: Service) {
        let Some(source) = service.source() else { return };
        let read = self.books.borrow_mut().read(source, &self.stores[&source]).now_or_never();
        let (events, broken) = read.expect("SQLite answers at once");
        for event in events {
            let about = event.subject();
            self.note(&format!("{service} commits {} of {about}, revision {}", event.kind(), event.revision));
        }
        self.blame(broken);
    }

    async fn let_things_go_wrong(self: Rc<Self>) {
        for incident in &self.plan.incidents {
            sleep_until(self.started + incident.at).await;
            self.note(&format!("  ** {:?}", incident.what));
            match incident.what {
                What::KillProcess => {
                    self.totals.borrow_mut().count("kills", 1);
                    self.process.replace(None);
                    Service::ALL.iter().for_each(|service| self.look_into(*service));
                    let restart = self.random.borrow_mut().u64(0..LONGEST_RESTART_MILLIS);
                    sleep(Duration::from_millis(restart)).await;
                    self.start_process().await;
                }
                What::PutBack(source, age) => self.put_back(source, age).await,
                What::BrokerForgets => {
                    if let Some(process) = &*self.process.borrow() {
                        process.bus.forget();
                    }
                }
                What::ClockJumps(service, by_ms) => self.clocks[&service].jump(by_ms),
                What::Absent(service, lasts) => self.send_away(service, lasts),
                What::Misbehaves(service, fault, lasts) => {
                    self.faults[&service].set(fault, lasts);
                }
            }
        }
    }

    /// Copies the store that an incident is to put back, when that is due.
    async fn copy_what_is_put_back(self: Rc<Self>) {
        for incident in &self.plan.incidents {
            if let What::PutBack(source, age) = incident.what {
                sleep_until(self.started + incident.at.saturating_sub(age)).await;
                let copied = open(source, Opener::World).copied().expect("a copy");
                self.snapshot.replace(Some(copied));
            }
        }
    }

    /// Stops the workers of a service, puts its store back, and starts them again.
    async fn put_back(&self, source: Source, age: Duration) {
        self.totals.borrow_mut().count("stores put back", 1);
        self.send_away(source.into(), AWAY_FOR_A_COPY);
        // They are gone once they have been polled.
        sleep(AWAY_FOR_A_COPY / 2).await;
        self.look_into(source.into());
        let snapshot = self.snapshot.take().unwrap_or_else(|| panic!("no copy was made {age:?} ago"));
        let store = open(source, Opener::World);
        store.put_back(&snapshot).expect("a store in memory");
        self.books.borrow_mut().put_back(source, &Store::Sqlite(store)).now_or_never().expect("at once");
    }

    fn send_away(&self, service: Service, lasts: Duration) {
        self.absent_until.borrow_mut().insert(service, Instant::now() + lasts);
        let of_service = self.sent_away.iter().filter(|((which, _), _)| *which == service);
        of_service.for_each(|(_, notify)| notify.notify_one());
    }

    async fn serve(self: Rc<Self>, number: usize, client: Client) {
        for (think, ask) in client.asks {
            sleep(think).await;
            let desk = loop {
                let desk = self.process.borrow().as_ref().map(|process| process.desk.clone());
                match desk {
                    Some(desk) => break desk,
                    None => sleep(LOOK_EVERY).await,
                }
            };
            self.note(&format!("client {number} asks {ask:?}"));
            let answer = put(&desk, &ask).await;
            self.hear(number, &ask, answer);
        }
    }

    fn hear(&self, number: usize, ask: &Ask, answer: Result<Answer, DeskError>) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.totals.borrow_mut().count("unanswered", 1);
                self.note(&format!("client {number} gets no answer to {ask:?}: {error}"));
                return;
            }
        };
        self.totals.borrow_mut().count("answers", 1);
        let code = answer.code().map_or("ok", ErrorCode::word);
        self.note(&format!("client {number} hears {code} to {ask:?}"));
        if let Ask::Place(place) = ask
            && let Some(order_id) = &place.order_id
        {
            self.promised.borrow_mut().push((order_id.clone(), answer));
        }
    }

    /// Once all faults have healed somebody who can pay gets what is there, at the latest with one of some tries.
    async fn await_a_working_desk(self: &Rc<Self>) {
        let deadline = Instant::now() + WORKS_WITHIN;
        for attempt in 0.. {
            let desk = self.process.borrow().as_ref().expect("the process runs").desk.clone();
            let place = workload::last_place(attempt);
            let answer = put(&desk, &Ask::Place(place)).await;
            if answer.as_ref().is_ok_and(|answer| answer.ok) {
                return;
            }
            if Instant::now() > deadline {
                let told = answer.map(|answer| answer.code().map(ErrorCode::word));
                return self.blame([format!(
                    "P9: the desk takes no order {WORKS_WITHIN:?} after all faults have healed: {told:?}"
                )]);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn come_to_rest(&self) {
        if self.plan.put_back().is_some() {
            self.reconcile().await;
        }
        let deadline = Instant::now() + ENDED_WITHIN;
        while Instant::now() < deadline {
            // What is broken may never come to rest, and that is no promise more.
            if !self.broken.borrow().is_empty() {
                return;
            }
            sleep(LOOK_EVERY).await;
            if self.is_at_rest() {
                return;
            }
        }
        if let Some(process) = &*self.process.borrow() {
            let unsent: Vec<_> =
                process.status.iter().map(|(replica, status)| (replica, status.unsent())).collect();
            let trouble: Vec<_> = process.status.values().map(|status| status.trouble()).collect();
            self.blame([format!(
                "P9: not at rest after {ENDED_WITHIN:?}: {} messages pending, unsent {unsent:?}, {trouble:?}",
                process.bus.pending()
            )]);
        }
    }

    /// Has every order settled that anybody knows, also those that are in order, until all of them are.
    async fn reconcile(&self) {
        let deadline = Instant::now() + ENDED_WITHIN;
        while Instant::now() < deadline && self.broken.borrow().is_empty() {
            let desk = self.process.borrow().as_ref().expect("the process runs").desk.clone();
            let [order, deposit, item] = self.sources();
            for settle in Books::settles(order, deposit, item).await {
                let answer = desk.settle(&settle).await;
                self.note(&format!("the operator hears {:?} to {settle:?}", answer.map(|answer| answer.ok)));
            }
            sleep(SETTLED_WITHIN).await;
            // What was parked about orders that Order had forgotten.
            desk.replay_dead(&Which::All, false, |_, _| {}).await.expect("an embedded bus");
            sleep(SETTLED_WITHIN).await;
            Service::ALL.iter().for_each(|service| self.look_into(*service));
            if self.books.borrow().at_rest().is_empty() {
                return;
            }
        }
    }

    fn sources(&self) -> [&Store; 3] {
        [Source::Order, Source::Deposit, Source::Item].map(|source| &self.stores[&source])
    }

    fn is_at_rest(&self) -> bool {
        let is_quiet = self.process.borrow().as_ref().is_some_and(|process| {
            process.bus.pending() == 0 && process.status.values().all(|status| status.unsent() == 0)
        });
        let is_sent = |store: &Store| {
            store.unsent_count().now_or_never().is_some_and(|count| count.is_ok_and(|count| count == 0))
        };
        is_quiet && self.stores.values().all(is_sent) && self.books.borrow().at_rest().is_empty()
    }

    async fn check_at_rest(&self) {
        sleep(AGREES_WITHIN).await;
        let deadline = Instant::now() + ENDED_WITHIN;
        let may_lag = self.plan.forgets() || self.plan.put_back().is_some();
        while may_lag && Instant::now() < deadline && !self.view_differs().await.is_empty() {
            sleep(LOOK_EVERY).await;
        }
        Service::ALL.iter().for_each(|service| self.look_into(*service));
        let books = self.books.take();
        let mut broken = books.at_rest();
        let [order, deposit, item] = self.sources();
        broken.extend(books.agree_with(order, deposit, item).await);
        broken.extend(self.view_differs().await);
        for message in self.parked() {
            broken.push(format!(
                "P5: parked {}: {:?}",
                message.routing_key,
                message.properties.headers.get("reason")
            ));
        }
        // What Order was made to forget it keeps no promise of.
        let has_forgotten = self.plan.put_back() == Some(Source::Order);
        for (order_id, answer) in self.promised.borrow().iter().filter(|_| !has_forgotten) {
            broken.extend(self.check_answer(&books, order_id, answer));
        }
        self.blame(broken);
        self.books.replace(books);
    }

    /// P6, and with it P10: what was lost on its way to the view is asked for.
    async fn view_differs(&self) -> Vec<Broken> {
        let view = self.process.borrow().as_ref().expect("the process runs").view.clone();
        let [order, deposit, item] = self.sources();
        super::view::agrees(&view, order, deposit, item).await
    }

    fn parked(&self) -> Vec<Message> {
        self.process.borrow().as_ref().expect("the process runs").bus.dead_letters(EVERYTHING)
    }

    /// Whoever was told of an order finds it as they were told.
    fn check_answer(&self, books: &Books, order_id: &OrderId, answer: &Answer) -> Option<Broken> {
        let told = answer.order.as_ref()?;
        let Some(order) = books.orders().get(order_id) else {
            return Some(format!("P5: somebody was told of order {order_id}, which does not exist"));
        };
        let is_kept = order.amount == told.amount
            && order.revision >= told.revision
            && (!answer.ok || order.payment != skstore_domain::objects::PaymentStatus::None);
        (!is_kept).then(|| format!("P1: of order {order_id} it was said {told:?}, but it is {order:?}"))
    }

    fn count_totals(&self) {
        let mut totals = self.totals.borrow_mut();
        let books = self.books.borrow();
        for status in OrderStatus::ALL {
            totals.count(
                status.word(),
                books.orders().values().filter(|order| order.status == *status).count(),
            );
        }
        totals.count("refunds", books.refunds);
        totals.count("deliveries", books.deliveries_started);
    }

    /// Takes down promises that do not hold, and when that was seen.
    fn blame(&self, broken: impl IntoIterator<Item = Broken>) {
        for broken in broken {
            self.note(&format!("  !! {broken}"));
            let seen = format!("{broken}; seen at {} ms", self.started.elapsed().as_millis());
            self.broken.borrow_mut().push(seen);
        }
    }

    fn note(&self, what: &str) {
        self.trace.borrow_mut().add(self.started.elapsed().as_millis(), what);
    }
}

async fn put(desk: &Desk, ask: &Ask) -> Result<Answer, DeskError> {
    match ask {
        Ask::Place(place) => desk.place(place).await,
        Ask::Cancel(order) => desk.cancel(order).await,
        Ask::Query(order) => desk.order(order).await,
        Ask::TopUp(top_up) => desk.top_up(top_up).await,
        Ask::Restock(restock) => desk.restock(restock).await,
    }
}

/// The services' clocks. Those on one store are on one machine.
fn clocks(plan: &Plan) -> BTreeMap<Service, Clock> {
    let clock = |(service, skew): (&Service, &i64)| (*service, Clock::paused_at(Timestamp(EPOCH.0 + skew)));
    Service::ALL.iter().zip(&plan.skews).map(clock).collect()
}

/// Every worker there is.
fn replicas(plan: &Plan) -> Vec<Replica> {
    let all = |number| Service::ALL.iter().map(move |service| (*service, number));
    (0..plan.replicas).flat_map(all).collect()
}

thread_local! {
    /// The stores in memory of this thread's worlds, one after the other, each as everybody has opened it who shares
    /// it. Opening them and preparing their statements takes a quarter of a seed's time.
    static OPEN: RefCell<BTreeMap<(Source, Opener), SqliteStore>> = RefCell::default();
    /// Tells the threads' stores apart.
    static THREAD: u64 = THREADS.fetch_add(1, Ordering::Relaxed);
}

static THREADS: AtomicU64 = AtomicU64::new(0);

/// Who has a store open: a worker by its number, or the world that looks on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Opener {
    World,
    Worker(usize),
}

/// Opens a store as a process does that shares it with others.
fn open(source: Source, opener: Opener) -> SqliteStore {
    OPEN.with_borrow_mut(|open| {
        let store = open.entry((source, opener)).or_insert_with(|| {
            let name = THREAD.with(|thread| format!("simulation-{thread}-{source}"));
            SqliteStore::in_named_memory(&name).expect("memory")
        });
        store.as_just_opened()
    })
}

/// Opens a store for a new world: with nothing in it.
fn open_empty(source: Source) -> Store {
    let store = open(source, Opener::World);
    store.forget_everything().expect("an empty store");
    Store::Sqlite(store)
}

/// The defaults, but for a breaker that trips after a few calls: a simulation has only dozens.
fn settings() -> Settings {
    let customer = |name: &str| Customer::new(name).expect("a customer");
    Settings {
        shares_stores: false,
        // Every look takes time, though none in the simulation.
        news_every: Duration::from_millis(100),
        batch: 8,
        payment_timeout: Duration::from_millis(300),
        breaker: BreakerSettings { least_charges: 4, least_calls: 3, ..BreakerSettings::default() },
        sweep_every: Duration::from_secs(5),
        patience: Patience { abort_after: Duration::from_secs(10), tell_again_after: Duration::from_secs(5) },
        hold_paying: Duration::from_millis(20),
        max_unsent_events: 100_000,
        // Nobody looks at them here, and in virtual time they would be most of the work.
        beat_every: Duration::from_secs(15),
        retry_first: Duration::from_millis(50),
        max_retry: Duration::from_secs(2),
        drain: Drain::of(Duration::from_secs(5)),
        walk_in: customer("walk-in"),
        catalog: Arc::new(Catalog {
            items: workload::ITEMS
                .iter()
                .map(|(id, price, stock)| CatalogItem {
                    listing: ListItem {
                        item_id: ItemId::new(id).expect("an id"),
                        name: (*id).to_owned(),
                        name_en: None,
                        unit_price: Won(*price),
                    },
                    stock: *stock,
                })
                .collect(),
            accounts: workload::CUSTOMERS
                .iter()
                .map(|(name, balance)| CatalogAccount {
                    customer: customer(name),
                    opening_balance: Won(*balance),
                })
                .collect(),
        }),
    }
}
