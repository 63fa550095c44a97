//! Keys, typed text and clicks in what lies over the screen: the topmost layer takes them.

use super::form::state::FormSpot;
use super::palette::commands::Command;
use super::{Layer, dialogs, filter, form, load, palette};
use crate::dashboard::keys::{Action, Chord};
use crate::dashboard::message::Effect;
use crate::dashboard::shown::Scroll;
use crate::dashboard::state::State;
use crate::dashboard::table::movement::rows_moved;
use crate::dashboard::toasts::state::Notice;
use crate::text::Text;

/// What a key in a layer does.
pub(crate) enum Done {
    /// What has to be done outside.
    Effects(Vec<Effect>),
    /// What another key does, where nothing lies over the screen any more: the palette has it.
    Act(Action),
}

/// Does what a key does in the topmost layer.
pub(crate) fn act(state: &mut State, action: Action) -> Done {
    let Some(layer) = state.layers.pop() else { return Done::Effects(Vec::new()) };
    if action == Action::Close {
        if let Layer::Filter(line) = layer {
            filter::update::close(state, &line);
        }
        return Done::Effects(Vec::new());
    }
    Done::Effects(match layer {
        Layer::Filter(line) => {
            filter::update::accept(state, line);
            Vec::new()
        }
        Layer::Palette(mut palette) => match palette::update::act(state, &mut palette, action) {
            Some(Command::Act(action, _)) => return Done::Act(action),
            Some(Command::Choose(choice)) => dialogs::update::choose(state, choice),
            None => {
                state.layers.push(Layer::Palette(palette));
                Vec::new()
            }
        },
        Layer::Form(form) => form::update::act(state, form, action),
        Layer::Menu(menu) => dialogs::update::act_in_menu(state, menu, action),
        Layer::Confirm(confirm) => dialogs::update::act_in_question(state, *confirm, action),
        Layer::Load => {
            state.layers.push(Layer::Load);
            load::update::act(state, action)
        }
        Layer::Log(scroll) => {
            // It is read from its end.
            let lines = -lines(state, action);
            state.layers.push(Layer::Log(scrolled(scroll, lines)));
            Vec::new()
        }
        Layer::Help(scroll) => {
            let lines = lines(state, action);
            state.layers.push(Layer::Help(scrolled(scroll, lines)));
            Vec::new()
        }
    })
}

/// By how many lines a key moves down in a window that is scrolled.
fn lines(state: &State, action: Action) -> isize {
    rows_moved(action, usize::from(state.size.height / 2)).unwrap_or(0)
}

fn scrolled(mut scroll: Scroll, lines: isize) -> Scroll {
    scroll.by(lines);
    scroll
}

/// Types a key into the topmost layer, if it takes text.
pub(crate) fn edit(state: &mut State, chord: Chord) {
    if state.is_unseen() {
        return;
    }
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            if line.input.edit(chord) {
                filter::update::as_typed(state);
            }
        }
        Some(Layer::Palette(palette)) => {
            if palette.query.edit(chord) {
                palette.at = 0;
            }
        }
        Some(Layer::Form(form)) => form.edit(chord),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Load | Layer::Log(_) | Layer::Help(_)) | None => {}
    }
}

/// Pastes into the topmost layer, if it takes text. Nowhere else does pasted text act as keys, and that is told.
pub(crate) fn paste(state: &mut State, text: &str) {
    if state.is_unseen() {
        return;
    }
    match state.layers.last_mut() {
        Some(Layer::Filter(line)) => {
            line.input.insert(text);
            filter::update::as_typed(state);
        }
        Some(Layer::Palette(palette)) => palette.query.insert(text),
        Some(Layer::Form(form)) => form.paste(text),
        Some(Layer::Menu(_) | Layer::Confirm(_) | Layer::Load | Layer::Log(_) | Layer::Help(_)) | None => {
            state.toasts.say(Notice::Reason(Text::WhyPasteActsNot), state.now);
        }
    }
}

/// Highlights the choice that was clicked; whether there is something to take now.
pub(crate) fn highlight(state: &mut State, choice: usize) -> bool {
    match state.layers.last_mut() {
        Some(Layer::Menu(menu)) => menu.at = choice,
        Some(Layer::Palette(palette)) => palette.at = choice,
        Some(Layer::Confirm(confirm)) => confirm.yes = choice == 1,
        Some(Layer::Filter(_) | Layer::Form(_) | Layer::Load | Layer::Log(_) | Layer::Help(_)) | None => {
            return false;
        }
    }
    true
}

/// Does what a click on a form does; returns what a key there does besides.
pub(crate) fn click_form(state: &mut State, spot: FormSpot) -> Option<Action> {
    form::update::click(state, spot)
}

/// Lines or choices that one notch of the wheel moves in the topmost layer: in a list one choice; a text scrolls further.
pub(crate) fn wheel_steps(state: &State, of_a_text: usize) -> usize {
    match state.layers.last() {
        Some(Layer::Help(_) | Layer::Log(_)) => of_a_text,
        Some(Layer::Menu(_) | Layer::Palette(_) | Layer::Form(_)) => 1,
        Some(Layer::Filter(_) | Layer::Confirm(_) | Layer::Load) | None => 0,
    }
}
