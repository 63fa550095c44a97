//! The size of the screen, and what it has room for.

/// Least columns of a screen that can be used.
pub const MIN_WIDTH: u16 = 60;
/// Least rows of a screen that can be used.
pub const MIN_HEIGHT: u16 = 16;
/// From this many columns on there is room for something beside the table.
const WIDE_FROM: u16 = 110;

/// Columns and rows of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Size {
    /// Whether something fits beside the table.
    #[must_use]
    pub const fn is_wide(self) -> bool {
        self.width >= WIDE_FROM
    }

    /// Whether it is too small for anything but saying so.
    #[must_use]
    pub const fn is_too_small(self) -> bool {
        self.width < MIN_WIDTH || self.height < MIN_HEIGHT
    }
}
