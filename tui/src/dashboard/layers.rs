//! What lies over the screen: a filter, the palette, forms, menus, questions, the load, the log, the help.

use dialogs::state::{Confirm, Menu};
use filter::state::FilterLine;
use form::state::Form;
use palette::state::Palette;

use super::shown::Scroll;

pub mod dialogs;
pub mod filter;
pub mod form;
pub mod input;
pub mod load;
pub mod palette;

pub(crate) mod draw;
pub(super) mod help;
mod log;
pub(crate) mod update;

/// What lies over the screen. The topmost takes the keys.
#[derive(Debug, Clone)]
pub enum Layer {
    /// A filter is being typed.
    Filter(Box<FilterLine>),
    /// A command is being looked for.
    Palette(Box<Palette>),
    /// A form is being filled in.
    Form(Box<Form>),
    /// Something is being chosen.
    Menu(Menu),
    /// Something is asked.
    Confirm(Box<Confirm>),
    /// The load that is put on the desk from here.
    Load,
    /// The last lines of the log, scrolled up from its end.
    Log(Scroll),
    /// All keys, scrolled down.
    Help(Scroll),
}
