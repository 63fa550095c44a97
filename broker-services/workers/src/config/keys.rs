//! Every key of the settings and what it may be: the ranges that `config/skstore.toml` tells in words.

use config::ValueKind;
use skstore_domain::faults::Fault;
use skstore_domain::ids::Customer;

use super::address::MAX_NAME_BYTES;
use super::address::management::ManagementAt;
use super::url::{BusUrl, StoreUrl, ViewUrl};

/// The stores' keys, and the files in `data_dir` that they name when left empty.
pub(super) const STORES: [(&str, &str); 3] =
    [("order.store.url", "order.db"), ("deposit.store.url", "deposit.db"), ("item.store.url", "item.db")];

/// Longest wait between two looks at something: ten minutes, after which a person has given up.
const LONGEST_MS: i64 = 600_000;
/// Longest wait for one call or one retry: a minute, the time in which every order has to end.
const LONGEST_CALL_MS: i64 = 60_000;
/// Longest time after which an order is told again for the first time, in ms: the longest between two times.
const LONGEST_TELL_AGAIN_MS: i64 = 20_000;
/// Shortest timeout of a call: below it, scheduling alone would fail calls.
const SHORTEST_CALL_MS: i64 = 10;
/// Longest window of the breaker: an hour; what is older says nothing about now.
const LONGEST_WINDOW_MS: i64 = 3_600_000;
/// Shortest window of the breaker: a tenth of a second, a few calls.
const SHORTEST_WINDOW_MS: i64 = 100;
/// Most buckets of the breaker's window: all of them are drawn, and added up at every call.
const MAX_BUCKETS: i64 = 100;
/// Most samples the breaker may ask for before it judges: beyond any window's traffic.
const MAX_SAMPLES: i64 = 1_000_000;
/// Most probes of the breaker: they run one by one.
const MAX_PROBES: i64 = 1000;
/// Most calls in a row that have to fail before the breaker trips: more never follow each other within thin traffic.
const MAX_IN_A_ROW: i64 = 1000;
/// Most charges in flight: the length of Deposit's queue.
const MAX_IN_FLIGHT: i64 = 10_000;
/// Most messages in one batch: a commit of more keeps others waiting for longer than it saves.
const MAX_BATCH: i64 = 4096;
/// Longest time that an event is held back: a second, beyond which a dashboard looks stuck.
const LONGEST_HOLD_MS: i64 = 1000;
/// Highest rate of requests of one caller that can be set: more than one machine answers.
const MAX_RATE: i64 = 1_000_000;
/// Most orders in the view: 100 million, about 100 GiB of memory.
const MAX_ORDERS: i64 = 100_000_000;
/// Most unsent events: ten times what a queue of events holds.
const MAX_UNSENT: i64 = 10_000_000;

/// A key and what it may be.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// A whole number of `unit`.
    Number { min: i64, max: i64, unit: &'static str },
    /// `true` or `false`.
    Switch,
    /// `true`, `false`, or "auto".
    SwitchOrAuto,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text without control characters: a path.
    Path,
    /// Whom a server knows.
    User,
    /// A text that no message repeats.
    Password,
    /// Names of keys with blanks between them.
    KeyNames,
    /// A customer.
    Customer,
    /// A fault, as [`Fault::parse`] reads it.
    Fault,
    /// `embedded:` or `amqp(s)://…`.
    Bus,
    /// `auto`, `off`, or `http(s)://HOST…`.
    Management,
    /// `embedded:` or `redis(s)://HOST`.
    View,
    /// An address and a port, or empty.
    Listen,
    /// `sqlite:PATH`, or empty.
    Store,
}

const fn key(name: &'static str, rule: Rule) -> Key {
    Key { name, rule }
}

const fn ms(min: i64, max: i64) -> Rule {
    Rule::Number { min, max, unit: "ms" }
}

const fn count(max: i64, unit: &'static str) -> Rule {
    Rule::Number { min: 1, max, unit }
}

const PERCENT: Rule = Rule::Number { min: 1, max: 100, unit: "percent" };

/// All of them, in the order of the file.
pub(super) const KEYS: &[Key] = &[
    key("data_dir", Rule::Path),
    key("max_unsent_events", count(MAX_UNSENT, "events")),
    key("drain_ms", ms(0, LONGEST_MS)),
    key("bus.url", Rule::Bus),
    key("bus.user", Rule::User),
    key("bus.password", Rule::Password),
    key("bus.password_file", Rule::Path),
    key("bus.check_ms", ms(SHORTEST_WINDOW_MS, LONGEST_MS)),
    key("bus.management_url", Rule::Management),
    key("view.url", Rule::View),
    key("view.user", Rule::User),
    key("view.password", Rule::Password),
    key("view.password_file", Rule::Path),
    key("view.keep_orders", count(MAX_ORDERS, "orders")),
    key("order.walk_in", Rule::Customer),
    key("order.store.url", Rule::Store),
    key("order.store.user", Rule::User),
    key("order.store.password", Rule::Password),
    key("order.store.password_file", Rule::Path),
    key("deposit.store.url", Rule::Store),
    key("deposit.store.user", Rule::User),
    key("deposit.store.password", Rule::Password),
    key("deposit.store.password_file", Rule::Path),
    key("item.store.url", Rule::Store),
    key("item.store.user", Rule::User),
    key("item.store.password", Rule::Password),
    key("item.store.password_file", Rule::Path),
    key("health.listen", Rule::Listen),
    key("gateway.listen", Rule::Listen),
    key("gateway.tokens", Rule::Path),
    key("gateway.rate_per_s", Rule::Number { min: 0, max: MAX_RATE, unit: "requests a second" }),
    key("payment.timeout_ms", ms(SHORTEST_CALL_MS, LONGEST_CALL_MS)),
    key("breaker.window_ms", ms(SHORTEST_WINDOW_MS, LONGEST_WINDOW_MS)),
    key("breaker.buckets", count(MAX_BUCKETS, "buckets")),
    key("breaker.slow_ms", ms(1, LONGEST_CALL_MS)),
    key("breaker.failed_percent", PERCENT),
    key("breaker.slow_percent", PERCENT),
    key("breaker.least_charges", count(MAX_SAMPLES, "charges")),
    key("breaker.least_calls", count(MAX_SAMPLES, "calls")),
    key("breaker.consecutive_failures", Rule::Number { min: 0, max: MAX_IN_A_ROW, unit: "calls" }),
    key("breaker.open_ms", ms(SHORTEST_CALL_MS, LONGEST_MS)),
    key("breaker.probes", count(MAX_PROBES, "calls")),
    key("breaker.probe_within_ms", ms(SHORTEST_CALL_MS, LONGEST_MS)),
    key("breaker.max_in_flight", count(MAX_IN_FLIGHT, "charges")),
    key("batch.max_messages", count(MAX_BATCH, "messages")),
    key("sweeper.every_ms", ms(SHORTEST_CALL_MS, LONGEST_MS)),
    key("sweeper.abort_after_ms", ms(2 * SHORTEST_CALL_MS, LONGEST_MS)),
    key("sweeper.tell_again_after_ms", ms(SHORTEST_CALL_MS, LONGEST_TELL_AGAIN_MS)),
    key("relay.hold_paying_ms", ms(0, LONGEST_HOLD_MS)),
    key("retry.first_ms", ms(1, LONGEST_CALL_MS)),
    key("retry.most_ms", ms(1, LONGEST_CALL_MS)),
    key("faults.allowed", Rule::SwitchOrAuto),
    key("faults.order", Rule::Fault),
    key("faults.deposit", Rule::Fault),
    key("faults.item", Rule::Fault),
    key("faults.myinfo", Rule::Fault),
    key("catalog.path", Rule::Path),
    key("ui.language", Rule::Word(&["auto", "ko", "en"])),
    key("ui.theme", Rule::Word(&["auto", "dark", "light", "ansi", "none"])),
    key("ui.ascii", Rule::SwitchOrAuto),
    key("ui.mouse", Rule::Switch),
    key("ui.reduced_motion", Rule::Switch),
    key("ui.time", Rule::Word(&["local", "utc"])),
    key("log.level", Rule::Word(&["error", "warn", "info", "debug", "trace"])),
    key("log.format", Rule::Word(&["text", "json"])),
    key("log.file", Rule::Path),
];

pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// What the keys of the dashboard start with. Which actions there are, and which keys, the dashboard knows.
const DASHBOARD_KEYS: &str = "keys.";
/// Longest list of keys for one action, in bytes: some dozens.
const MAX_KEY_NAMES: usize = 200;

/// Whether `name` is that of an action in `[keys]`.
pub(super) fn is_action(name: &str) -> bool {
    let word = name.strip_prefix(DASHBOARD_KEYS).unwrap_or_default();
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// Whether keys lie below `path`.
pub(super) fn is_section(path: &str) -> bool {
    format!("{path}.") == DASHBOARD_KEYS
        || KEYS.iter().any(|key| key.name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// What there is around a key that there is not: its section's keys, else the sections.
pub(super) fn near(name: &str) -> String {
    let mut section = name;
    loop {
        if is_section(section) {
            let inside = KEYS.iter().filter(|key| key.name.starts_with(&format!("{section}.")));
            let names: Vec<_> = inside.map(|key| key.name).collect();
            return format!("[{section}] has: {}", names.join(", "));
        }
        match section.rsplit_once('.') {
            Some((outer, _)) => section = outer,
            None => break,
        }
    }
    let mut tops: Vec<_> = KEYS.iter().map(|key| key.name.split('.').next().unwrap_or(key.name)).collect();
    tops.dedup();
    tops.push("keys");
    format!("there are: {}", tops.join(", "))
}

impl Rule {
    /// Checks `value` and gives it the type of this key: sources without types hand in texts.
    ///
    /// # Errors
    /// What it must be, to stand behind the key's name.
    pub(super) fn check(self, value: ValueKind) -> Result<ValueKind, String> {
        match self {
            Self::Number { min, max, unit } => number(&value, min, max, unit),
            Self::Switch => switch(&value).map(ValueKind::Boolean),
            Self::SwitchOrAuto => match &value {
                ValueKind::String(text) if text == "auto" => Ok(value),
                other => switch(other)
                    .map(|on| ValueKind::String(on.to_string()))
                    .map_err(|_| format!("must be true, false or \"auto\", not {}", quoted(other))),
            },
            Self::Word(words) => {
                let given = text(&value)?;
                let must = || format!("must be one of {}, not '{}'", words.join(", "), shown(given));
                words.contains(&given).then(|| value.clone()).ok_or_else(must)
            }
            Self::Path => {
                text(&value)?;
                Ok(value)
            }
            Self::User => match text(&value)? {
                given if given.len() > MAX_NAME_BYTES => {
                    Err(format!("must have no more than {MAX_NAME_BYTES} bytes"))
                }
                _ => Ok(value),
            },
            Self::Password => text(&value)
                .map(|_| value.clone())
                .map_err(|_| "must be a text in quotes without control characters".to_owned()),
            Self::KeyNames => match text(&value)? {
                given if given.len() > MAX_KEY_NAMES => Err("names too many keys".to_owned()),
                _ => Ok(value),
            },
            Self::Customer => {
                let given = text(&value)?;
                let wrong = |error| format!("is no customer: '{}' {error}", shown(given));
                let customer = Customer::new(given).map_err(wrong)?;
                Ok(ValueKind::String(customer.as_str().to_owned()))
            }
            Self::Fault => Fault::parse(text(&value)?).map(|_| value).map_err(|unknown| unknown.to_string()),
            Self::Bus => BusUrl::try_from(text(&value)?.to_owned()).map(|_| value),
            Self::View => ViewUrl::try_from(text(&value)?.to_owned()).map(|_| value),
            Self::Management => {
                ManagementAt::parse(text(&value)?).map(|_| value).map_err(|error| error.to_string())
            }
            Self::Listen => match text(&value)? {
                "" => Ok(value),
                given if given.parse::<std::net::SocketAddr>().is_ok() => Ok(value),
                given => Err(format!(
                    "must be an address and a port, like 127.0.0.1:8080 or [::1]:8080, not '{}'",
                    shown(given)
                )),
            },
            Self::Store => match text(&value)? {
                "" => Ok(value),
                given => StoreUrl::try_from(given.to_owned()).map(|_| value),
            },
        }
    }
}

fn number(value: &ValueKind, min: i64, max: i64, unit: &str) -> Result<ValueKind, String> {
    let given = match value {
        ValueKind::I64(number) => Some(*number),
        // `5e2` is 500: a whole one has no point when it is written out.
        ValueKind::Float(number) => number.to_string().parse().ok(),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match given {
        Some(number) if (min..=max).contains(&number) => Ok(ValueKind::I64(number)),
        _ => Err(format!("must be a whole number from {min} to {max} ({unit}), not {}", quoted(value))),
    }
}

fn switch(value: &ValueKind) -> Result<bool, String> {
    match value {
        ValueKind::Boolean(on) => Ok(*on),
        ValueKind::String(text) if text == "true" => Ok(true),
        ValueKind::String(text) if text == "false" => Ok(false),
        _ => Err(format!("must be true or false, not {}", quoted(value))),
    }
}

fn text(value: &ValueKind) -> Result<&str, String> {
    match value {
        ValueKind::String(text) if text.chars().any(char::is_control) => {
            Err("must not contain control characters".into())
        }
        ValueKind::String(text) => Ok(text),
        _ => Err(format!("must be a text in quotes, not {}", quoted(value))),
    }
}

/// A value as a message repeats it.
fn quoted(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("'{}'", shown(text)),
        ValueKind::Table(_) => "a table".into(),
        ValueKind::Array(_) => "a list".into(),
        ValueKind::Nil => "nothing".into(),
        // Written out, a large one would have hundreds of digits.
        ValueKind::Float(number) => format!("{number:?}"),
        plain => plain.to_string(),
    }
}

/// A text, never longer than a glance.
fn shown(text: &str) -> String {
    const GLANCE_CHARS: usize = 40;
    text.chars().take(GLANCE_CHARS).filter(|c| !c.is_control()).collect()
}
