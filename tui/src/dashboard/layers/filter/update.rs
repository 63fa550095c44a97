//! What a filter finds is shown while it is typed.

use super::state::FilterLine;
use crate::dashboard::layers::Layer;
use crate::dashboard::screens;
use crate::dashboard::state::State;
use crate::dashboard::toasts::state::Notice;

/// Shows what the filter that is being typed finds so far. What is no filter yet leaves the last one as it is.
pub(crate) fn as_typed(state: &mut State) {
    let Some(Layer::Filter(mut line)) = state.layers.pop() else { return };
    let screen = screens::of(state.tab);
    line.problem = screen.filter_problem(state, line.input.text());
    if line.problem.is_none() {
        screen.filter_by(state, line.input.text());
    }
    state.layers.push(Layer::Filter(line));
}

/// Takes it as it is, or says what is wrong with it.
pub(crate) fn accept(state: &mut State, line: Box<FilterLine>) {
    if let Some(bad) = line.problem.clone() {
        state.toasts.say(Notice::Filter(bad), state.now);
        state.layers.push(Layer::Filter(line));
    }
}

/// Shows again what was shown before it.
pub(crate) fn close(state: &mut State, line: &FilterLine) {
    if line.input.text() != line.before {
        screens::of(state.tab).filter_by(state, &line.before);
    }
}
