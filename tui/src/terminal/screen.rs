//! The surface that is drawn on: a terminal, reached through the [`Outlet`], that has a [size](super::size) even where it
//! does not know it.

use std::io;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::outlet::{Outlet, Sheet};
use super::size::known;

/// A terminal to draw on.
#[derive(Debug)]
pub struct Screen {
    drawn: CrosstermBackend<Sheet>,
    assumed: Size,
}

impl Screen {
    /// What is behind `outlet`.
    #[must_use]
    pub const fn new(outlet: Outlet, assumed: Size) -> Self {
        Self { drawn: CrosstermBackend::new(Sheet::new(outlet)), assumed }
    }
}

impl Backend for Screen {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.drawn.draw(content)
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.drawn.append_lines(n)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.drawn.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        // Asked for in the end, also of a terminal that is gone; ratatui would print why that fails, there.
        let _ = self.drawn.show_cursor();
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.drawn.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.drawn.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.drawn.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.drawn.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.drawn.size().map(|told| known(told, self.assumed))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let told = self.drawn.window_size()?;
        Ok(WindowSize { columns_rows: known(told.columns_rows, self.assumed), ..told })
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.drawn)
    }
}
