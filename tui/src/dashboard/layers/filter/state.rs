//! A filter that is being typed: what it finds is shown while it is typed.

use crate::dashboard::layers::input::TextInput;
use crate::dashboard::screens::orders::filter::{self, BadFilter};

/// A filter that is being typed.
#[derive(Debug, Clone)]
pub struct FilterLine {
    /// What is typed.
    pub input: TextInput,
    /// The filter that there was before, for whoever thinks better of it.
    pub before: String,
    /// Why what is typed is no filter yet.
    pub problem: Option<BadFilter>,
}

impl FilterLine {
    /// Begins with the filter that there is.
    #[must_use]
    pub fn beginning_with(typed: String) -> Self {
        Self { input: TextInput::with(&typed, filter::MAX_FILTER_CHARS), before: typed, problem: None }
    }
}
