//! Why a breaker went to another state: what each reason consists of, and its sentence for logs and other programs. Whoever
//! shows it to people words it in their language.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a breaker went to another state, or to another mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Why {
    /// It opened: that many calls in a row had no usable answer.
    InARow {
        /// The calls.
        calls: u32,
        /// Each came within so many milliseconds of the one before.
        within_ms: u64,
        /// It trips at so many.
        limit: u32,
    },
    /// It opened: too many of the charges failed.
    Failed(Share),
    /// It opened: too many of the charges were slow or failed.
    Slow(Share),
    /// It is half-open: it was open for as long as it is.
    TimeToProbe,
    /// It closed: so many probes have succeeded.
    ProbesSucceeded {
        /// The probes.
        probes: u32,
    },
    /// It opened again: a probe had no usable answer.
    ProbeFailed,
    /// It opened again: the answer to a probe was slow.
    ProbeSlow {
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// It opened again: a probe has no answer after that long.
    ProbeHangs {
        /// How long, in milliseconds.
        after_ms: u64,
    },
    /// An operator holds it open.
    HeldOpen,
    /// An operator holds it closed.
    HeldClosed,
    /// An operator has let a closed one go.
    LetGo,
    /// An operator has let an open one go: it is half-open.
    LetGoToProbe,
}

/// A share of the charges in the window that was beyond its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The charges that weigh.
    pub part: u32,
    /// Of so many.
    pub charges: u32,
    /// In so many calls.
    pub calls: u32,
    /// Within so many milliseconds.
    pub within_ms: u64,
    /// It trips at so many percent.
    pub percent: u32,
}

impl Why {
    /// Whether an operator wanted it so.
    #[must_use]
    pub const fn is_wished(self) -> bool {
        matches!(self, Self::HeldOpen | Self::HeldClosed | Self::LetGo | Self::LetGoToProbe)
    }

    /// A reason that is told, if it can be understood: a newer version may know others, and what it tells counts all the same.
    ///
    /// # Errors
    /// When it is not even JSON.
    pub fn if_understood<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Self>, D::Error> {
        let told = serde_json::Value::deserialize(from)?;
        Ok(serde_json::from_value(told).ok())
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
        let share = |f: &mut fmt::Formatter<'_>, share: &Share, how: &str| {
            let Share { part, charges, calls, within_ms, percent } = share;
            let within = seconds(*within_ms);
            write!(
                f,
                "{part} of {charges} charges in {calls} calls within {within} s {how}; the limit is {percent} %"
            )
        };
        match self {
            Self::InARow { calls, within_ms, limit } => write!(
                f,
                "{calls} calls in a row had no usable answer, each within {} s of the one before; the limit is {limit}",
                seconds(*within_ms)
            ),
            Self::Failed(failed) => share(f, failed, "failed"),
            Self::Slow(slow) => share(f, slow, "were slow or failed"),
            Self::TimeToProbe => f.write_str("it is time to probe"),
            Self::ProbesSucceeded { probes } => write!(f, "{probes} probes succeeded"),
            Self::ProbeFailed => f.write_str("a probe failed"),
            Self::ProbeSlow { took_ms } => write!(f, "a probe took {took_ms} ms"),
            Self::ProbeHangs { after_ms } => write!(f, "a probe had no answer after {after_ms} ms"),
            Self::HeldOpen => f.write_str("held open by an operator"),
            Self::HeldClosed => f.write_str("held closed by an operator"),
            Self::LetGo => f.write_str("let go by an operator"),
            Self::LetGoToProbe => f.write_str("let go by an operator: it probes"),
        }
    }
}
