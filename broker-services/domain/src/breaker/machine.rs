//! The breaker's states and what moves it from one to the next.

use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::journal::{CallEnded, Changed, Entry, Journal, micros};
use super::streak::Streak;
use super::why::{Share, Why};
use super::window::Window;
use super::{BreakerMode, BreakerSettings, BreakerSnapshot, BreakerState, Counts};
use crate::charges::NoAnswer;

mod image;

pub(super) use image::ImagedProbes;
pub use image::{Image, WrongImage};

/// Changes that wait for [`Breaker::poll_change`]; beyond it the oldest is lost. A worker polls after every
/// call, which makes two at most; a second of an operator's key held down makes some thirty.
pub const MAX_PENDING_CHANGES: usize = 64;

/// A circuit breaker and bulkhead for calls that carry several charges each.
///
/// `now` is everywhere the time since an arbitrary fixed point of a clock that never jumps.
///
/// Order of use, for each batch of charges:
///
/// 1. [`permit`](Self::permit) for every charge, before anything of it is written;
/// 2. send one call with all that got one; those whose permit [is a probe](Permit::is_probe) each in a call
///    of its own;
/// 3. [`record_call`](Self::record_call) when the call has ended, at its time limit at the latest. A permit
///    whose charge was not sent after all is just dropped;
/// 4. [`poll_change`](Self::poll_change) until it is empty, and tell the world;
/// 5. [`poll`](Self::poll) after [`next_wakeup`](Self::next_wakeup), so that it changes also while nobody
///    calls.
///
/// **Closed**: every charge gets a permit while fewer than `max_in_flight` are out. It trips when, of at least
/// `least_charges` in at least `least_calls` calls within the window, `failed_percent` have failed, or
/// `slow_percent` were slow or failed. Where the window holds less than that, it trips when `consecutive_failures`
/// calls in a row had no usable answer: thin traffic never fills a window, and where there is more, the shares forgive
/// what is a hiccup among many. A charge in flight is not in the window yet; it need not be, since it
/// is recorded as failed at its call's time limit, 300 ms by default: what it would say is known a small part
/// of the window later, and till then the bulkhead bounds how many there are.
///
/// **Open**: none gets one for `open_for`.
///
/// **Half-open**: up to `probes` charges get one, as probes. It closes, with an empty window, when `probes`
/// of them have succeeded, however long that takes: time that nobody calls in says nothing of Deposit. It opens again
/// when one fails, is answered slowly (closing on slow answers would only trip it again), or has no answer
/// `probe_within` after its permit. A probe that is dropped gives its place to another.
///
/// What time alone brings about happens when it is due, however late anybody looks: so the same calls always lead to the same
/// states, and can be replayed.
///
/// The states and names are those of Nygard's *Release It!*; judging shares over a sliding window of time,
/// with slow calls beside failed ones, is resilience4j's idea.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    /// When it came into its present state.
    since: Duration,
    /// Counts state changes; results of permits from an earlier one weigh nothing.
    generation: u64,
    window: Window,
    streak: Streak,
    /// Each permit holds a clone: the reference count is the number of charges in flight, plus one.
    bulkhead: Rc<()>,
    changes: VecDeque<Change>,
    journal: Journal,
}

/// Leave to send one charge. Dropping it, recorded or not, gives its place in the bulkhead back.
///
/// It holds a reference count instead of a link to the breaker, so it may outlive it, and the breaker needs no
/// lock. The count is not atomic: a worker runs on one thread, and atomics would double the price of a permit.
#[derive(Debug)]
#[must_use = "a dropped permit is given back"]
pub struct Permit {
    generation: u64,
    given: Duration,
    /// Entries of the journal before it.
    after: u64,
    /// A probe is alive for as long as its permit.
    probe: Option<Rc<()>>,
    _place: Rc<()>,
}

impl Permit {
    /// Whether its charge finds out if Deposit is well again, and so must be a call of its own.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.probe.is_some()
    }
}

/// Why a charge may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The breaker is open, or half-open with all its probes out.
    Open {
        /// When it is worth another try.
        retry_after: Duration,
    },
    /// As many charges are in flight as may be. This says nothing of Deposit.
    Full,
}

/// How one charge of a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// Answered. A declined charge is answered.
    Ok,
    /// No usable answer: time limit, returned, nacked, connection lost.
    Failed,
}

/// The breaker went from one state to another; or only its mode changed, and both are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// From.
    pub from: BreakerState,
    /// To.
    pub to: BreakerState,
    /// When, on the clock of `now`.
    pub at: Duration,
    /// Why.
    pub why: Why,
    /// The breaker just after it. After a trip its window is still the one that decided it; after closing
    /// the window is empty.
    pub after: BreakerSnapshot,
}

/// A state with what only that state knows. An operator's mode is part of it, so the two cannot disagree.
#[derive(Debug)]
enum Phase {
    Closed,
    /// An operator holds it closed.
    HeldClosed,
    Open {
        until: Duration,
    },
    /// An operator holds it open.
    HeldOpen,
    HalfOpen(Probing),
}

/// A probe that was given.
#[derive(Debug)]
struct Probe {
    given: Duration,
    after: u64,
    /// Its permit has the other end.
    permit: Weak<()>,
}

#[derive(Debug, Default)]
struct Probing {
    /// Those that are neither recorded nor dropped are alive. At most `probes`.
    given: Vec<Probe>,
    /// How many have succeeded. Below `probes`.
    succeeded: u32,
}

/// What may move the breaker.
enum Happened {
    /// The clock shows `now`.
    Time,
    /// A call was recorded, and the window is beyond a limit.
    Tripped(Limit),
    /// A probe was answered in time.
    ProbeSucceeded,
    /// A probe was not.
    ProbeFailed(ProbeFailure),
    /// An operator wants it so.
    Forced(BreakerMode),
}

#[derive(Clone, Copy)]
enum Limit {
    Failed,
    Slow,
    Consecutive(u32),
}

#[derive(Clone, Copy)]
enum ProbeFailure {
    Failed,
    Slow(Duration),
}

impl Breaker {
    /// A closed breaker in mode auto that has seen nothing yet.
    #[must_use]
    pub fn new(mut settings: BreakerSettings, now: Duration) -> Self {
        settings.probes = settings.probes.max(1);
        Self {
            window: Window::new(&settings, now),
            streak: Streak::default(),
            settings,
            phase: Phase::Closed,
            since: now,
            generation: 0,
            bulkhead: Rc::default(),
            changes: VecDeque::new(),
            journal: Journal::default(),
        }
    }

    /// Asks to send one charge.
    ///
    /// # Errors
    /// [`Refusal`] says why not, and when to try again. It is counted, but weighs nothing.
    pub fn permit(&mut self, now: Duration) -> Result<Permit, Refusal> {
        self.poll(now);
        if let Some(refusal) = self.refusal(now) {
            self.window.add(&Counts { refused: 1, ..Counts::default() });
            self.journal.refused(now, refusal == Refusal::Full);
            return Err(refusal);
        }
        let after = self.journal.next();
        let probe = match &mut self.phase {
            Phase::HalfOpen(probing) => Some(probing.give(now, after)),
            Phase::Closed | Phase::HeldClosed | Phase::Open { .. } | Phase::HeldOpen => None,
        };
        let _place = Rc::clone(&self.bulkhead);
        Ok(Permit { generation: self.generation, given: now, after, probe, _place })
    }

    /// Records how a call ended for each of its charges, `took` after it was sent. Each charge weighs
    /// alone; the window is judged once, after the last.
    ///
    /// Results of permits from before the last change of state are passed over.
    pub fn record_call(
        &mut self,
        charges: impl IntoIterator<Item = (Permit, CallResult)>,
        took: Duration,
        now: Duration,
    ) {
        self.record(charges, took, None, now);
    }

    /// As [`record_call`](Self::record_call), and enters `why` its charges had no usable answer, if some had none.
    pub fn record(
        &mut self,
        charges: impl IntoIterator<Item = (Permit, CallResult)>,
        took: Duration,
        why: Option<NoAnswer>,
        now: Duration,
    ) {
        self.poll(now);
        let ended = Ended { took_us: micros(took), why, ended_us: micros(now) };
        let (mut call, mut first, mut late) = (Counts::default(), None, None);
        for (permit, result) in charges {
            if permit.generation != self.generation {
                self.pass_over(&mut late, &permit, result, &ended);
            } else if permit.is_probe() {
                self.journal.push(Entry::Call(ended.of(&permit, result)));
                self.record_probe(permit, result, took, now);
            } else {
                call.count(result, took > self.settings.slow_after);
                let given = first.get_or_insert((permit.after, permit.given));
                *given = (*given).min((permit.after, permit.given));
            }
        }
        if let Some((_, late)) = late {
            self.journal.push(Entry::Call(late));
        }
        if let Some(given) = first {
            self.journal.push(Entry::Call(ended.with(given, &call)));
            self.window.add(&call);
            if call.ok > 0 {
                self.streak.clear();
            } else {
                self.streak.failed(now.saturating_sub(took), now, self.settings.window);
            }
            if let Some(limit) = self.exceeded(now) {
                self.happen(&Happened::Tripped(limit), now);
            }
        }
    }

    /// Enters a charge whose permit is from an older state, together with those before it that are from the same one.
    #[cold]
    fn pass_over(
        &mut self,
        late: &mut Option<(u64, CallEnded)>,
        permit: &Permit,
        result: CallResult,
        ended: &Ended,
    ) {
        let one = ended.of(permit, result);
        match late {
            Some((generation, call)) if *generation == permit.generation && !one.probe => {
                (call.after, call.given_us) = (call.after, call.given_us).min((one.after, one.given_us));
                call.ok += one.ok;
                call.failed += one.failed;
                call.why = call.why.or(one.why);
            }
            _ => {
                if let Some((_, before)) = late.replace((permit.generation, one)) {
                    self.journal.push(Entry::Call(before));
                }
            }
        }
    }

    #[cold]
    fn record_probe(&mut self, permit: Permit, result: CallResult, took: Duration, now: Duration) {
        let slow = took > self.settings.slow_after;
        let mut call = Counts::default();
        call.count(result, slow);
        self.window.add(&call);
        let happened = match result {
            CallResult::Failed => Happened::ProbeFailed(ProbeFailure::Failed),
            CallResult::Ok if slow => Happened::ProbeFailed(ProbeFailure::Slow(took)),
            CallResult::Ok => Happened::ProbeSucceeded,
        };
        if let Phase::HalfOpen(probing) = &mut self.phase {
            probing.end(&permit);
            if matches!(happened, Happened::ProbeSucceeded) {
                probing.succeeded = probing.succeeded.saturating_add(1);
            }
        }
        drop(permit);
        self.happen(&happened, now);
    }

    /// Lets time pass: the window slides, an open breaker becomes half-open when it is due, a probe
    /// without an answer counts as failed.
    pub fn poll(&mut self, now: Duration) {
        match &self.phase {
            Phase::Closed | Phase::HeldClosed | Phase::HeldOpen => {}
            Phase::Open { .. } | Phase::HalfOpen(_) => self.let_pass(now),
        }
        self.window.slide(now);
    }

    /// What time has brought about by `now`, each at the time that it was due.
    fn let_pass(&mut self, now: Duration) {
        let given_back = match &mut self.phase {
            Phase::HalfOpen(probing) => probing.given_back(),
            Phase::Closed | Phase::HeldClosed | Phase::Open { .. } | Phase::HeldOpen => Vec::new(),
        };
        // Nobody saw when that was; before whatever is due, or it would have been in time for it.
        let at_us = micros(self.due().map_or(now, |due| due.min(now)));
        for Probe { after, given, .. } in given_back {
            self.journal.push(Entry::GivenBack { after, given_us: micros(given), at_us });
        }
        while let Some(due) = self.due().filter(|due| *due <= now) {
            self.window.slide(due);
            self.happen(&Happened::Time, due);
        }
    }

    /// When time alone changes its state, if it ever does.
    fn due(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Closed | Phase::HeldClosed | Phase::HeldOpen => None,
            Phase::Open { until } => Some(*until),
            Phase::HalfOpen(probing) => {
                probing.oldest().map(|given| given.saturating_add(self.settings.probe_within))
            }
        }
    }

    /// Does what an operator wants; the same wish again changes nothing.
    ///
    /// Held open, it refuses everything with `open_for` as `retry_after`. Held closed, it counts and never
    /// trips. Let go after it was held open it becomes half-open, since nobody knows how Deposit is; let go
    /// after it was held closed it stays closed with its window, so the next call may trip it.
    pub fn force(&mut self, mode: BreakerMode, now: Duration) {
        self.poll(now);
        self.journal.push(Entry::Forced { at_us: micros(now), mode });
        self.happen(&Happened::Forced(mode), now);
    }

    /// The oldest change not told yet.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// How long from `now` until [`poll`](Self::poll) may change its state, if time alone ever does.
    #[must_use]
    pub fn next_wakeup(&self, now: Duration) -> Option<Duration> {
        self.due().map(|due| due.saturating_sub(now))
    }

    /// What it lets through, as of the last call that took `now`.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        self.phase.state()
    }

    /// What the operator wants of it.
    #[must_use]
    pub const fn mode(&self) -> BreakerMode {
        match self.phase {
            Phase::HeldClosed => BreakerMode::Closed,
            Phase::HeldOpen => BreakerMode::Open,
            Phase::Closed | Phase::Open { .. } | Phase::HalfOpen(_) => BreakerMode::Auto,
        }
    }

    /// Charges in flight: permits that have neither been recorded nor dropped.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        u32::try_from(Rc::strong_count(&self.bulkhead) - 1).unwrap_or(u32::MAX)
    }

    /// What an operator sees. [`poll`](Self::poll) first: this does not change the state, even if it is due.
    #[must_use]
    pub fn snapshot(&self, now: Duration) -> BreakerSnapshot {
        let (buckets, window) = self.window.at(now);
        BreakerSnapshot {
            state: Some(self.state()),
            mode: Some(self.mode()),
            for_ms: millis(now.saturating_sub(self.since)),
            retry_after_ms: match &self.phase {
                Phase::Open { until } => Some(millis(until.saturating_sub(now))),
                Phase::Closed | Phase::HeldClosed | Phase::HeldOpen | Phase::HalfOpen(_) => None,
            },
            probes_ok: match &self.phase {
                Phase::HalfOpen(probing) => probing.succeeded,
                Phase::Closed | Phase::HeldClosed | Phase::Open { .. } | Phase::HeldOpen => 0,
            },
            probes_in_flight: match &self.phase {
                Phase::HalfOpen(probing) => count(probing.alive()),
                Phase::Closed | Phase::HeldClosed | Phase::Open { .. } | Phase::HeldOpen => 0,
            },
            failed_in_a_row: self.streak.at(now, self.settings.window),
            in_flight: self.in_flight(),
            max_in_flight: self.settings.max_in_flight,
            window,
            buckets,
            failed_percent: self.settings.failed_percent,
            slow_percent: self.settings.slow_percent,
            least_charges: self.settings.least_charges,
            settings: Some(self.settings.clone()),
        }
    }

    pub(super) const fn journal_mut(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn refusal(&self, now: Duration) -> Option<Refusal> {
        let retry_after = match &self.phase {
            Phase::Closed | Phase::HeldClosed => None,
            Phase::Open { until } => Some(until.saturating_sub(now)),
            Phase::HeldOpen => Some(self.settings.open_for),
            // By then a probe that is out has succeeded, or has failed for being slow.
            Phase::HalfOpen(probing) => {
                (probing.taken() >= self.settings.probes).then_some(self.settings.slow_after)
            }
        };
        match retry_after {
            Some(retry_after) => Some(Refusal::Open { retry_after }),
            None if self.in_flight() >= self.settings.max_in_flight => Some(Refusal::Full),
            None => None,
        }
    }

    /// The limit that the window is beyond, if it holds enough to judge by; else that of failures in a row.
    fn exceeded(&self, now: Duration) -> Option<Limit> {
        let seen = self.window.total();
        if !self.settings.judges_shares(seen) {
            let in_a_row = self.streak.at(now, self.settings.window);
            let limit = self.settings.consecutive_failures;
            return (limit > 0 && in_a_row >= limit).then_some(Limit::Consecutive(in_a_row));
        }
        let reaches =
            |part: u32, percent: u32| u64::from(part) * 100 >= u64::from(percent) * u64::from(seen.charges());
        if reaches(seen.failed, self.settings.failed_percent) {
            Some(Limit::Failed)
        } else if reaches(seen.slow.saturating_add(seen.failed), self.settings.slow_percent) {
            Some(Limit::Slow)
        } else {
            None
        }
    }

    fn happen(&mut self, happened: &Happened, now: Duration) {
        if let Some((to, why)) = self.next(happened, now) {
            self.enter(to, why, now);
        }
    }

    /// Every transition there is, with its reason. `None`: it stays as it is.
    fn next(&self, happened: &Happened, now: Duration) -> Option<(Phase, Why)> {
        use BreakerMode as Mode;
        use Happened::{Forced, ProbeFailed, ProbeSucceeded, Time, Tripped};
        let open = || Phase::Open { until: now.saturating_add(self.settings.open_for) };
        match (&self.phase, happened) {
            (Phase::Closed, Tripped(limit)) => Some((open(), self.why_tripped(*limit))),
            (Phase::Closed, Time | ProbeSucceeded | ProbeFailed(_) | Forced(Mode::Auto)) => None,

            (Phase::Open { until }, Time) if now >= *until => {
                Some((Phase::HalfOpen(Probing::default()), Why::TimeToProbe))
            }
            (
                Phase::Open { .. },
                Time | Tripped(_) | ProbeSucceeded | ProbeFailed(_) | Forced(Mode::Auto),
            ) => None,

            (Phase::HalfOpen(probing), ProbeSucceeded) if probing.succeeded >= self.settings.probes => {
                Some((Phase::Closed, Why::ProbesSucceeded { probes: self.settings.probes }))
            }
            (Phase::HalfOpen(_), ProbeFailed(failure)) => Some((open(), failure.why())),
            (Phase::HalfOpen(probing), Time) if probing.hangs(now, self.settings.probe_within) => {
                Some((open(), Why::ProbeHangs { after_ms: millis(self.settings.probe_within) }))
            }
            (Phase::HalfOpen(_), Time | ProbeSucceeded | Tripped(_) | Forced(Mode::Auto)) => None,

            (Phase::HeldClosed, Forced(Mode::Auto)) => Some((Phase::Closed, Why::LetGo)),
            (
                Phase::HeldClosed,
                Time | Tripped(_) | ProbeSucceeded | ProbeFailed(_) | Forced(Mode::Closed),
            ) => None,

            (Phase::HeldOpen, Forced(Mode::Auto)) => {
                Some((Phase::HalfOpen(Probing::default()), Why::LetGoToProbe))
            }
            (Phase::HeldOpen, Time | Tripped(_) | ProbeSucceeded | ProbeFailed(_) | Forced(Mode::Open)) => {
                None
            }

            (
                Phase::Closed | Phase::Open { .. } | Phase::HalfOpen(_) | Phase::HeldClosed,
                Forced(Mode::Open),
            ) => Some((Phase::HeldOpen, Why::HeldOpen)),
            (
                Phase::Closed | Phase::Open { .. } | Phase::HalfOpen(_) | Phase::HeldOpen,
                Forced(Mode::Closed),
            ) => Some((Phase::HeldClosed, Why::HeldClosed)),
        }
    }

    fn enter(&mut self, to: Phase, why: Why, now: Duration) {
        let from = self.state();
        if let Phase::HalfOpen(left) = std::mem::replace(&mut self.phase, to) {
            for Probe { after, given, .. } in left.given {
                self.journal.push(Entry::Left { after, given_us: micros(given), at_us: micros(now) });
            }
        }
        let to = self.state();
        let changed = Changed { at_us: micros(now), from, to, why: why.to_string() };
        self.journal.push(Entry::Changed(Box::new(changed)));
        if from != to {
            self.journal.enter();
            self.generation += 1;
            self.since = now;
            self.streak.clear();
            if to == BreakerState::Closed {
                self.window.clear();
            }
        }
        if self.changes.len() == MAX_PENDING_CHANGES {
            self.changes.pop_front();
        }
        let after = self.snapshot(now);
        self.changes.push_back(Change { from, to, at: now, why, after });
    }

    fn why_tripped(&self, limit: Limit) -> Why {
        let seen = self.window.total();
        let within_ms = millis(self.settings.window);
        let share =
            |part, percent| Share { part, charges: seen.charges(), calls: seen.calls, within_ms, percent };
        match limit {
            Limit::Consecutive(calls) => {
                Why::InARow { calls, within_ms, limit: self.settings.consecutive_failures }
            }
            Limit::Failed => Why::Failed(share(seen.failed, self.settings.failed_percent)),
            Limit::Slow => {
                Why::Slow(share(seen.slow.saturating_add(seen.failed), self.settings.slow_percent))
            }
        }
    }
}

impl Phase {
    const fn state(&self) -> BreakerState {
        match self {
            Self::Closed | Self::HeldClosed => BreakerState::Closed,
            Self::Open { .. } | Self::HeldOpen => BreakerState::Open,
            Self::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }
}

impl Probing {
    fn give(&mut self, now: Duration, after: u64) -> Rc<()> {
        let permit = Rc::default();
        self.given.push(Probe { given: now, after, permit: Rc::downgrade(&permit) });
        permit
    }

    /// Takes out the probes whose permits were dropped.
    fn given_back(&mut self) -> Vec<Probe> {
        self.given.extract_if(.., |probe| probe.permit.strong_count() == 0).collect()
    }

    /// Forgets a probe that was recorded.
    fn end(&mut self, permit: &Permit) {
        let is_its = |probe: &Probe| {
            permit.probe.as_ref().is_some_and(|own| std::ptr::eq(probe.permit.as_ptr(), Rc::as_ptr(own)))
        };
        self.given.retain(|probe| !is_its(probe));
    }

    /// Places that are taken: by probes in flight and by those that succeeded.
    fn taken(&self) -> u32 {
        count(self.alive()).saturating_add(self.succeeded)
    }

    fn alive(&self) -> impl Iterator<Item = Duration> {
        self.given.iter().filter(|probe| probe.permit.strong_count() > 0).map(|probe| probe.given)
    }

    fn oldest(&self) -> Option<Duration> {
        self.alive().min()
    }

    fn hangs(&self, now: Duration, within: Duration) -> bool {
        self.oldest().is_some_and(|given| now >= given.saturating_add(within))
    }
}

/// How a call ended, as far as all of its charges have that in common.
struct Ended {
    took_us: u64,
    why: Option<NoAnswer>,
    ended_us: u64,
}

impl Ended {
    /// One charge of it.
    fn of(&self, permit: &Permit, result: CallResult) -> CallEnded {
        let mut one = Counts::default();
        one.count(result, false);
        CallEnded { probe: permit.is_probe(), ..self.with((permit.after, permit.given), &one) }
    }

    /// Charges of it, the first of which was given so.
    fn with(&self, (after, given): (u64, Duration), charges: &Counts) -> CallEnded {
        let Self { took_us, why, ended_us } = *self;
        let (ok, failed) = (charges.ok, charges.failed);
        let why = why.filter(|_| failed > 0);
        CallEnded { after, given_us: micros(given), ended_us, took_us, ok, failed, probe: false, why }
    }
}

impl Counts {
    /// Counts one charge of this call.
    fn count(&mut self, result: CallResult, slow: bool) {
        self.calls = 1;
        match result {
            CallResult::Ok => {
                self.ok += 1;
                self.slow += u32::from(slow);
            }
            CallResult::Failed => self.failed += 1,
        }
    }
}

impl ProbeFailure {
    fn why(self) -> Why {
        match self {
            Self::Failed => Why::ProbeFailed,
            Self::Slow(took) => Why::ProbeSlow { took_ms: millis(took) },
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn count<T>(of: impl Iterator<Item = T>) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}
