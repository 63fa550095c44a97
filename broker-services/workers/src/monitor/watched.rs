//! The workers of a process as its monitor sees them, also while they have not started yet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skstore_domain::faults::Fault;
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use tokio::time::{Instant, timeout};

use crate::bus::{Bus, QueueDepth};
use crate::clock::Clock;
use crate::context::WorkerStatus;
use crate::desk::Desk;
use crate::faults::Faults;
use crate::figures::Requests;
use crate::health::is_stale;
use crate::worker::present;

/// How long a turn may last: twice what the slowest fault that can be set adds to one (60 s), and what a batch takes in
/// milliseconds. A store or view that does not work does not count: it is tried again and again, each time anew.
const TURN_WITHIN: Duration = Duration::from_secs(120);
/// How old the depths of queues may be: who asks more often gets the same ones, and the broker is left alone.
const QUEUES_EVERY: Duration = Duration::from_secs(5);
/// How long the broker may take to tell them. Without an answer there are none.
const QUEUES_WITHIN: Duration = Duration::from_secs(2);

/// A worker, and what else is known of it than it counts.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Which.
    pub service: Service,
    /// What it tells of itself.
    pub status: Arc<WorkerStatus>,
    /// How it misbehaves on purpose.
    pub faults: Arc<Faults>,
}

impl Watch {
    pub(super) fn has_fault(&self) -> bool {
        self.faults.now() != Fault::None
    }
}

/// All of them. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Watched(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    began_at: Timestamp,
    /// Why they have not started.
    trouble: String,
    workers: Vec<Watch>,
    gateway: Option<(Desk, Arc<Requests>)>,
    bus: Option<Bus>,
    queues: Vec<QueueDepth>,
    looked_at: Option<Instant>,
}

impl Watched {
    /// None yet: they are starting.
    #[must_use]
    pub fn starting() -> Self {
        Self(Arc::new(Mutex::new(State {
            began_at: Clock::System.now(),
            trouble: "the workers are starting".to_owned(),
            workers: Vec::new(),
            gateway: None,
            bus: None,
            queues: Vec::new(),
            looked_at: None,
        })))
    }

    /// They have not started, and why.
    pub fn not_started(&self, why: &str) {
        why.clone_into(&mut self.state().trouble);
    }

    /// They have started, on `bus`.
    pub fn started(&self, workers: Vec<Watch>, bus: Option<Bus>) {
        let mut state = self.state();
        (state.workers, state.bus) = (workers, bus);
    }

    /// There is a gateway to `desk`, which counts its requests there.
    pub fn serves_http(&self, desk: Desk, requests: Arc<Requests>) {
        self.state().gateway = Some((desk, requests));
    }

    /// The sentences that say which of them hang.
    pub(super) fn hanging(&self) -> Vec<String> {
        let (workers, now) = (self.workers(), Clock::System.now());
        workers.iter().filter_map(|watch| hangs(watch, now)).collect()
    }

    /// The sentences that say which of them take no work, and why.
    pub(super) async fn not_ready(&self) -> Vec<String> {
        let (workers, gateway, bus, trouble) = {
            let state = self.state();
            (state.workers.clone(), state.gateway.clone(), state.bus.clone(), state.trouble.clone())
        };
        if workers.is_empty() && gateway.is_none() {
            return vec![trouble];
        }
        let lost = match gateway {
            Some((desk, _)) => desk.lost().await.map(|what| format!("gateway: {what}")),
            None => None,
        };
        let noticed = bus.map(|bus| bus.noticed(Clock::System.now())).unwrap_or_default();
        let not_ready = |watch: &Watch| {
            let (is_ready, trouble) = present(watch.status.trouble(), &noticed);
            let trouble = trouble.unwrap_or_else(|| "it is starting".to_owned());
            (!is_ready).then(|| format!("{}: {trouble}", watch.service))
        };
        workers.iter().filter_map(not_ready).chain(lost).collect()
    }

    pub(super) fn requests(&self) -> Option<Arc<Requests>> {
        self.state().gateway.as_ref().map(|(_, requests)| Arc::clone(requests))
    }

    pub(super) fn workers(&self) -> Vec<Watch> {
        self.state().workers.clone()
    }

    pub(super) fn began_at(&self) -> Timestamp {
        self.state().began_at
    }

    /// How full the queues are that its workers take from, as far as that is known.
    pub(super) fn queues(&self) -> Vec<QueueDepth> {
        self.state().queues.clone()
    }

    /// Asks the broker how full they are, if that was not just done.
    pub(super) async fn look_at_queues(&self) {
        let (bus, services) = {
            let mut state = self.state();
            if state.looked_at.is_some_and(|at| at.elapsed() < QUEUES_EVERY) {
                return;
            }
            state.looked_at = Some(Instant::now());
            (state.bus.clone(), state.workers.iter().map(|watch| watch.service).collect::<Vec<_>>())
        };
        let Some(bus) = bus else { return };
        let depths = timeout(QUEUES_WITHIN, bus.depths()).await;
        let depths = depths.ok().and_then(Result::ok).unwrap_or_default();
        let is_ours = |depth: &QueueDepth| {
            let owner = depth.name.split('.').next().unwrap_or_default();
            services.iter().any(|service| service.word() == owner)
        };
        self.state().queues = depths.into_iter().filter(is_ours).collect();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hangs(watch: &Watch, now: Timestamp) -> Option<String> {
    let Watch { service, status, .. } = watch;
    if let Some(at) = status.alive_at().filter(|at| is_stale(*at, now)) {
        return Some(format!("{service} has been silent for {} s: it hangs", now.since(at).as_secs()));
    }
    let since = status.figures().turn_since.read()?;
    let lasts = now.since(since);
    (lasts > TURN_WITHIN)
        .then(|| format!("{service} has been at the same batch for {} s: it hangs", lasts.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn watch() -> Watch {
        let status = Arc::new(WorkerStatus::default());
        Watch { service: Service::Order, status, faults: Arc::new(Faults::new(Fault::None, false)) }
    }

    #[test]
    fn a_worker_hangs_that_is_silent_or_does_not_get_on_and_one_in_trouble_does_not() {
        let ago = |seconds: u64| Some(NOW.before(Duration::from_secs(seconds)));
        let table = [
            ("it has not started", None, None, false),
            ("it idles", ago(1), None, false),
            ("it is at a batch", ago(1), ago(100), false),
            ("its thread is stuck", ago(7), None, true),
            ("its turn is stuck", ago(1), ago(121), true),
        ];
        for (what, alive_at, turn_since, expected) in table {
            let watch = watch();
            if let Some(at) = alive_at {
                watch.status.set_alive(at);
            }
            watch.status.figures().turn_since.set(turn_since);
            watch.status.failed("the broker is away".to_owned(), NOW);
            assert_eq!(hangs(&watch, NOW).is_some(), expected, "{what}");
        }
    }

    #[tokio::test]
    async fn workers_that_have_not_started_are_not_ready_and_do_not_hang() {
        let watched = Watched::starting();
        watched.not_started("the data directory is in use");
        assert_eq!(watched.hanging(), Vec::<String>::new());
        assert_eq!(watched.not_ready().await, ["the data directory is in use"]);
    }
}
