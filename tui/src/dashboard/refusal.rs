//! What can be done here and now, and why something else cannot. The footer shows only what can.

use super::keys::Action;
use super::screens;
use super::state::State;
use crate::text::Text;

/// Why `action` is not possible now; `None` if it is.
#[must_use]
pub fn refusal(state: &State, action: Action) -> Option<Text> {
    match action {
        Action::Panel => (!state.tab.has_panel()).then_some(Text::WhyNoPanel),
        Action::Retry => state.toasts.repeatable().is_none().then_some(Text::WhyNothingToRepeat),
        Action::Dismiss => state.toasts.is_empty().then_some(Text::WhyNoMessages),
        _ => screens::of(state.tab).refusal(state, action),
    }
}
