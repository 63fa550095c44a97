//! Menus, and questions that are asked before something is done.

use skstore_domain::breaker::BreakerMode;
use skstore_domain::faults::Fault;
use skstore_domain::objects::Order;
use skstore_domain::signals::Service;

use crate::dashboard::message::Request;
use crate::dashboard::screens::dead_letters::state::{Deal, DealReport};
use crate::text::faults::fault_words;
use crate::text::words::Worded;
use crate::text::{Language, Text};

/// How much a slow Deposit is slowed down: beyond the payment call's timeout of 300 ms, so that every charge
/// fails and the breaker trips.
pub const SLOW_MS: u64 = 400;

/// Replies that are lost where some are: few enough that the breaker stays closed.
const SOME_PERCENT: u8 = 20;

/// Something that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// What the breaker shall do.
    Breaker(BreakerMode),
    /// How a service shall misbehave.
    Fault(Service, Fault),
    /// Whose workers shall die in the midst of what they do.
    Crash(Service),
    /// That all faults be over.
    Heal,
}

impl Choice {
    /// What it does, in words.
    #[must_use]
    pub fn words(self, language: Language) -> String {
        match self {
            Self::Breaker(BreakerMode::Auto) => language.get(Text::ChoiceAuto).to_owned(),
            Self::Breaker(BreakerMode::Open) => language.get(Text::ChoiceOpen).to_owned(),
            Self::Breaker(BreakerMode::Closed) => language.get(Text::ChoiceClosed).to_owned(),
            Self::Fault(service, fault) => {
                let service = language.get(service.text());
                language.fill(Text::ChoiceFault, &[&service, &fault_words(language, fault)])
            }
            Self::Crash(service) => language.fill(Text::ChoiceCrash, &[&language.get(service.text())]),
            Self::Heal => language.get(Text::ChoiceHeal).to_owned(),
        }
    }
}

impl Choice {
    /// What is asked of the services.
    #[must_use]
    pub const fn request(self) -> Request {
        match self {
            Self::Breaker(mode) => Request::ForceBreaker(mode),
            Self::Fault(service, fault) => Request::Inject(service, fault),
            Self::Crash(service) => Request::Crash(service),
            Self::Heal => Request::Heal,
        }
    }
}

/// Which menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuKind {
    /// What the breaker shall do.
    Breaker,
    /// How a service shall misbehave.
    Faults,
}

impl MenuKind {
    /// What can be chosen.
    #[must_use]
    pub const fn choices(self) -> &'static [Choice] {
        match self {
            Self::Breaker => &[
                Choice::Breaker(BreakerMode::Auto),
                Choice::Breaker(BreakerMode::Open),
                Choice::Breaker(BreakerMode::Closed),
            ],
            Self::Faults => &[
                Choice::Heal,
                Choice::Fault(Service::Deposit, Fault::Slow { ms: SLOW_MS }),
                Choice::Fault(Service::Deposit, Fault::LostReplies { percent: SOME_PERCENT }),
                Choice::Fault(Service::Deposit, Fault::SILENT),
                Choice::Fault(Service::Deposit, Fault::Stopped),
                Choice::Fault(Service::Item, Fault::Stopped),
                Choice::Crash(Service::Order),
                Choice::Crash(Service::Deposit),
                Choice::Crash(Service::Item),
            ],
        }
    }
}

/// A list of choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Menu {
    /// What it is a menu of.
    pub kind: MenuKind,
    /// The highlighted choice.
    pub at: usize,
}

impl Menu {
    /// The highlighted choice.
    #[must_use]
    pub fn choice(&self) -> Option<Choice> {
        self.kind.choices().get(self.at).copied()
    }

    /// Moves the highlight, and stops at the ends.
    pub fn move_by(&mut self, by: isize) {
        let last = self.kind.choices().len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}

/// What is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Take this order back?
    Cancel(Box<Order>),
    /// Do this?
    Choice(Choice),
    /// Do this with parked messages, now that it is known what would happen?
    Deal(Box<(Deal, DealReport)>),
}

impl Question {
    /// What is asked of the services on yes, if that is what is done.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        match self {
            Self::Cancel(order) => Some(Request::Cancel(order.order_id.clone())),
            Self::Choice(choice) => Some(choice.request()),
            Self::Deal(_) => None,
        }
    }
}

/// A question; no is the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// What is asked.
    pub question: Question,
    /// Whether yes is highlighted.
    pub yes: bool,
}
