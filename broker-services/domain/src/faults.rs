//! How a service misbehaves on purpose, for a time that is known beforehand.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a fault lasts if nothing is said: time enough to watch what the others make of it, and to go for coffee.
pub const FAULT_FOR: Duration = Duration::from_secs(5 * 60);
/// The longest time for which one can be asked: whoever injects it is still there when it is over.
pub const MAX_FAULT_FOR: Duration = Duration::from_secs(3600);
/// The most by which a batch can be slowed down, in milliseconds: far beyond every deadline that there is.
pub const MAX_SLOW_MS: u64 = 60_000;

/// How a service misbehaves on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Not at all.
    None,
    /// Every batch takes longer.
    Slow {
        /// By this much.
        ms: u64,
    },
    /// It works, but so many of its answers and replies are heard by nobody.
    #[serde(alias = "silent")]
    LostReplies {
        /// Out of a hundred. All of them where the wish does not say.
        #[serde(default = "all")]
        percent: u8,
    },
    /// It takes no work.
    Stopped,
}

const fn all() -> u8 {
    100
}

impl Fault {
    /// Nobody hears anything of it.
    pub const SILENT: Self = Self::LostReplies { percent: all() };

    /// The fault, with its number within its bounds: a message from outside may say anything.
    #[must_use]
    pub fn bounded(self) -> Self {
        match self {
            Self::Slow { ms } => Self::Slow { ms: ms.min(MAX_SLOW_MS) },
            Self::LostReplies { percent } => Self::LostReplies { percent: percent.min(all()) },
            Self::None | Self::Stopped => self,
        }
    }

    /// Reads `none`, `slow:400`, `lost-replies:5`, `silent` or `stopped`, as settings and heartbeats have it.
    ///
    /// # Errors
    /// [`UnknownFault`] says what it may be.
    pub fn parse(text: &str) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault { text: text.to_owned() };
        let number = |digits: &str, max: u64| {
            digits.parse::<u64>().ok().filter(|number| (1..=max).contains(number)).ok_or_else(unknown)
        };
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "silent" => Ok(Self::SILENT),
            None if text == "stopped" => Ok(Self::Stopped),
            Some(("slow", ms)) => Ok(Self::Slow { ms: number(ms, MAX_SLOW_MS)? }),
            Some(("lost-replies", percent)) => {
                let percent = number(percent, all().into())?;
                Ok(Self::LostReplies { percent: u8::try_from(percent).unwrap_or(all()) })
            }
            _ => Err(unknown()),
        }
    }
}

/// What stands for no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be none, slow:MILLISECONDS (1 to {MAX_SLOW_MS}), lost-replies:PERCENT (1 to 100), silent or stopped, not '{text}'"
)]
pub struct UnknownFault {
    /// What stands there.
    pub text: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Slow { ms } => write!(f, "slow:{ms}"),
            Self::LostReplies { percent } => write!(f, "lost-replies:{percent}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// Which replies are lost: so many of a hundred, evenly among all, so that the same run loses the same ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Hundredths of a reply that are due.
    due: u16,
}

impl Losses {
    /// Whether the next reply is lost.
    pub fn next(&mut self, fault: Fault) -> bool {
        let Fault::LostReplies { percent } = fault else { return false };
        let due = self.due.min(all().into()) + u16::from(percent.min(all()));
        let is_lost = due >= u16::from(all());
        self.due = if is_lost { due - u16::from(all()) } else { due };
        is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_out_of_bounds_is_refused() {
        for text in ["none", "slow:1", "slow:60000", "lost-replies:1", "lost-replies:100", "stopped"] {
            assert_eq!(Fault::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Fault::parse("silent"), Ok(Fault::SILENT));
        for text in
            ["", "slow", "slow:", "slow:-1", "slow:0", "slow:60001", "lost-replies:0", "lost-replies:101"]
        {
            let unknown = Fault::parse(text).unwrap_err();
            assert!(unknown.to_string().contains("slow:MILLISECONDS (1 to 60000)"), "{unknown}");
        }
    }

    #[test]
    fn a_wish_of_an_older_version_is_understood_and_one_beyond_all_bounds_is_bounded() {
        let read = |text: &str| serde_json::from_str::<Fault>(text).unwrap().bounded();
        assert_eq!(read(r#"{"kind":"silent"}"#), Fault::SILENT);
        assert_eq!(read(r#"{"kind":"lost_replies","percent":200}"#), Fault::SILENT);
        assert_eq!(read(r#"{"kind":"slow","ms":18446744073709551615}"#), Fault::Slow { ms: MAX_SLOW_MS });
    }

    #[test]
    fn so_many_of_a_hundred_replies_are_lost_evenly() {
        for percent in 0..=100 {
            let mut losses = Losses::default();
            let lost: Vec<usize> =
                (0..1000).filter(|_| losses.next(Fault::LostReplies { percent })).collect();
            assert_eq!(lost.len(), usize::from(percent) * 10, "{percent} %");
            let gaps: Vec<_> = lost.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (gaps.iter().min(), gaps.iter().max());
            assert!(
                gaps.is_empty() || most.unwrap() - least.unwrap() <= 1,
                "{percent} %: {least:?} to {most:?}"
            );
        }
        assert!(!Losses::default().next(Fault::Stopped));
    }
}
