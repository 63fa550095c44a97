//! Each theme as it is on the screen: not only what is said, but in which colours and how marked.

use std::fmt::Write as _;

use crossterm::event::KeyCode;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use skstore::dashboard::message::Message;
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::{Language, fit};
use skstore::theme::ThemeName;

use crate::builders::*;

/// What a cell looks like, whatever stands in it.
type Style = (Color, Color, Modifier);

fn style_of(cell: &Cell) -> Style {
    (cell.fg, cell.bg, cell.modifier)
}

/// The cells of a row that are seen: what is covered by a wide character to its left is not.
fn seen(buffer: &Buffer, y: u16) -> Vec<&Cell> {
    let mut cells = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        cells.push(&buffer[(x, y)]);
        x += columns_of(&buffer[(x, y)]);
    }
    cells
}

fn columns_of(cell: &Cell) -> u16 {
    u16::try_from(fit::width(cell.symbol())).unwrap().max(1)
}

/// The screen, below each of its lines a letter for the style of each column, and what the letters mean. The style
/// that most of the screen has is a blank.
fn styled(buffer: &Buffer) -> String {
    let rows: Vec<Vec<&Cell>> = (0..buffer.area.height).map(|y| seen(buffer, y)).collect();
    let cells = || rows.iter().flatten().copied();
    let mut styles: Vec<Style> = Vec::new();
    for style in cells().map(style_of) {
        if !styles.contains(&style) {
            styles.push(style);
        }
    }
    let count = |style: &Style| cells().filter(|cell| style_of(cell) == *style).count();
    let plain = *styles.iter().max_by_key(|style| count(style)).unwrap();
    styles.retain(|style| *style != plain);
    let letters: Vec<(Style, char)> = styles.into_iter().zip('a'..='z').collect();
    let letter =
        |cell: &Cell| letters.iter().find(|(style, _)| *style == style_of(cell)).map_or(' ', |it| it.1);
    let mut dump = String::new();
    for (line, row) in text_of(buffer).lines().zip(&rows) {
        let marks = row.iter().map(|cell| String::from(letter(cell)).repeat(usize::from(columns_of(cell))));
        writeln!(dump, "{line}\n{}", marks.collect::<String>().trim_end()).unwrap();
    }
    for ((fg, bg, modifier), letter) in [(plain, ' ')].iter().chain(&letters) {
        writeln!(dump, "'{letter}' {fg} on {bg} {modifier:?}").unwrap();
    }
    dump
}

/// A desk in trouble, with a row selected and a banner above it: nearly every style there is.
fn in_trouble() -> State {
    let mut state = started(Language::English, 80, 24);
    reads(&mut state, rows(), tripped());
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    update(&mut state, NOW, Message::BusLost { cause: "connection refused".into(), retry_at: ago(-2000) });
    state
}

/// A form that is being filled in: nearly every style that the table has not.
fn ordering() -> State {
    let mut state = in_trouble();
    press(&mut state, 'n');
    reads(&mut state, rows(), tripped());
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Tab);
    type_in(&mut state, "9");
    press(&mut state, KeyCode::BackTab);
    state
}

#[test]
fn every_theme_looks_as_it_is_meant_to() {
    for theme in ThemeName::ALL {
        for (name, mut state) in [("trouble", in_trouble()), ("form", ordering())] {
            state.look.theme = *theme;
            insta::assert_snapshot!(format!("{name}_{theme:?}").to_lowercase(), styled(&buffer(&state)));
        }
    }
}
