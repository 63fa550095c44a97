//! What a frame shows, as far as keys and the mouse go by it: what stands where, and how far it scrolls. It is recorded
//! while the frame is drawn, so that a click finds exactly what its user saw.

use ratatui::layout::{Position, Rect};

use super::keys::Action;
use super::layers::form::state::FormSpot;
use super::tab::Tab;

/// What can be clicked, or turned the wheel on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A tab.
    Tab(Tab),
    /// A key in the footer.
    Action(Action),
    /// The name of the column at this place of the table's.
    Sort(usize),
    /// A row of the table, by its place in the window.
    Row(usize),
    /// The detail of an order.
    Detail,
    /// A part of a form.
    Form(FormSpot),
    /// A choice of a menu or the palette, or an answer to a question: no, yes.
    Choice(usize),
}

/// How far a text is scrolled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scroll {
    /// Lines that were scrolled away.
    pub at: usize,
    /// As far as it can be scrolled; not known before it was drawn.
    end: Option<usize>,
}

impl Scroll {
    /// Scrolls on by so many lines, as far as it can be.
    pub fn by(&mut self, lines: isize) {
        self.at = self.at.saturating_add_signed(lines).min(self.end.unwrap_or(usize::MAX));
    }

    /// As it is where `shown` of `lines` fit on the screen.
    #[must_use]
    pub fn within(self, lines: usize, shown: usize) -> Self {
        let end = lines.saturating_sub(shown);
        Self { at: self.at.min(end), end: Some(end) }
    }

    /// Scrolls as little as needed for no more than `kept` lines to be left, and no less than has it among `shown` lines.
    pub fn keep(&mut self, kept: usize, shown: usize) {
        let least = self.end.unwrap_or(0).saturating_sub(kept);
        self.at = self.at.clamp(least, least.saturating_add(shown.saturating_sub(1)));
    }

    /// Lines beyond what is shown.
    #[must_use]
    pub fn left(self) -> usize {
        self.end.unwrap_or(0).saturating_sub(self.at)
    }
}

/// What a frame shows.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What stands where, later ones over earlier ones; nothing that can be clicked where it is `None`.
    spots: Vec<(Rect, Option<Spot>)>,
    /// How far the screen itself is scrolled: the detail of an order, or the health of it all.
    pub screen: Option<Scroll>,
    /// How far the topmost layer is scrolled.
    pub layer: Option<Scroll>,
}

impl Shown {
    /// What can be clicked at a place of the screen.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<Spot> {
        let place = Position { x, y };
        self.spots.iter().rev().find(|(area, _)| area.contains(place)).and_then(|(_, spot)| *spot)
    }

    /// `spot` was drawn on `area`; without one, something that cannot be clicked.
    pub(super) fn record(&mut self, area: Rect, spot: Option<Spot>) {
        self.spots.push((area, spot));
    }

    /// How many spots were recorded so far.
    pub(super) fn spots(&self) -> usize {
        self.spots.len()
    }

    /// Only the first `kept` spots can still be clicked: something lies over the others.
    pub(super) fn cover_down_to(&mut self, kept: usize) {
        self.spots.truncate(kept);
    }
}
