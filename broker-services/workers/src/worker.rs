//! One worker, put together: its loop, its relay, its heartbeat and its ear for the operator, side by side on
//! one thread. Whatever fails, all of it is dropped and started again; nothing unfinished was acked.

use skstore_domain::checkpoint::LogHead;
use skstore_domain::faults::{FAULT_FOR, Fault, MAX_FAULT_FOR};
use skstore_domain::json;
use skstore_domain::signals::{AnswersTold, Beat, BreakerChanged, Control, Past, Service, remember};
use skstore_domain::time::Timestamp;
use tokio::time::{Duration, MissedTickBehavior};

use crate::batch::Loop;
use crate::bus::{self, Bus, BusError, Claim, Noticed, Publisher, Subscription};
use crate::calls::Gate;
use crate::clock::whole_ms;
use crate::context::{Context, Rate, WorkerStatus};
use crate::envelope::json_message;
use crate::relay::Relay;
use crate::service;
use crate::service::deposit::DepositHandler;
use crate::service::item::ItemHandler;
use crate::service::myinfo;
use crate::service::order::OrderHandler;
use crate::store::Store;
use crate::topology;
use crate::view::View;

/// How often a worker says how it does: often enough for a person to see at once that one is gone.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);
/// How long the relay may take, after the loop has stopped, to see its events confirmed.
pub const LAST_CONFIRMS: Duration = Duration::from_secs(1);
/// What is told of a worker that an operator had die.
const CRASHED: &str = "it crashed, as an operator wished";

/// What a worker keeps its data in.
#[derive(Debug, Clone)]
pub enum Keeps {
    /// Order, Deposit and Item have a store of their own.
    Store(Store),
    /// MyInfo keeps the view.
    View(View),
}

/// Runs a worker until it is told to stop, through every loss of the bus.
pub async fn run(context: Context, keeps: Keeps) {
    tokio::select! {
        biased;
        () = supervise(&context, &keeps) => {}
        () = report_liveness(&context) => {}
        () = context.faults.heal_in_time() => {}
        () = drain_deadline(&context) => {
            tracing::warn!("stopping in the midst of work; what is in hand comes again");
        }
    }
}

/// Returns when the worker was told to stop and something that fails again and again, a store or a bus, keeps it from
/// that for too long.
async fn drain_deadline(context: &Context) {
    context.stopped().await;
    tokio::time::sleep(context.settings.drain.limit() + LAST_CONFIRMS).await;
}

/// Shows, for as long as this thread gets round to it, that it does.
async fn report_liveness(context: &Context) {
    let mut every = tokio::time::interval(context.settings.beat_every);
    loop {
        every.tick().await;
        context.status.set_alive(context.clock.now());
    }
}

async fn supervise(context: &Context, keeps: &Keeps) {
    let backoff = context.backoff();
    let started_at = context.clock.now();
    loop {
        let ended = tokio::select! {
            biased;
            // Whatever it was doing is dropped where it was, as by a kill.
            () = context.faults.crashed() => Err(CRASHED.to_owned()),
            ended = attempt(context, keeps, started_at) => ended.map_err(|error| error.to_string()),
        };
        // Its turn was dropped with it.
        context.turn_ends();
        let Err(problem) = ended else { return };
        tracing::error!(problem, "starting again");
        context.status.failed(problem, context.clock.now());
        tokio::select! {
            biased;
            () = context.stopped() => return,
            () = backoff.wait() => {}
        }
    }
}

/// Runs a worker until it is told to stop or the bus is lost.
async fn attempt(context: &Context, keeps: &Keeps, started_at: Timestamp) -> Result<(), BusError> {
    let publisher = context.bus.publisher().await?;
    let gate = (context.service == Service::Order).then(|| Gate::new(context));
    let work = work(context, keeps, publisher.clone(), gate.clone());
    tokio::select! {
        biased;
        done = work => done,
        heard = consume_control(context, gate.as_ref()) => heard,
        () = beat(context, &publisher, keeps, gate.as_ref(), started_at) => Ok(()),
        () = tell_changes(context, &publisher, gate.as_ref()) => Ok(()),
    }
}

async fn work(
    context: &Context,
    keeps: &Keeps,
    publisher: Publisher,
    gate: Option<Gate>,
) -> Result<(), BusError> {
    let context = context.clone();
    let store = match keeps {
        Keeps::View(view) => return myinfo::run(context, publisher, view.clone()).await,
        Keeps::Store(store) => store.clone(),
    };
    belongs(&context, &store).await?;
    let mut claim = claim(&context, &store).await?;
    let (handle, relay) = Relay::new(&context, store.clone(), publisher.clone());
    let last_events = handle.clone();
    let serve = async {
        match context.service {
            Service::Order => {
                let gate = gate.unwrap_or_else(|| Gate::new(&context));
                let handler =
                    OrderHandler::new(context.clone(), store.clone(), publisher.clone(), gate).await?;
                Loop::new(context, handler, store, publisher, handle).run(Vec::new()).await
            }
            Service::Deposit => {
                let handler = DepositHandler::new(context.clone(), publisher.clone());
                let opening = handler.opening();
                Loop::new(context, handler, store, publisher, handle).run(opening).await
            }
            Service::Item | Service::MyInfo => {
                let handler = ItemHandler::new(context.clone());
                let opening = handler.opening();
                Loop::new(context, handler, store, publisher, handle).run(opening).await
            }
        }
    };
    let mut relay = std::pin::pin!(relay.run());
    let served = tokio::select! {
        biased;
        served = serve => served,
        () = &mut relay => Ok(()),
        () = claim.lost() => Err(BusError::Lost("the broker has let go of this service's claim".to_owned())),
    };
    // What was committed last is in the store; what is confirmed now need not be sent again.
    let last = async {
        tokio::select! {
            () = last_events.all_sent() => {}
            () = relay => {}
        }
    };
    if served.is_ok() {
        let _ = tokio::time::timeout(LAST_CONFIRMS, last).await;
    }
    last_events.give_up().await;
    served
}

/// That the store is not another service's.
async fn belongs(context: &Context, store: &Store) -> Result<(), BusError> {
    // One that cannot be read tells so itself.
    if let Some((other, kind)) = service::owner_besides(context.service, store).await.unwrap_or_default() {
        return Err(BusError::Topology(format!(
            "the store that {}.store.url names is that of {other}: there is a record of kind '{kind}' in it. Name its own, or put \
             its own file back",
            context.service
        )));
    }
    Ok(())
}

/// Claims the service for its store: two stores would each have a part of its books.
async fn claim(context: &Context, store: &Store) -> Result<Claim, BusError> {
    let service = context.service;
    // One that cannot be read tells so itself, with every message that it should work on.
    let owner = store.identity().await.ok().flatten().map_or_else(|| "unknown".to_owned(), |log| log.store);
    match context.bus.claim(&topology::store_claim(service), &owner).await {
        Err(BusError::Occupied(why)) => Err(BusError::Occupied(format!(
            "another store of {service} is in use on this message bus, and two would each have a part of the books; this one \
             ({owner}) takes nothing until no worker uses the other. Have all of them use the same {service}.store.url, or \
             give each desk a virtual host of its own ({why})"
        ))),
        claimed => claimed,
    }
}

/// Does what the operator wants.
async fn consume_control(context: &Context, gate: Option<&Gate>) -> Result<(), BusError> {
    let queue = topology::control_of(&context.own_name());
    let mut wishes = context.bus.consumer(vec![Subscription { queue, prefetch: 16 }]).await?;
    loop {
        for wish in wishes.receive(16).await? {
            match serde_json::from_slice::<Control>(&wish.message.body) {
                Ok(control) => apply_control(context, gate, &control),
                Err(error) => tracing::warn!(%error, "a wish that nobody understands"),
            }
            wish.unacked.ack();
        }
    }
}

fn apply_control(context: &Context, gate: Option<&Gate>, control: &Control) {
    match control {
        Control::ForceBreaker { instance, mode } => {
            let is_meant = instance.as_deref().is_none_or(|instance| *instance == *context.instance);
            if let (true, Some(gate)) = (is_meant, gate) {
                tracing::info!(%mode, "the operator sets the breaker");
                gate.with(|breaker, now| breaker.force(*mode, now));
            }
        }
        Control::RebuildView => context.rebuild.notify_one(),
        Control::SetFault { service, instance, fault, for_ms } => {
            let fault = fault.bounded();
            if is_meant(context, *service, instance.as_deref())
                && (fault == Fault::None || may_misbehave(context, control))
            {
                let lasts = for_ms.map_or(FAULT_FOR, Duration::from_millis).min(MAX_FAULT_FOR);
                tracing::warn!(%fault, lasts_s = lasts.as_secs(), "the operator sets a fault");
                context.faults.set(fault, lasts);
            }
        }
        Control::Crash { service, instance } => {
            if is_meant(context, *service, instance.as_deref()) && may_misbehave(context, control) {
                crash(context);
            }
        }
    }
}

fn is_meant(context: &Context, service: Service, instance: Option<&str>) -> bool {
    service == context.service && instance.is_none_or(|instance| *instance == *context.instance)
}

/// Whether the settings let an operator have it misbehave; if not, says so.
fn may_misbehave(context: &Context, control: &Control) -> bool {
    if !context.faults.are_allowed() {
        tracing::warn!(?control, "refused: faults.allowed does not let faults be injected here");
    }
    context.faults.are_allowed()
}

/// Dies in the midst of whatever is in hand. Over a broker that is the process, which its engine starts again; over the
/// embedded bus it is the worker alone: the screen of whoever watches is in the same process.
fn crash(context: &Context) {
    tracing::warn!("{CRASHED}");
    match context.bus {
        Bus::Amqp(_) => std::process::abort(),
        Bus::Embedded(_) => context.faults.crash(),
    }
}

/// Says how the worker does, every second.
async fn beat(
    context: &Context,
    publisher: &Publisher,
    keeps: &Keeps,
    gate: Option<&Gate>,
    started_at: Timestamp,
) {
    let mut log = LogWatch::new(context, keeps);
    let mut rate = Rate::new(context.status.handled());
    let (answered, refused, _) = context.status.answers();
    let mut answer_rates = [Rate::new(answered), Rate::new(refused)];
    let mut every = tokio::time::interval(context.settings.beat_every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let status = &context.status;
        let at = context.clock.now();
        let log = log.head().await;
        let bus = context.bus.noticed(at);
        let (ready, last_error) = present(status.trouble(), &bus);
        let fault = context.faults.now();
        let told = gate.map(Gate::tell);
        if let Some((breaker, _)) = &told {
            status.figures().breaker_is(breaker);
        }
        let beat = Beat {
            service: context.service,
            instance: context.instance.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            at,
            number: status.next_beat(),
            clock_ahead_ms: None,
            ready,
            last_error,
            handled: status.handled(),
            per_second: rate.per_second(status.handled()),
            in_flight: status.in_flight(),
            unsent: status.unsent(),
            fault: (fault != Fault::None).then(|| fault.to_string()),
            fault_left_ms: context.faults.left().map(whole_ms),
            takes_faults: context.faults.are_allowed(),
            breaker: told.as_ref().map(|(snapshot, _)| snapshot.clone()),
            rebuilding: status.rebuilding(),
            unheard: status.unheard(),
            answers: (context.service != Service::MyInfo).then(|| answers(status, &mut answer_rates)),
            books: status.books(),
            // What nobody works on is not the service's log.
            log: log.filter(|_| ready),
            past: past(status.past(at), bus.past),
            warnings: bus.warnings.into_iter().chain(status.ignored_words()).collect(),
            waits: status.waits(),
            calls: told.map(|(_, calls)| Box::new(calls)),
        };
        signal(publisher, topology::BEAT_KEY, &beat);
    }
}

/// Looks at a worker's log each second, so that one that has nothing to do notices as well that its store is gone.
struct LogWatch<'a> {
    context: &'a Context,
    store: Option<&'a Store>,
    is_gone: bool,
}

impl<'a> LogWatch<'a> {
    const fn new(context: &'a Context, keeps: &'a Keeps) -> Self {
        let store = match keeps {
            Keeps::Store(store) => Some(store),
            Keeps::View(_) => None,
        };
        Self { context, store, is_gone: false }
    }

    /// How far the log goes; nothing where there is none, or it cannot be read.
    async fn head(&mut self) -> Option<LogHead> {
        let found = self.store?.head().await;
        let was_gone = std::mem::replace(&mut self.is_gone, found.is_err());
        match found {
            Ok(head) => {
                if was_gone {
                    self.context.status.recovered();
                }
                head
            }
            Err(error) => {
                self.context.status.failed(error.to_string(), self.context.clock.now());
                None
            }
        }
    }
}

/// Whether a worker takes work and if not, why: nobody does while the broker takes nothing, or not all of it.
pub(crate) fn present((ready, trouble): (bool, Option<String>), bus: &Noticed) -> (bool, Option<String>) {
    let blocked = bus.blocked.as_deref().map(bus::blocked_words);
    let of_bus: Vec<String> = [blocked, bus.refused.clone()].into_iter().flatten().collect();
    if of_bus.is_empty() {
        return (ready, trouble.filter(|_| !ready));
    }
    (false, Some(of_bus.into_iter().chain(trouble).collect::<Vec<_>>().join("; ")))
}

/// What is over, of a worker and of the bus that its process shares.
fn past(mut of_worker: Vec<Past>, of_bus: Vec<Past>) -> Vec<Past> {
    of_bus.into_iter().for_each(|entry| remember(&mut of_worker, entry));
    of_worker
}

/// How callers are answered; the rates are those of answers and of refusals.
fn answers(status: &WorkerStatus, [answer_rate, refusal_rate]: &mut [Rate; 2]) -> AnswersTold {
    let (answered, refused, percentiles) = status.answers();
    let micros = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let [p50_us, p99_us] = percentiles.map(|took| took.map(micros));
    AnswersTold {
        answered,
        refused,
        per_second: answer_rate.per_second(answered),
        refused_per_second: refusal_rate.per_second(refused),
        p50_us,
        p99_us,
    }
}

/// Tells every change of the breaker.
async fn tell_changes(context: &Context, publisher: &Publisher, gate: Option<&Gate>) {
    let Some(gate) = gate else { return std::future::pending().await };
    loop {
        let change = gate.change().await;
        tracing::warn!(from = %change.from, to = %change.to, why = %change.why, "the breaker changed");
        context.status.figures().breaker_went(change.to);
        let changed = BreakerChanged {
            instance: context.instance.to_string(),
            at: context.clock.now(),
            from: change.from,
            to: change.to,
            why: change.why.to_string(),
            reason: Some(change.why),
            breaker: change.after,
        };
        signal(publisher, topology::BREAKER_KEY, &changed);
    }
}

fn signal(publisher: &Publisher, key: &str, body: &impl serde::Serialize) {
    publisher.send(json_message(topology::EVENTS, key, json::bytes(body)));
}

#[cfg(test)]
mod tests;
