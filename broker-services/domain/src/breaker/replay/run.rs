//! One breaker of a recording, from one state to the next gap.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::tally;
use super::wrong::{MAX_AHEAD, WrongRecording};
use crate::breaker::journal::{CallEnded, Entry, Refused};
use crate::breaker::machine::ImagedProbes;
use crate::breaker::recording::{Stood, shift};
use crate::breaker::{Breaker, BreakerState, CallResult, Permit};
use crate::charges::MAX_CHARGES_PER_CALL;

/// How far from a refused charge a call may have begun for its end to stand for that of the charge: the default window, in which
/// Deposit counts as the same.
pub const NEAR: Duration = Duration::from_secs(10);
/// Most probes that are remembered as left in flight: as many as the settings allow, ten times. Those that never end are
/// forgotten together.
const MAX_LEFT: usize = 10_000;

/// One breaker from one state to the next gap.
#[derive(Debug)]
pub(super) struct Run {
    breaker: Breaker,
    max_in_flight: u32,
    /// Whether more may be in flight than when it was recorded.
    is_larger: bool,
    stood_at: u64,
    stood_next: u64,
    stood_entered: u64,
    /// Probes in flight at the beginning, and since then those that were left in flight.
    probes: BTreeMap<(u64, u64), Vec<Permit>>,
    /// Probes that were left and have not ended, as far as was read.
    left: BTreeMap<(u64, u64), u32>,
    /// The numbers of the calls that they were.
    were_left: BTreeSet<u64>,
    /// What was read and not gone through yet.
    ahead: VecDeque<Entry>,
    /// The number of the first of these.
    next: u64,
    /// What began before an entry, by the number of that, the time, and the number of the entry that tells of it.
    begins: BTreeMap<(u64, u64, u64), Begin>,
    /// The permits of calls in flight, by the number of the entry that ends them.
    held: BTreeMap<u64, Vec<Permit>>,
    /// Calls that were guessed, by when they end.
    guessed: BTreeMap<(u64, u64), Guess>,
    guesses: u64,
    /// The call that began last.
    latest: Option<Sample>,
    read_until: u64,
    now_us: u64,
}

/// What gets permits.
#[derive(Debug, Clone, Copy)]
struct Begin {
    charges: u32,
    /// Whether they were sent.
    is_sent: bool,
    /// What the call came to, where it stands there.
    came_to: Option<Sample>,
}

/// What a call came to, to be guessed from.
#[derive(Debug, Clone, Copy)]
struct Sample {
    given_us: u64,
    took_us: u64,
    failed: bool,
}

#[derive(Debug)]
struct Guess {
    permits: Vec<Permit>,
    sample: Sample,
}

impl Run {
    pub(super) fn new(
        breaker: Breaker,
        probes: ImagedProbes,
        stood: &Stood,
        max_in_flight: u32,
        is_larger: bool,
    ) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        probes.into_iter().for_each(|(name, permit)| by_name.entry(name).or_default().push(permit));
        Self {
            breaker,
            max_in_flight,
            is_larger,
            stood_at: stood.image.at_us,
            stood_next: stood.image.next,
            stood_entered: stood.image.entered,
            probes: by_name,
            left: BTreeMap::new(),
            were_left: BTreeSet::new(),
            ahead: VecDeque::new(),
            next: stood.image.next,
            begins: BTreeMap::new(),
            held: BTreeMap::new(),
            guessed: BTreeMap::new(),
            guesses: 0,
            latest: None,
            read_until: stood.image.at_us,
            now_us: stood.image.at_us,
        }
    }

    /// Time passes without an entry.
    pub(super) fn reach(&mut self, at_us: u64) -> Result<(), WrongRecording> {
        if at_us < self.read_until {
            return Err(WrongRecording::GoesBack);
        }
        self.read_until = at_us;
        Ok(())
    }

    pub(super) fn read(&mut self, entry: Entry) -> Result<(), WrongRecording> {
        self.reach(entry.at_us())?;
        if self.ahead.len() >= MAX_AHEAD {
            return Err(WrongRecording::TooDense);
        }
        let number = self.next.saturating_add(self.ahead.len() as u64);
        let (after, given_us, begin) = match &entry {
            Entry::Call(call) if call.probe && self.was_left(call) => {
                self.were_left.insert(number);
                self.ahead.push_back(entry);
                return Ok(());
            }
            Entry::Call(call) => {
                let charges = call.ok.saturating_add(call.failed);
                (call.after, call.given_us, Begin { charges, is_sent: true, came_to: Some(Sample::of(call)) })
            }
            Entry::GivenBack { after, given_us, .. } => {
                (*after, *given_us, Begin { charges: 1, is_sent: false, came_to: None })
            }
            Entry::Left { after, given_us, .. } => {
                if self.left.len() >= MAX_LEFT {
                    self.left.clear();
                    self.probes.clear();
                }
                *self.left.entry((*after, *given_us)).or_default() += 1;
                (*after, *given_us, Begin { charges: 1, is_sent: true, came_to: None })
            }
            Entry::Refused(_) | Entry::Forced { .. } | Entry::Changed(_) => {
                self.ahead.push_back(entry);
                return Ok(());
            }
        };
        if after > number {
            return Err(WrongRecording::Ahead);
        }
        self.begins.insert((after, given_us, number), begin);
        self.ahead.push_back(entry);
        Ok(())
    }

    /// Whether a call is a probe that was left in flight: it has begun already.
    fn was_left(&mut self, call: &CallEnded) -> bool {
        let name = (call.after, call.given_us);
        let Some(left) = self.left.get_mut(&name) else { return false };
        *left -= 1;
        if *left == 0 {
            self.left.remove(&name);
        }
        true
    }

    /// Goes through what was read, but for the last `ahead` of it.
    pub(super) fn go_on(&mut self, ahead: Option<Duration>, tally: &mut tally::Both) {
        let ahead_us = ahead.map(|ahead| u64::try_from(ahead.as_micros()).unwrap_or(u64::MAX));
        while let Some(entry) = self.ahead.front() {
            let is_near = ahead_us.is_some_and(|ahead| self.read_until - entry.at_us() <= ahead);
            if is_near {
                return;
            }
            let Some(entry) = self.ahead.pop_front() else { return };
            while let Some(begin) = self.begins.first_entry().filter(|begin| begin.key().0 <= self.next) {
                let ((after, given_us, number), begin) = begin.remove_entry();
                self.permit(after, given_us, number, begin, tally);
            }
            self.pass(&entry, tally);
            self.next = self.next.saturating_add(1);
        }
    }

    /// A call begins, or what was given back.
    fn permit(&mut self, after: u64, given_us: u64, number: u64, begin: Begin, tally: &mut tally::Both) {
        self.latest = begin.came_to.or(self.latest);
        if after <= self.stood_next
            && let Some(permit) = self.probe((after, given_us))
        {
            self.held.insert(number, vec![permit]);
            return;
        }
        let is_older = after < self.stood_entered || self.breaker.state() != BreakerState::Closed;
        if after < self.stood_next && is_older {
            // From an older state: it weighs nothing.
            return;
        }
        let at_us = given_us.max(self.stood_at);
        self.end_guessed(at_us, tally);
        let (permits, refused) = self.ask(begin.charges, at_us, tally);
        if begin.is_sent {
            tally.replayed().refused(refused);
        }
        self.held.insert(number, permits);
    }

    /// The permit of a probe that was in flight.
    fn probe(&mut self, name: (u64, u64)) -> Option<Permit> {
        let permits = self.probes.get_mut(&name)?;
        let permit = permits.pop();
        if permits.is_empty() {
            self.probes.remove(&name);
        }
        permit
    }

    /// As many permits as there are, and how many are missing.
    fn ask(&mut self, charges: u32, at_us: u64, tally: &mut tally::Both) -> (Vec<Permit>, u32) {
        let at = self.at(at_us);
        let mut permits = Vec::new();
        for asked in 0..charges {
            match self.breaker.permit(at) {
                Ok(permit) => permits.push(permit),
                Err(_) => return (permits, charges - asked),
            }
            self.note(tally);
        }
        (permits, 0)
    }

    /// Goes through one entry.
    fn pass(&mut self, entry: &Entry, tally: &mut tally::Both) {
        let at_us = match entry {
            // All of them are asked for when the first was.
            Entry::Refused(refused) => refused.at_us,
            Entry::Call(_)
            | Entry::GivenBack { .. }
            | Entry::Left { .. }
            | Entry::Forced { .. }
            | Entry::Changed(_) => entry.at_us(),
        };
        if let Entry::GivenBack { .. } = entry {
            // It was given back before anybody looked.
            self.held.remove(&self.next);
        }
        self.end_guessed(at_us, tally);
        let at = self.at(at_us);
        match entry {
            Entry::Call(call) => self.end_call(call, at, tally),
            Entry::Refused(refused) => self.ask_again(refused, tally),
            Entry::Forced { mode, .. } => self.breaker.force(*mode, at),
            Entry::GivenBack { .. } | Entry::Changed(_) => self.breaker.poll(at),
            Entry::Left { after, given_us, .. } => {
                if let Some(permits) = self.held.remove(&self.next).filter(|permits| !permits.is_empty()) {
                    self.probes.entry((*after, *given_us)).or_default().extend(permits);
                }
                self.breaker.poll(at);
            }
        }
        if let Some(changed) = shift(entry) {
            tally.recorded().shift(at_us, changed.to);
        }
        self.note(tally);
    }

    fn end_call(&mut self, call: &CallEnded, at: Duration, tally: &mut tally::Both) {
        let charges = call.ok.saturating_add(call.failed);
        tally.recorded().made(1, charges, call.failed);
        let was_before = call.after < self.stood_next;
        if self.were_left.remove(&self.next) {
            let permit = self.probe((call.after, call.given_us));
            self.held.insert(self.next, permit.into_iter().collect());
        }
        let Some(permits) = self.held.remove(&self.next) else {
            if was_before {
                tally.replayed().made(1, charges, call.failed);
            }
            return;
        };
        if permits.is_empty() {
            return;
        }
        let granted = u32::try_from(permits.len()).unwrap_or(u32::MAX);
        let share = u64::from(call.failed) * u64::from(granted) + u64::from(charges) / 2;
        let failed = u32::try_from(share / u64::from(charges.max(1))).unwrap_or(u32::MAX);
        let took = Duration::from_micros(call.took_us);
        // Those that failed come first: of several probes of which one fails, that is the one that counts.
        let ends =
            std::iter::repeat_n(CallResult::Failed, failed as usize).chain(std::iter::repeat(CallResult::Ok));
        let results = permits.into_iter().zip(ends);
        let calls = self.record(results.collect(), took, at, tally);
        tally.replayed().made(calls, granted, failed);
    }

    /// Records a call; each probe alone. How many calls that makes.
    fn record(
        &mut self,
        results: Vec<(Permit, CallResult)>,
        took: Duration,
        at: Duration,
        tally: &mut tally::Both,
    ) -> u32 {
        if !results.iter().any(|(permit, _)| permit.is_probe()) {
            self.breaker.record_call(results, took, at);
            self.note(tally);
            return 1;
        }
        let calls = u32::try_from(results.len()).unwrap_or(u32::MAX);
        for result in results {
            self.breaker.record_call([result], took, at);
            self.note(tally);
        }
        calls
    }

    /// Charges that were refused ask again, now of the other settings.
    fn ask_again(&mut self, refused: &Refused, tally: &mut tally::Both) {
        tally.recorded().refused(refused.charges);
        if refused.full && !self.is_larger {
            tally.replayed().refused(refused.charges);
            return;
        }
        let room = self.max_in_flight.saturating_sub(self.breaker.in_flight());
        let (permits, _) = self.ask(refused.charges.min(room), refused.at_us, tally);
        let granted = u32::try_from(permits.len()).unwrap_or(u32::MAX);
        tally.replayed().refused(refused.charges - granted);
        if permits.is_empty() {
            return;
        }
        match self.nearest(refused.at_us) {
            Some(sample) => {
                tally.guessed(granted);
                self.guess(permits, refused.at_us, sample);
            }
            None => tally.unknown(granted),
        }
    }

    fn guess(&mut self, permits: Vec<Permit>, at_us: u64, sample: Sample) {
        let mut permits = permits.into_iter().peekable();
        while permits.peek().is_some() {
            let permits = permits.by_ref().take(MAX_CHARGES_PER_CALL).collect();
            self.guesses += 1;
            let ends = at_us.saturating_add(sample.took_us);
            self.guessed.insert((ends, self.guesses), Guess { permits, sample });
        }
    }

    /// The call that began nearest to a time, if it is near.
    fn nearest(&self, at_us: u64) -> Option<Sample> {
        let coming = self.begins.values().find_map(|begin| begin.came_to);
        let away = |sample: &Sample| sample.given_us.abs_diff(at_us);
        let near = [self.latest, coming].into_iter().flatten().min_by_key(away)?;
        (u128::from(away(&near)) <= NEAR.as_micros()).then_some(near)
    }

    /// Ends the calls that were guessed and are over by a time.
    fn end_guessed(&mut self, until_us: u64, tally: &mut tally::Both) {
        while let Some(guess) = self.guessed.first_entry().filter(|guess| guess.key().0 <= until_us) {
            let ((ends_us, _), Guess { permits, sample }) = guess.remove_entry();
            let charges = u32::try_from(permits.len()).unwrap_or(u32::MAX);
            let result = if sample.failed { CallResult::Failed } else { CallResult::Ok };
            let results = permits.into_iter().map(|permit| (permit, result)).collect();
            let at = self.at(ends_us);
            let calls = self.record(results, Duration::from_micros(sample.took_us), at, tally);
            tally.replayed().made(calls, charges, if sample.failed { charges } else { 0 });
        }
    }

    /// Lets what is left of the time pass.
    pub(super) fn end(&mut self, tally: &mut tally::Both) {
        self.end_guessed(self.read_until, tally);
        let at = self.at(self.read_until);
        self.breaker.poll(at);
        self.note(tally);
        tally.end(self.read_until);
    }

    /// A time as the breaker is handed it. It never goes back.
    fn at(&mut self, at_us: u64) -> Duration {
        self.now_us = self.now_us.max(at_us);
        Duration::from_micros(self.now_us)
    }

    fn note(&mut self, tally: &mut tally::Both) {
        while let Some(change) = self.breaker.poll_change() {
            if change.from != change.to {
                let at_us = u64::try_from(change.at.as_micros()).unwrap_or(u64::MAX);
                tally.replayed().shift(at_us, change.to);
            }
        }
    }
}

impl Sample {
    fn of(call: &CallEnded) -> Self {
        let CallEnded { given_us, took_us, ok, failed, .. } = *call;
        Self { given_us, took_us, failed: failed > 0 && failed >= ok }
    }
}
