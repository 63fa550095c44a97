//! Everything the dashboard knows. It is changed by [`update`](super::update::update) alone, and knows nothing
//! of drawing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skstore_domain::attendance::workers_heard;
use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::objects::{Item, Order};
use skstore_domain::order::Awaited;
use skstore_domain::signals::{Beat, BreakerChanged, Service};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::config::TimeShown;
use skstore_workers::desk::view::{Counts, Health};

use super::keys::{Keymap, Scope};
use super::layers::Layer;
use super::layers::dialogs::state::{Confirm, Question};
use super::layers::filter::state::FilterLine;
use super::layers::form::state::{Form, Pickable};
use super::layers::load::state::Load;
use super::message::{Effect, Request};
use super::screens::accounts::state::Accounts;
use super::screens::dead_letters::state::Dead;
use super::screens::events::state::Events;
use super::screens::health::attendance::{Attendance, Workers};
use super::screens::health::history::History;
use super::screens::health::recording::state::Recording;
use super::screens::health::state::HealthTab;
use super::screens::orders::detail::state::Detail;
use super::screens::orders::state::Orders;
use super::shown::Shown;
use super::size::Size;
use super::tab::Tab;
use super::table::listing::Listing;
use super::toasts::state::Toasts;
use crate::text::Language;
use crate::text::names::Names;
use crate::text::times::{UTC, Zone};
use crate::theme::{Glyphs, ThemeName};

pub use skstore_domain::signals::SILENT_AFTER;

/// Those of `services` whose breakers count: the ones that were heard of lately, or all where none was.
pub fn with_breakers(services: &[Beat], now: Timestamp) -> impl Iterator<Item = &Beat> {
    let is_heard = move |beat: &&Beat| now.since(beat.at) <= SILENT_AFTER;
    let has_breaker = |beat: &&Beat| beat.breaker.is_some();
    let some_are_heard = services.iter().filter(has_breaker).any(|beat| is_heard(&beat));
    services.iter().filter(has_breaker).filter(move |beat| !some_are_heard || is_heard(beat))
}

/// How things are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// In which language.
    pub language: Language,
    /// In which colours.
    pub theme: ThemeName,
    /// With which characters.
    pub glyphs: Glyphs,
    /// The local time.
    pub zone: Zone,
    /// Whether times are shown in that, or in UTC.
    pub time: TimeShown,
    /// Where the data is, in the words of the configuration: `embedded: ~/.local/share/skstore`.
    pub data_at: String,
}

impl Look {
    /// Whose clocks times are shown by.
    #[must_use]
    pub const fn shown_zone(&self) -> &Zone {
        match self.time {
            TimeShown::Local => &self.zone,
            TimeShown::Utc => &UTC,
        }
    }
}

/// Whether what is shown is what is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// The view has not answered yet.
    Starting,
    /// What is shown is what the view says.
    Live,
    /// The view cannot be read; what is shown is from before.
    Lost {
        /// The cause, in a sentence.
        cause: String,
        /// Since when.
        since: Timestamp,
        /// When it is tried again.
        retry_at: Timestamp,
    },
}

/// That the message bus cannot be reached: nothing can be asked, and nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusLost {
    /// The cause, in a sentence.
    pub cause: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

/// The breaker of one order worker, as it was last heard of.
#[derive(Debug, Clone, Copy)]
pub struct BreakerSeen<'a> {
    /// The process, as its heartbeats name it.
    pub instance: &'a str,
    /// When it was so.
    pub at: Timestamp,
    /// How it was.
    pub breaker: &'a BreakerSnapshot,
}

impl BreakerSeen<'_> {
    /// When it lets a probe through, if it is open by itself.
    #[must_use]
    pub fn probes_at(&self) -> Option<Timestamp> {
        self.breaker.retry_after_ms.map(|ms| self.at.after(Duration::from_millis(ms)))
    }
}

/// Everything the dashboard knows.
#[derive(Debug, Clone)]
pub struct State {
    /// How things are shown.
    pub look: Look,
    /// What keys do.
    pub keys: Arc<Keymap>,
    /// When the last message came.
    pub now: Timestamp,
    /// The screen.
    pub size: Size,
    /// Whether what is shown is what is.
    pub connection: Connection,
    /// That the message bus cannot be reached, if so.
    pub bus_lost: Option<BusLost>,
    /// How many there are.
    pub counts: Counts,
    /// What the workers say of themselves.
    pub health: Health,
    /// When something was last heard of them, also once their heartbeats are forgotten.
    pub heard_at: Option<Timestamp>,
    /// Which screen is shown.
    pub tab: Tab,
    /// The table of orders.
    pub orders: Orders,
    /// The order that is shown whole, beside the table of orders or in its place.
    pub detail: Option<Detail>,
    /// The table of accounts.
    pub accounts: Accounts,
    /// The table of items.
    pub items: Listing<Item>,
    /// The events.
    pub events: Events,
    /// The parked messages.
    pub dead: Dead,
    /// How the tab of health is looked at.
    pub health_tab: HealthTab,
    /// What its charts show.
    pub history: History,
    /// The recording of a breaker that is made from here.
    pub recording: Recording,
    /// How full the queues are, if they could be asked.
    pub queues: Option<Vec<QueueDepth>>,
    /// Since when some of them are not read by those who should.
    pub attendance: Attendance,
    /// Whether they are being asked.
    pub is_asking_queues: bool,
    /// The load that is put on the desk from here.
    pub load: Load,
    /// The last lines of the log, while they are shown.
    pub log: Vec<String>,
    /// Whether services and breaker, or what belongs to the selected row, are shown.
    pub panel: bool,
    /// What lies over it, bottom to top.
    pub layers: Vec<Layer>,
    /// Short messages.
    pub toasts: Toasts,
    /// What can be picked in forms.
    pub pickable: Pickable,
    /// What the last frame shows.
    shown: Shown,
}

impl State {
    /// Before anything has happened.
    #[must_use]
    pub fn new(look: Look, size: Size, now: Timestamp) -> Self {
        Self {
            look,
            keys: Arc::default(),
            now,
            size,
            connection: Connection::Starting,
            bus_lost: None,
            counts: Counts::default(),
            health: Health::default(),
            heard_at: None,
            tab: Tab::Orders,
            orders: Orders::default(),
            detail: None,
            accounts: Accounts::default(),
            items: Listing::default(),
            events: Events::default(),
            dead: Dead::default(),
            health_tab: HealthTab::default(),
            history: History::default(),
            recording: Recording::default(),
            queues: None,
            attendance: Attendance::default(),
            is_asking_queues: false,
            load: Load::default(),
            log: Vec::new(),
            panel: true,
            layers: Vec::new(),
            toasts: Toasts::default(),
            pickable: Pickable::default(),
            shown: Shown::default(),
        }
    }

    /// A frame was drawn that shows this: what is scrolled is as far as it was drawn.
    pub fn drawn(&mut self, shown: Shown) {
        match (&mut self.detail, self.tab, shown.screen) {
            (Some(detail), Tab::Orders, Some(scroll)) => detail.scroll = scroll,
            (_, Tab::Health, Some(scroll)) => self.health_tab.scroll = scroll,
            (_, _, _) => {}
        }
        if let (Some(Layer::Log(seen) | Layer::Help(seen)), Some(scroll)) =
            (self.layers.last_mut(), shown.layer)
        {
            *seen = scroll;
        }
        self.shown = shown;
    }

    /// What the last frame shows.
    #[must_use]
    pub const fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The form that is filled in, wherever among the layers it lies.
    #[must_use]
    pub fn form(&self) -> Option<&Form> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Form(form) => Some(&**form),
            Layer::Filter(_)
            | Layer::Palette(_)
            | Layer::Menu(_)
            | Layer::Confirm(_)
            | Layer::Load
            | Layer::Log(_)
            | Layer::Help(_) => None,
        })
    }

    /// Lets a filter be typed, beginning with the one that there is.
    pub fn open_filter(&mut self, typed: String) {
        self.layers.push(Layer::Filter(Box::new(FilterLine::beginning_with(typed))));
    }

    /// Asks before something is done; no is the default.
    pub fn ask(&mut self, question: Question) {
        self.layers.push(Layer::Confirm(Box::new(Confirm { question, yes: false })));
    }

    /// Sends a request to the services, and says so.
    pub fn send(&mut self, request: Request) -> Vec<Effect> {
        self.toasts.sent(request.clone());
        vec![Effect::Ask(request)]
    }

    /// Where keys go.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope_of(self.layers.last())
    }

    /// Whether the screen is too small to show what keys, the mouse and pasted text would act on.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.scope() == Scope::TooSmall
    }

    /// Where keys go once the topmost layer is closed.
    #[must_use]
    pub fn scope_below(&self) -> Scope {
        self.scope_of(self.layers.iter().rev().nth(1))
    }

    fn scope_of(&self, layer: Option<&Layer>) -> Scope {
        let is_help = matches!(layer, Some(Layer::Help(_)));
        if self.size.is_too_small() && !is_help {
            return Scope::TooSmall;
        }
        match layer {
            Some(Layer::Filter(_)) => Scope::Filter,
            Some(Layer::Palette(_)) => Scope::Palette,
            Some(Layer::Form(form)) => form.scope(),
            Some(Layer::Menu(_)) => Scope::Menu,
            Some(Layer::Confirm(_)) => Scope::Confirm,
            Some(Layer::Load) => Scope::Load,
            Some(Layer::Help(_) | Layer::Log(_)) => Scope::Help,
            None => self.base_scope(),
        }
    }

    /// Where keys go once nothing lies over the tab any more.
    #[must_use]
    pub fn base_scope(&self) -> Scope {
        if self.open_detail().is_some() && !self.size.is_wide() {
            return Scope::Detail;
        }
        Scope::of(self.tab)
    }

    /// The order that is shown whole, if its tab is the one that is shown.
    #[must_use]
    pub fn open_detail(&self) -> Option<&Detail> {
        self.detail.as_ref().filter(|_| self.tab == Tab::Orders)
    }

    /// Whether what takes the place of the table is a text: the detail on a narrow screen, or the health of it all.
    #[must_use]
    pub fn shows_text(&self) -> bool {
        self.tab == Tab::Health || self.base_scope() == Scope::Detail
    }

    /// What items are called.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names::new(self.look.language, &self.pickable.items)
    }

    /// The order that actions are about: the one that is shown whole, else the selected one.
    #[must_use]
    pub fn current_order(&self) -> Option<&Order> {
        match (self.tab, &self.detail) {
            (Tab::Orders, Some(detail)) => self.detail_row(detail),
            (Tab::Orders, None) => self.orders.selected_row().map(|row| &row.order),
            (Tab::Accounts | Tab::Items | Tab::Health | Tab::Events | Tab::Dead, _) => None,
        }
    }

    /// The order of a detail: from the detail itself, and until that was read from the table.
    #[must_use]
    pub fn detail_row<'a>(&'a self, detail: &'a Detail) -> Option<&'a Order> {
        let read = detail.found.as_ref().map(|found| &found.row.order);
        read.or_else(|| self.orders.row_of(&detail.id).map(|row| &row.order))
    }

    /// The breaker of each order worker: from its heartbeat, or from its last change where that is newer. One that is silent
    /// decides nothing any more while others are heard: what it was is no news beside what they are.
    #[must_use]
    pub fn breakers(&self) -> Vec<BreakerSeen<'_>> {
        with_breakers(&self.health.services, self.now).filter_map(|beat| self.breaker_of(beat)).collect()
    }

    fn breaker_of<'a>(&'a self, beat: &'a Beat) -> Option<BreakerSeen<'a>> {
        let beaten = beat.breaker.as_ref()?;
        let changed = self.changes_of(&beat.instance).next().filter(|change| change.at > beat.at);
        Some(match changed {
            Some(change) => BreakerSeen { instance: &beat.instance, at: change.at, breaker: &change.breaker },
            None => BreakerSeen { instance: &beat.instance, at: beat.at, breaker: beaten },
        })
    }

    /// The last changes of one instance's breaker, newest first.
    pub fn changes_of(&self, instance: &str) -> impl Iterator<Item = &BreakerChanged> {
        self.health.breaker_changes.iter().filter(move |change| change.instance == instance)
    }

    /// The state of the breaker that lets the least through, of all order workers.
    #[must_use]
    pub fn worst_breaker(&self) -> Option<BreakerState> {
        let severity = |state: &BreakerState| match state {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        self.breakers().iter().filter_map(|seen| seen.breaker.state).max_by_key(severity)
    }

    /// How far a rebuild of the view is, in percent, while one runs.
    #[must_use]
    pub fn rebuilding(&self) -> Option<u8> {
        self.health.services.iter().find_map(|beat| beat.rebuilding)
    }

    /// How many orders wait for somebody for long. Workers that share a store know of the same ones, and of one that is silent
    /// nobody knows what became of them.
    #[must_use]
    pub fn waiting_long(&self) -> u64 {
        let heard = self.health.services.iter().filter(|beat| self.now.since(beat.at) <= SILENT_AFTER);
        let mut waiting: BTreeMap<Awaited, u64> = BTreeMap::new();
        for wait in heard.flat_map(|beat| &beat.waits) {
            let known = waiting.entry(wait.what).or_default();
            *known = wait.count.max(*known);
        }
        waiting.into_values().fold(0, u64::saturating_add)
    }

    /// Workers that are heard of and misbehave on purpose.
    pub fn faulty(&self) -> impl Iterator<Item = &Beat> {
        let heard = self.health.services.iter().filter(|beat| self.now.since(beat.at) <= SILENT_AFTER);
        heard.filter(|beat| beat.fault.is_some())
    }

    /// Whether faults may be injected into some worker of `service`, as far as is known.
    #[must_use]
    pub fn takes_faults(&self, service: Service) -> bool {
        let mut of_service = self.health.services.iter().filter(|beat| beat.service == service).peekable();
        of_service.peek().is_none() || of_service.any(|beat| beat.takes_faults)
    }

    /// How long nothing has been heard of any worker, if that is long: what is shown may be as old.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        Some(self.now.since(self.heard_at?)).filter(|age| *age > SILENT_AFTER)
    }

    /// How many workers of each service are heard of; nothing where what they say of themselves is old.
    #[must_use]
    pub fn workers_heard(&self) -> Option<Workers> {
        let is_new = self.stale_for().is_none() && self.connection == Connection::Live;
        let is_known = is_new && !self.health.services.is_empty();
        is_known.then(|| workers_heard(&self.health.services, SILENT_AFTER))
    }

    /// Whether the last lines of the log are shown.
    #[must_use]
    pub fn shows_log(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer, Layer::Log(_)))
    }
}
