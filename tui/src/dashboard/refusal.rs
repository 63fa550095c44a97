//! What can be done here and now, and why something else cannot. The footer shows only what can.

use super::keys::Action;
use super::layers::load::state::{Phase, RATES};
use super::screens;
use super::state::State;
use crate::text::Text;

/// Why `action` is not possible now; `None` if it is.
#[must_use]
pub fn refusal(state: &State, action: Action) -> Option<Text> {
    match action {
        Action::Panel => (!state.tab.has_panel()).then_some(Text::WhyNoPanel),
        Action::Retry => state.toasts.repeatable().is_none().then_some(Text::WhyNothingToRepeat),
        Action::StartLoad => state.load.is_active().then_some(Text::WhyLoadRuns),
        Action::StopLoad => {
            matches!(state.load.phase, Phase::Idle | Phase::Stopping).then_some(Text::WhyNoLoad)
        }
        Action::Faster => (state.load.at >= RATES.len()).then_some(Text::WhyFastest),
        Action::Slower => (state.load.at == 0).then_some(Text::WhySlowest),
        Action::Dismiss => state.toasts.is_empty().then_some(Text::WhyNoMessages),
        _ => screens::of(state.tab).refusal(state, action),
    }
}
