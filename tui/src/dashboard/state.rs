//! Everything the dashboard knows. It is changed by [`update`](super::update::update) alone, and knows nothing
//! of drawing.

use std::sync::Arc;
use std::time::Duration;

use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::objects::{Account, Item, Order};
use skstore_domain::signals::{Beat, BreakerChanged};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::config::TimeShown;
use skstore_workers::desk::view::{Counts, Health};

use super::keys::{Keymap, Scope};
use super::layout;
use super::message::{OrdersQuery, Query, Size, Wanted};
use super::tab::Tab;
use crate::text::Language;
use crate::text::names::Names;
use crate::text::times::{UTC, Zone};
use crate::theme::{Glyphs, ThemeName};

pub mod accounts;
pub mod columns;
pub mod dead;
pub mod detail;
pub mod dialogs;
pub mod events;
pub mod filter_line;
pub mod form;
pub mod history;
pub mod input;
pub mod items;
pub mod listing;
pub mod orders;
pub mod palette;
pub mod sort;
pub mod toasts;

use accounts::Accounts;
use dead::Dead;
use detail::Detail;
use dialogs::{Confirm, Menu};
use events::Events;
use filter_line::FilterLine;
use form::Form;
use history::{History, Range};
use items::Items;
use orders::Orders;
use palette::Palette;
use toasts::Toasts;

/// A worker that has not been heard of for this long is shown as silent: several of its heartbeats, which come
/// every second, were missed.
pub const SILENT_AFTER: Duration = Duration::from_secs(5);

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

/// How the tab of health is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HealthTab {
    /// Lines above the first one that is shown.
    pub scroll: usize,
    /// How far back the charts look.
    pub range: Range,
}

/// What lies over the main screen. The topmost takes the keys.
#[derive(Debug, Clone)]
pub enum Layer {
    /// A filter is being typed.
    Filter(Box<FilterLine>),
    /// A command is being looked for.
    Palette(Box<Palette>),
    /// A form is being filled in.
    Form(Box<Form>),
    /// Something is being chosen.
    Menu(Menu),
    /// Something is asked.
    Confirm(Box<Confirm>),
    /// The last lines of the log.
    Log {
        /// Lines below the last one that is shown.
        scroll: usize,
    },
    /// All keys.
    Help {
        /// The first line shown.
        scroll: usize,
    },
}

/// Items and accounts that are known by name, and that forms pick from.
#[derive(Debug, Clone, Default)]
pub struct Pickable {
    /// By id, the first of them: [`KNOWN_ITEMS`](crate::text::names::KNOWN_ITEMS) at most.
    pub items: Vec<Item>,
    /// By customer.
    pub accounts: Vec<Account>,
    /// Whether there are accounts that are not among them.
    pub has_more_accounts: bool,
    /// What was picked last, to begin with next time.
    pub last_item: Option<ItemId>,
    /// Likewise.
    pub last_customer: Option<Customer>,
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
    pub items: Items,
    /// The events.
    pub events: Events,
    /// The parked messages.
    pub dead: Dead,
    /// How the tab of health is looked at.
    pub health_tab: HealthTab,
    /// What its charts show.
    pub history: History,
    /// How full the queues are, if they could be asked.
    pub queues: Option<Vec<QueueDepth>>,
    /// Whether they are being asked.
    pub is_asking_queues: bool,
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
            items: Items::default(),
            events: Events::default(),
            dead: Dead::default(),
            health_tab: HealthTab::default(),
            history: History::default(),
            queues: None,
            is_asking_queues: false,
            log: Vec::new(),
            panel: true,
            layers: Vec::new(),
            toasts: Toasts::default(),
            pickable: Pickable::default(),
        }
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
        let is_help = matches!(layer, Some(Layer::Help { .. }));
        if layout::is_too_small(self.size) && !is_help {
            return Scope::TooSmall;
        }
        match layer {
            Some(Layer::Filter(_)) => Scope::Filter,
            Some(Layer::Palette(_)) => Scope::Palette,
            Some(Layer::Form(form)) => form.scope(),
            Some(Layer::Menu(_)) => Scope::Menu,
            Some(Layer::Confirm(_)) => Scope::Confirm,
            Some(Layer::Help { .. } | Layer::Log { .. }) => Scope::Help,
            None => self.base_scope(),
        }
    }

    /// Where keys go once nothing lies over the tab any more.
    #[must_use]
    pub fn base_scope(&self) -> Scope {
        if self.open_detail().is_some() && !layout::is_wide(self.size) {
            return Scope::Detail;
        }
        self.tab.scope()
    }

    /// The order that is shown whole, if its tab is the one that is shown.
    #[must_use]
    pub fn open_detail(&self) -> Option<&Detail> {
        self.detail.as_ref().filter(|_| self.tab == Tab::Orders)
    }

    /// What items are called.
    #[must_use]
    pub fn names(&self) -> Names<'_> {
        Names::new(self.look.language, &self.pickable.items)
    }

    /// What the screen needs of the view.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        Wanted {
            query: match self.tab {
                Tab::Orders => Query::Orders(OrdersQuery {
                    filter: self.orders.filter.clone(),
                    start: self.orders.start.clone(),
                }),
                Tab::Accounts => Query::Accounts(self.accounts.query()),
                Tab::Items => Query::Items(self.items.query()),
                Tab::Events => Query::Events,
                Tab::Health | Tab::Dead => Query::Nothing,
            },
            detail: self.open_detail().map(|detail| detail.id.clone()),
            pickers: self.layers.iter().find_map(|layer| match layer {
                Layer::Form(form) => Some(form.customer.query.text().trim().to_owned()),
                Layer::Filter(_)
                | Layer::Palette(_)
                | Layer::Menu(_)
                | Layer::Confirm(_)
                | Layer::Log { .. }
                | Layer::Help { .. } => None,
            }),
        }
    }

    /// The order that actions are about: the one that is shown whole, else the selected one.
    #[must_use]
    pub fn current_order(&self) -> Option<&Order> {
        match self.tab {
            Tab::Orders => match &self.detail {
                Some(detail) => self.detail_row(detail),
                None => self.orders.selected_row().map(|row| &row.order),
            },
            Tab::Accounts | Tab::Items | Tab::Health | Tab::Events | Tab::Dead => None,
        }
    }

    /// The order of a detail: from the detail itself, and until that was read from the table.
    #[must_use]
    pub fn detail_row<'a>(&'a self, detail: &'a Detail) -> Option<&'a Order> {
        let read = detail.found.as_ref().map(|found| &found.row.order);
        read.or_else(|| self.orders.row_of(&detail.id).map(|row| &row.order))
    }

    /// The breaker of each order worker: from its heartbeat, or from its last change where that is newer.
    #[must_use]
    pub fn breakers(&self) -> Vec<BreakerSeen<'_>> {
        self.health.services.iter().filter_map(|beat| self.breaker_of(beat)).collect()
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

    /// Whether something on the screen changes as time goes by.
    #[must_use]
    pub fn shows_time(&self) -> bool {
        let rows = match self.tab {
            Tab::Orders => !self.orders.page.rows.is_empty(),
            Tab::Accounts | Tab::Items => false,
            Tab::Events => self.events.frozen_at.is_some(),
            // Queues are looked at by the clock.
            Tab::Health | Tab::Dead => true,
        };
        rows || self.heard_at.is_some()
            || self.open_detail().is_some()
            || !self.toasts.is_empty()
            || self.bus_lost.is_some()
            || matches!(self.connection, Connection::Lost { .. })
    }

    /// How long nothing has been heard of any worker, if that is long: what is shown may be as old.
    #[must_use]
    pub fn stale_for(&self) -> Option<Duration> {
        Some(self.now.since(self.heard_at?)).filter(|age| *age > SILENT_AFTER)
    }

    /// Whether the last lines of the log are shown.
    #[must_use]
    pub fn shows_log(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer, Layer::Log { .. }))
    }
}
