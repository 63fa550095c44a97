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

use super::recording::{Header, Line, Stood};
use super::{Breaker, BreakerSettings};

mod run;
mod tally;
mod wrong;

pub use run::NEAR;
pub use tally::{MAX_SHIFTS, Outcome, Shift, Side, Tally};
pub use wrong::WrongRecording;

use run::Run;
use wrong::AHEAD;

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
