//! How the health of it all is looked at.

use super::history::Range;
use crate::dashboard::shown::Scroll;

/// How the screen is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HealthTab {
    /// How far it is scrolled.
    pub scroll: Scroll,
    /// How far back the charts look.
    pub range: Range,
}
