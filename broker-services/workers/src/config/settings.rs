//! The settings as types. Their defaults, units and reasons stand in `config/skstore.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::ids::Customer;
use skstore_domain::signals::{Fault, Service};

use super::address::management::ManagementAt;
use super::address::{AMQP, BrokerAddress, REDIS, RedisAddress};
use super::keys::{EMBEDDED, SQLITE, sqlite_path};

/// All settings, checked and complete: no path is empty but `catalog.path`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where this process keeps its data.
    pub data_dir: PathBuf,
    /// Most unsent events before Order tells callers to try later.
    pub max_unsent_events: u64,
    /// How long a stopping process waits for what is in its hands.
    drain_ms: u64,
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
    payment: PaymentConfig,
    /// The circuit breaker.
    pub breaker: BreakerConfig,
    /// The batch loop.
    pub batch: BatchConfig,
    sweeper: SweeperConfig,
    relay: RelayConfig,
    retry: RetryConfig,
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
    /// How long Order waits for the answer to a charge.
    #[must_use]
    pub const fn payment_timeout(&self) -> Duration {
        Duration::from_millis(self.payment.timeout_ms)
    }

    /// How long a stopping process waits for what is in its hands.
    #[must_use]
    pub const fn drain_within(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    /// How often the sweeper looks for orders that are stuck.
    #[must_use]
    pub const fn sweep_every(&self) -> Duration {
        Duration::from_millis(self.sweeper.every_ms)
    }

    /// How long an order may be paying before the sweeper aborts it. Longer than [`Self::payment_timeout`].
    #[must_use]
    pub const fn abort_after(&self) -> Duration {
        Duration::from_millis(self.sweeper.abort_after_ms)
    }

    /// How long the relay holds back `order.paying`.
    #[must_use]
    pub const fn hold_paying(&self) -> Duration {
        Duration::from_millis(self.relay.hold_paying_ms)
    }

    /// The first wait after a part has failed.
    #[must_use]
    pub const fn retry_first(&self) -> Duration {
        Duration::from_millis(self.retry.first_ms)
    }

    /// The longest wait after a part has failed again and again. At least [`Self::retry_first`].
    #[must_use]
    pub const fn retry_most(&self) -> Duration {
        Duration::from_millis(self.retry.most_ms)
    }

    /// How often it is looked whether everything that is needed on the broker is there.
    #[must_use]
    pub const fn check_every(&self) -> Duration {
        Duration::from_millis(self.bus.check_ms)
    }

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

    /// The user's catalogue; the built-in one if there is none.
    #[must_use]
    pub fn catalog_path(&self) -> Option<&Path> {
        Some(self.catalog.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }
}

/// `[bus]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BusConfig {
    /// Which bus.
    pub url: BusUrl,
    check_ms: u64,
    /// Where a broker's management API is.
    #[serde(deserialize_with = "management", serialize_with = "shown")]
    pub management_url: ManagementAt,
}

fn management<'d, D: Deserializer<'d>>(from: D) -> Result<ManagementAt, D::Error> {
    ManagementAt::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

fn shown<S: Serializer>(what: &impl std::fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(what)
}

/// `[view]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ViewConfig {
    /// Which view.
    pub url: ViewUrl,
    /// Newest orders that it keeps.
    pub keep_orders: usize,
}

/// `[order]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OrderConfig {
    /// Who pays for an order that names no customer.
    pub walk_in: Customer,
    /// Its own data.
    pub store: StoreConfig,
}

/// `[deposit]` and `[item]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Its own data.
    pub store: StoreConfig,
}

/// `[order.store]` and the like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Which store.
    pub url: StoreUrl,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PaymentConfig {
    timeout_ms: u64,
}

/// `[breaker]`: [`BreakerConfig::settings`] gives it to the breaker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerConfig {
    window_ms: u64,
    buckets: u32,
    slow_ms: u64,
    failed_percent: u32,
    slow_percent: u32,
    least_charges: u32,
    least_calls: u32,
    open_ms: u64,
    probes: u32,
    probe_within_ms: u64,
    max_in_flight: u32,
}

impl BreakerConfig {
    /// How the breaker decides.
    #[must_use]
    pub const fn settings(&self) -> BreakerSettings {
        BreakerSettings {
            window: Duration::from_millis(self.window_ms),
            buckets: self.buckets,
            slow_after: Duration::from_millis(self.slow_ms),
            failed_percent: self.failed_percent,
            slow_percent: self.slow_percent,
            least_charges: self.least_charges,
            least_calls: self.least_calls,
            open_for: Duration::from_millis(self.open_ms),
            probes: self.probes,
            probe_within: Duration::from_millis(self.probe_within_ms),
            max_in_flight: self.max_in_flight,
        }
    }
}

/// `[batch]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// Most messages taken in hand at once.
    pub max_messages: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SweeperConfig {
    every_ms: u64,
    abort_after_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RelayConfig {
    hold_paying_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RetryConfig {
    first_ms: u64,
    most_ms: u64,
}

/// `[faults]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FaultsConfig {
    order: FaultText,
    deposit: FaultText,
    item: FaultText,
    myinfo: FaultText,
}

impl FaultsConfig {
    /// How `service` misbehaves from the start.
    #[must_use]
    pub const fn of(&self, service: Service) -> Fault {
        match service {
            Service::Order => self.order.0,
            Service::Deposit => self.deposit.0,
            Service::Item => self.item.0,
            Service::MyInfo => self.myinfo.0,
        }
    }
}

/// A fault as one word, `slow:400`, where its JSON form is an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct FaultText(Fault);

impl TryFrom<String> for FaultText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Fault::parse(&text).map(Self).map_err(|unknown| unknown.to_string())
    }
}

impl Serialize for FaultText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CatalogConfig {
    path: PathBuf,
}

/// `[ui]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeShown {
    /// That of the place where the program runs.
    Local,
    /// UTC.
    Utc,
}

/// The language of words on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object in each line, for programs.
    Json,
}

/// How much is logged: this and everything more severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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

macro_rules! url {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    };
}

/// Which message bus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum BusUrl {
    /// `embedded:`, in this process.
    Embedded,
    /// `amqp://…` or `amqps://…`: a broker.
    Amqp(BrokerAddress),
}
url!(BusUrl);

impl TryFrom<String> for BusUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        match url.as_str() {
            EMBEDDED => Ok(Self::Embedded),
            url if AMQP.iter().any(|scheme| url.starts_with(scheme)) => {
                BrokerAddress::parse(url).map(Self::Amqp).map_err(|error| error.to_string())
            }
            _ => Err(format!("must be {EMBEDDED} or amqp(s)://…")),
        }
    }
}

impl std::fmt::Display for BusUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::Amqp(url) => url.fmt(f),
        }
    }
}

/// Which view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ViewUrl {
    /// `embedded:`, in this process's memory.
    Embedded,
    /// `redis://…` or `rediss://…`: a Redis.
    Redis(RedisAddress),
}
url!(ViewUrl);

impl TryFrom<String> for ViewUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        match url.as_str() {
            EMBEDDED => Ok(Self::Embedded),
            url if REDIS.iter().any(|scheme| url.starts_with(scheme)) => {
                RedisAddress::parse(url).map(Self::Redis).map_err(|error| error.to_string())
            }
            _ => Err(format!("must be {EMBEDDED} or redis(s)://HOST")),
        }
    }
}

impl std::fmt::Display for ViewUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::Redis(url) => url.fmt(f),
        }
    }
}

/// Which store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// `sqlite:PATH`: a file.
    Sqlite(PathBuf),
}
url!(StoreUrl);

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        let path = sqlite_path(&url)?;
        Ok(Self::Sqlite(path.into()))
    }
}

impl std::fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{SQLITE}{}", path.display()),
        }
    }
}
