//! The settings as types. Their defaults, units and reasons stand in `config/skstore.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::faults::Fault;
use skstore_domain::ids::Customer;
use skstore_domain::order::Patience;
use skstore_domain::signals::Service;

use super::address::management::ManagementAt;
use super::url::{BusUrl, StoreUrl, ViewUrl};

/// All settings, checked and complete: no path is empty but `catalog.path`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where this process keeps its data.
    pub data_dir: PathBuf,
    /// Most unsent events before Order tells callers to try later.
    pub max_unsent_events: u64,
    /// How long a stopping process waits for what is in its hands.
    #[serde(rename = "drain_ms", deserialize_with = "millis")]
    pub drain_within: Duration,
    /// The message bus.
    pub bus: BusConfig,
    /// The view.
    pub view: ViewConfig,
    /// Order.
    pub order: OrderConfig,
    /// Deposit.
    pub deposit: ServiceConfig,
    /// Item.
    pub item: ServiceConfig,
    /// What engines and Prometheus ask.
    pub health: HealthConfig,
    /// The HTTP gateway.
    pub gateway: GatewayConfig,
    /// The payment call.
    pub payment: PaymentConfig,
    /// How the circuit breaker decides.
    #[serde(deserialize_with = "BreakerConfig::deserialize")]
    pub breaker: BreakerSettings,
    /// The batch loop.
    pub batch: BatchConfig,
    /// The sweeper.
    pub sweeper: SweeperConfig,
    /// The relay.
    pub relay: RelayConfig,
    /// Waits after a part has failed.
    pub retry: RetryConfig,
    /// Workers that misbehave from the start.
    pub faults: FaultsConfig,
    catalog: CatalogConfig,
    /// The dashboard and the command line.
    pub ui: UiConfig,
    /// Keys of the dashboard by the names of actions, in place of its own. Both names are checked by the dashboard.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// The log.
    pub log: LogConfig,
}

impl Config {
    /// The store of a service; MyInfo has none.
    #[must_use]
    pub const fn store_url(&self, service: Service) -> Option<&StoreUrl> {
        match service {
            Service::Order => Some(&self.order.store.url),
            Service::Deposit => Some(&self.deposit.store.url),
            Service::Item => Some(&self.item.store.url),
            Service::MyInfo => None,
        }
    }

    /// The store that `given` names: a URL as it may stand in the settings, or the name of a service whose store they name.
    ///
    /// # Errors
    /// A sentence about it, which repeats nothing of it: it may have its password anywhere.
    pub fn store_at(&self, given: &str) -> Result<StoreUrl, String> {
        match Service::from_word(given).and_then(|service| self.store_url(service)) {
            Some(url) => Ok(url.clone()),
            None => StoreUrl::try_from(given.to_owned()).map(|url| url.below(&self.data_dir)),
        }
    }

    /// Whether faults may be injected into the workers that run.
    #[must_use]
    pub const fn faults_are_allowed(&self) -> bool {
        match self.faults.allowed {
            Allowed::Yes => true,
            Allowed::No => false,
            Allowed::Auto => matches!(self.bus.url, BusUrl::Embedded),
        }
    }

    /// The user's catalogue; the built-in one if there is none.
    #[must_use]
    pub fn catalog_path(&self) -> Option<&Path> {
        Some(self.catalog.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }
}

/// `[bus]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// Which bus.
    pub url: BusUrl,
    /// How often it is looked whether everything that is needed on the broker is there.
    #[serde(rename = "check_ms", deserialize_with = "millis")]
    pub check_every: Duration,
    /// Where a broker's management API is.
    pub management_url: ManagementAt,
}

/// Keys have times as milliseconds.
fn millis<'d, D: Deserializer<'d>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}

/// `[view]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewConfig {
    /// Which view.
    pub url: ViewUrl,
    /// Newest orders that it keeps.
    pub keep_orders: usize,
}

/// `[order]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderConfig {
    /// Who pays for an order that names no customer.
    pub walk_in: Customer,
    /// Its own data.
    pub store: StoreConfig,
}

/// `[deposit]` and `[item]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Its own data.
    pub store: StoreConfig,
}

/// `[order.store]` and the like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Which store.
    pub url: StoreUrl,
}

/// `[health]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Where a process of workers tells how they do, if anywhere.
    #[serde(deserialize_with = "listen")]
    pub listen: Option<SocketAddr>,
}

/// `[gateway]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    #[serde(deserialize_with = "listen")]
    listen: Option<SocketAddr>,
    /// The file of the tokens that let callers in; empty: none, and only this machine is served.
    tokens: PathBuf,
    /// Requests a second that one caller may make; 0: any number.
    pub rate_per_s: u32,
}

/// Where `skstore-worker gateway` listens if the settings do not say it: the port of the system that this one derives
/// from.
const USUAL_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

impl GatewayConfig {
    /// Where it listens.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(USUAL_LISTEN)
    }

    /// Where it listens, if the settings say that it shall: beside a dashboard it then does.
    #[must_use]
    pub const fn is_wanted_at(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// The file of the tokens, if there are any.
    #[must_use]
    pub fn tokens(&self) -> Option<&Path> {
        Some(self.tokens.as_path()).filter(|path| !path.as_os_str().is_empty())
    }
}

fn listen<'d, D: Deserializer<'d>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    match String::deserialize(from)?.as_str() {
        "" => Ok(None),
        address => address.parse().map(Some).map_err(D::Error::custom),
    }
}

/// `[payment]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentConfig {
    /// How long Order waits for the answer to a charge.
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
}

/// `[breaker]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "BreakerSettings")]
struct BreakerConfig {
    #[serde(rename = "window_ms", deserialize_with = "millis")]
    window: Duration,
    buckets: u32,
    #[serde(rename = "slow_ms", deserialize_with = "millis")]
    slow_after: Duration,
    failed_percent: u32,
    slow_percent: u32,
    least_charges: u32,
    least_calls: u32,
    consecutive_failures: u32,
    #[serde(rename = "open_ms", deserialize_with = "millis")]
    open_for: Duration,
    probes: u32,
    #[serde(rename = "probe_within_ms", deserialize_with = "millis")]
    probe_within: Duration,
    max_in_flight: u32,
}

/// `[batch]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// Most messages taken in hand at once.
    pub max_messages: usize,
}

/// `[sweeper]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweeperConfig {
    /// How often it looks for orders that wait for too long.
    #[serde(rename = "every_ms", deserialize_with = "millis")]
    pub every: Duration,
    /// How long an order may be paying before it is aborted. Longer than [`PaymentConfig::timeout`].
    #[serde(rename = "abort_after_ms", deserialize_with = "millis")]
    pub abort_after: Duration,
    /// How long an order waits for Deposit or Item before they are told again what has happened to it.
    #[serde(rename = "tell_again_after_ms", deserialize_with = "millis")]
    pub tell_again_after: Duration,
}

impl SweeperConfig {
    /// As the rules have it.
    #[must_use]
    pub const fn patience(&self) -> Patience {
        Patience { abort_after: self.abort_after, tell_again_after: self.tell_again_after }
    }
}

/// `[relay]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// How long it holds back `order.paying`.
    #[serde(rename = "hold_paying_ms", deserialize_with = "millis")]
    pub hold_paying: Duration,
}

/// `[retry]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryConfig {
    /// The first wait.
    #[serde(rename = "first_ms", deserialize_with = "millis")]
    pub first: Duration,
    /// The longest wait, after it has failed again and again. At least [`Self::first`].
    #[serde(rename = "most_ms", deserialize_with = "millis")]
    pub max: Duration,
}

/// `[faults]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultsConfig {
    /// Whether an operator may inject faults.
    pub allowed: Allowed,
    #[serde(deserialize_with = "fault")]
    order: Fault,
    #[serde(deserialize_with = "fault")]
    deposit: Fault,
    #[serde(deserialize_with = "fault")]
    item: Fault,
    #[serde(deserialize_with = "fault")]
    myinfo: Fault,
}

impl FaultsConfig {
    /// How `service` misbehaves from the start.
    #[must_use]
    pub const fn of(&self, service: Service) -> Fault {
        match service {
            Service::Order => self.order,
            Service::Deposit => self.deposit,
            Service::Item => self.item,
            Service::MyInfo => self.myinfo,
        }
    }
}

/// Whether faults may be injected into workers that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Allowed {
    /// With the embedded bus, where the only one who can is who started the workers.
    #[serde(rename = "auto")]
    Auto,
    /// Yes.
    #[serde(rename = "true")]
    Yes,
    /// No.
    #[serde(rename = "false")]
    No,
}

/// A fault is one word here, `slow:400`, where its JSON form is an object.
fn fault<'d, D: Deserializer<'d>>(from: D) -> Result<Fault, D::Error> {
    Fault::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogConfig {
    path: PathBuf,
}

/// `[ui]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiConfig {
    /// Words on the screen.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Whether to draw with ASCII only.
    pub ascii: Ascii,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// Whether the screen shall change as seldom as it can.
    pub reduced_motion: bool,
    /// Whose time is shown to people.
    pub time: TimeShown,
}

/// Whether to draw with ASCII only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Ascii {
    /// Where the locale or the terminal has no more.
    #[serde(rename = "auto")]
    Auto,
    /// Everywhere.
    #[serde(rename = "true")]
    Always,
    /// Nowhere.
    #[serde(rename = "false")]
    Never,
}

/// Whose time is shown to people. What programs read is always in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeShown {
    /// That of the place where the program runs.
    Local,
    /// UTC.
    Utc,
}

/// The language of words on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// What the environment says.
    Auto,
    /// 한국어.
    Ko,
    /// English.
    En,
}

/// The colours of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// What the terminal can do; none under `NO_COLOR`.
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// The terminal's own 16 colours.
    Ansi,
    /// Bold and reverse only.
    None,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The least severe lines that are logged.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
    /// Where to.
    pub file: PathBuf,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object in each line, for programs.
    Json,
}

/// How much is logged: this and everything more severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What a person has to see to.
    Error,
    /// What may become that.
    Warn,
    /// What happened.
    Info,
    /// What explains it.
    Debug,
    /// Everything.
    Trace,
}
