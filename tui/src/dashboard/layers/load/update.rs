//! Keys in the window of the load.

use super::state::{Phase, RATES};
use crate::dashboard::keys::Action;
use crate::dashboard::message::Effect;
use crate::dashboard::refusal::refusal;
use crate::dashboard::state::State;
use crate::dashboard::toasts::state::Notice;

/// Does what a key there does.
pub(crate) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(reason) = refusal(state, action) {
        state.toasts.say(Notice::Reason(reason), state.now);
        return Vec::new();
    }
    let load = &mut state.load;
    match action {
        Action::StartLoad => {
            load.begin();
            return vec![Effect::StartLoad(load.rate())];
        }
        Action::StopLoad => {
            // Whoever waits for orders to end need not.
            if load.is_placing() {
                load.phase = Phase::Stopping;
            }
            return vec![Effect::StopLoad];
        }
        Action::Faster => load.at = (load.at + 1).min(RATES.len()),
        Action::Slower => load.at = load.at.saturating_sub(1),
        _ => return Vec::new(),
    }
    if load.is_placing() { vec![Effect::SteerLoad(load.rate())] } else { Vec::new() }
}
