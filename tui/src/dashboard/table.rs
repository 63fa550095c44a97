//! What tables have in common: a window over the view's rows, moving and sorting in it, its heading and rows on the
//! screen.

pub(crate) mod by_name;
pub(crate) mod heading;
pub mod listing;
pub mod movement;
pub(crate) mod rows;
pub mod sort;
