//! A recording gone through again under other settings: the same machine, the same calls.
//!
//! - A call that was made is made again where the other settings give permits for its charges, and comes to the same. Where they
//!   do not, it is not made.
//! - Of a charge that was refused when it was recorded nobody knows what it would have come to. Where the other settings let it
//!   through, it comes to what the call did that began nearest to it, within [`NEAR`]: a guess, and counted as one. Without such
//!   a call it is let through and comes to nothing, which is counted too.
//! - At a gap both sides begin anew from where the recorded breaker stood after it.
//!
//! With the settings that it was recorded with, a recording without gaps comes to exactly the recorded changes of state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use super::journal::{CallEnded, Entry, Refused};
use super::machine::{ImagedProbes, WrongImage};
use super::recording::{Header, Line, Stood, shift};
use super::{Breaker, BreakerSettings, BreakerState, CallResult, Permit};
use crate::charges::MAX_CHARGES_PER_CALL;

mod tally;

pub use tally::{MAX_SHIFTS, Outcome, Shift, Side, Tally};

/// How far from a refused charge a call may have begun for its end to stand for that of the charge: the default window, in which
/// Deposit counts as the same.
pub const NEAR: Duration = Duration::from_secs(10);
/// How much of a recording is read ahead: a call stands where it ended, and began at most a minute before, which is the longest
/// that the settings let it take.
const AHEAD: Duration = Duration::from_secs(120);
/// Most entries that are read ahead: ten times what a worker at its limit tells in that time.
const MAX_AHEAD: usize = 1_000_000;

/// Most probes that are remembered as left in flight: as many as the settings allow, ten times. Those that never end are
/// forgotten together.
const MAX_LEFT: usize = 10_000;

/// Why a recording cannot be replayed any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongRecording {
    /// It does not begin with what it is of.
    NoHeader,
    /// What it is of stands in it again.
    SecondHeader,
    /// An entry has no state before it.
    NoState,
    /// A line tells of an earlier time than the one before it.
    GoesBack,
    /// A call began after entries that are not there yet.
    Ahead,
    /// A state is none of a breaker with the recorded settings.
    Image(WrongImage),
    /// It changes its state more often than can be drawn.
    Shifts,
    /// So much happens at once that it cannot be kept.
    TooDense,
}

impl fmt::Display for WrongRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("a recording begins with a line {\"recording\":…}"),
            Self::SecondHeader => f.write_str("a second recording begins; put each into a file of its own"),
            Self::NoState => f.write_str("a line {\"state\":…} is missing before it"),
            Self::GoesBack => f.write_str("it tells of an earlier time than the line before it"),
            Self::Ahead => f.write_str("its call has a permit from after its end"),
            Self::Image(wrong) => wrong.fmt(f),
            Self::Shifts => write!(f, "the state changes more than {MAX_SHIFTS} times; replay a part of it"),
            Self::TooDense => {
                write!(f, "more than {MAX_AHEAD} entries within {} s cannot be kept", AHEAD.as_secs())
            }
        }
    }
}

/// Goes through a recording, line by line.
#[derive(Debug)]
pub struct Replay {
    recorded: BreakerSettings,
    settings: BreakerSettings,
    run: Option<Run>,
    tally: tally::Both,
}

impl Replay {
    /// Of the recording that begins with `header`, under `settings`.
    #[must_use]
    pub fn new(header: &Header, settings: BreakerSettings) -> Self {
        let tally = tally::Both::new(header, &settings);
        Self { recorded: header.settings.clone(), settings, run: None, tally }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`WrongRecording`] says why not.
    pub fn take(&mut self, line: Line) -> Result<(), WrongRecording> {
        match line {
            Line::Header(_) => Err(WrongRecording::SecondHeader),
            Line::Gap(gap) => {
                self.leave();
                self.tally.gap(gap.entries);
                self.check()
            }
            Line::State(stood) => {
                self.leave();
                self.begin(&stood)
            }
            Line::End(end) => {
                let run = self.run.as_mut().ok_or(WrongRecording::NoState)?;
                run.reach(end.at_us)
            }
            Line::Entry(entry) => {
                let run = self.run.as_mut().ok_or(WrongRecording::NoState)?;
                run.read(entry)?;
                run.go_on(Some(AHEAD), &mut self.tally);
                self.check()
            }
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.leave();
        self.tally.finish()
    }

    fn check(&self) -> Result<(), WrongRecording> {
        if self.tally.is_full() { Err(WrongRecording::Shifts) } else { Ok(()) }
    }

    fn begin(&mut self, stood: &Stood) -> Result<(), WrongRecording> {
        let mut settings = self.settings.clone();
        // What got a permit when it was recorded gets one of a bulkhead that is no smaller, whatever else was in flight: not all
        // that was is in a recording.
        if settings.max_in_flight >= self.recorded.max_in_flight {
            settings.max_in_flight = u32::MAX;
        }
        let (breaker, probes) =
            Breaker::restore(&stood.image, &self.recorded, settings).map_err(WrongRecording::Image)?;
        self.tally.begin(stood, breaker.state());
        let max_in_flight = self.settings.max_in_flight;
        let is_larger = max_in_flight > self.recorded.max_in_flight;
        self.run = Some(Run::new(breaker, probes, stood, max_in_flight, is_larger));
        Ok(())
    }

    /// Ends what goes on, as far as it was read.
    fn leave(&mut self) {
        if let Some(mut run) = self.run.take() {
            run.go_on(None, &mut self.tally);
            run.end(&mut self.tally);
        }
    }
}

/// One breaker from one state to the next gap.
#[derive(Debug)]
struct Run {
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
    fn new(
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
    fn reach(&mut self, at_us: u64) -> Result<(), WrongRecording> {
        if at_us < self.read_until {
            return Err(WrongRecording::GoesBack);
        }
        self.read_until = at_us;
        Ok(())
    }

    fn read(&mut self, entry: Entry) -> Result<(), WrongRecording> {
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
    fn go_on(&mut self, ahead: Option<Duration>, tally: &mut tally::Both) {
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
    fn end(&mut self, tally: &mut tally::Both) {
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
