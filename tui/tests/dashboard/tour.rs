//! The screens and the key table of `docs/tour.md`, and the README's picture, made from the program: they cannot go stale.
//!
//! `UPDATE_TOUR=1 cargo test -p skstore --test dashboard tour` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use skstore::dashboard::keys::{Keymap, Scope};
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::text::{Language, fit};
use skstore_domain::breaker::BreakerState;

use crate::builders::*;
use crate::load::put_load;
use crate::sample::*;

/// Columns and rows of the tour's screens.
const SCREEN: (u16, u16) = (100, 24);
/// Columns and rows of the picture's screens.
const PICTURE: (u16, u16) = (120, 30);
/// Width and height of a character in the picture, in pixels.
const CELL: (f64, f64) = (8.4, 18.0);

/// The file is as it must be; or is made so if that is asked for.
fn holds(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE_TOUR").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "{} is stale: run this test with UPDATE_TOUR=1", path.display());
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What stands between two marks of the tour is `expected`.
fn tour_holds(mark: &str, expected: &str) {
    // One at a time: whoever writes must have read what another has written.
    static TOUR: Mutex<()> = Mutex::new(());
    let _alone = TOUR.lock().unwrap_or_else(PoisonError::into_inner);
    let path = in_repository("docs/tour.md");
    let tour = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let (before, rest) = tour.split_once(&begin).expect("the tour has the beginning's mark");
    let (_, after) = rest.split_once(&end).expect("the tour has the end's mark");
    holds(&path, &format!("{before}{begin}{expected}{end}{after}"));
}

/// The desk while Deposit is slow: the breaker is open.
fn in_trouble(language: Language, size: (u16, u16)) -> State {
    sample(language, size, tripped())
}

#[test]
fn the_tour_shows_the_screens_as_they_are() {
    let placing = sample_placing(Language::English, SCREEN);
    let mut then = sample_opened(Language::English, SCREEN);
    press(&mut then, KeyCode::Left);
    press(&mut then, KeyCode::Left);
    let mut palette = sample_showing(Tab::Items, Language::English, SCREEN);
    press(&mut palette, ':');
    type_in(&mut palette, "re");
    let mut load = in_trouble(Language::English, SCREEN);
    put_load(&mut load);
    let screens = [
        (
            "Orders, while Deposit is slow: the breaker is open and says why.",
            in_trouble(Language::English, SCREEN),
        ),
        ("`n` places an order, and says beforehand what it comes to.", placing),
        ("Enter opens an order; `←` and `→` go through its time.", then),
        ("`5`: what happens, as it happens.", sample_showing(Tab::Events, Language::English, SCREEN)),
        ("`w` puts load on the desk, faster and slower while one watches; `skstore load` does more.", load),
        ("`:` finds every command by its name.", palette),
        ("`l`: 한국어.", in_trouble(Language::Korean, SCREEN)),
    ];
    let mut tour = String::new();
    for (title, state) in screens {
        writeln!(tour, "\n{title}\n\n```\n{}```", screen(&state)).unwrap();
    }
    tour.push('\n');
    tour_holds("screens", &tour);
}

#[test]
fn the_tour_lists_the_keys_as_they_are() {
    let keymap = Keymap::default();
    let mut table = String::from("\n| key | does | where | name in `[keys]` |\n|---|---|---|---|\n");
    let places = |scopes: &[Scope]| -> String {
        let tabs = Tab::ALL.iter().map(|tab| Scope::of(*tab));
        if tabs.clone().all(|scope| scopes.contains(&scope)) {
            return "everywhere".to_owned();
        }
        let names: Vec<&str> = scopes.iter().map(|scope| Language::English.get(scope.text())).collect();
        names.join(", ")
    };
    let shown = keymap.all().iter().filter(|bound| !bound.scopes.iter().any(|scope| scope.takes_text()));
    for bound in shown {
        let keys: Vec<String> = bound.keys.iter().map(|key| format!("`{}`", key.name(false))).collect();
        let (does, place) = (Language::English.get(bound.explained()), places(bound.scopes));
        writeln!(table, "| {} | {does} | {place} | `{}` |", keys.join(" "), bound.action.word()).unwrap();
    }
    table.push('\n');
    tour_holds("keys", &table);
}

#[test]
fn the_picture_shows_the_screens_as_they_are() {
    let mut open = in_trouble(Language::English, PICTURE);
    assert_eq!(open.worst_breaker(), Some(BreakerState::Open));
    press(&mut open, 'j');
    let detail = sample_opened(Language::English, PICTURE);
    holds(&in_repository("tui/tour.svg"), &picture(&[buffer(&open), buffer(&detail)]));
}

/// Screens below one another, as an SVG.
fn picture(screens: &[Buffer]) -> String {
    let (columns, rows) = PICTURE;
    let (width, height) = (f64::from(columns) * CELL.0, f64::from(rows) * CELL.1);
    let gap = CELL.1;
    let count = f64::from(u32::try_from(screens.len()).unwrap());
    let whole = count * height + (count - 1.0) * gap;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{whole:.0}\" \
         viewBox=\"0 0 {width:.0} {whole:.0}\" font-family=\"monospace\" font-size=\"14\">\n"
    );
    let mut top = 0.0;
    for screen in screens {
        writeln!(
            svg,
            "<rect y=\"{top:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"6\" fill=\"#16161a\"/>"
        )
        .unwrap();
        for y in 0..screen.area.height {
            draw_row(&mut svg, screen, y, top + f64::from(y) * CELL.1);
        }
        top += height + gap;
    }
    svg.push_str("</svg>\n");
    svg
}

/// A row in runs of cells that look the same.
fn draw_row(svg: &mut String, screen: &Buffer, y: u16, top: f64) {
    let mut x = 0;
    while x < screen.area.width {
        let first = &screen[(x, y)];
        let look = (first.fg, first.bg, first.modifier);
        let (start, mut text) = (x, String::new());
        while x < screen.area.width && (screen[(x, y)].fg, screen[(x, y)].bg, screen[(x, y)].modifier) == look
        {
            let symbol = screen[(x, y)].symbol();
            text.push_str(symbol);
            x += u16::try_from(fit::width(symbol)).unwrap().max(1);
        }
        let (left, width) = (f64::from(start) * CELL.0, f64::from(x - start) * CELL.0);
        let is_reversed = look.2.contains(Modifier::REVERSED);
        let (ink, paper) = (rgb(look.0, "#d0d0d0"), rgb(look.1, "#16161a"));
        let (ink, paper) = if is_reversed { (paper, ink) } else { (ink, paper) };
        if paper != "#16161a" {
            writeln!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"{:.0}\" fill=\"{paper}\"/>",
                CELL.1
            )
            .unwrap();
        }
        if text.trim().is_empty() {
            continue;
        }
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let weight = if look.2.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        writeln!(
            svg,
            "<text x=\"{left:.1}\" y=\"{:.0}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\" fill=\"{ink}\"{weight}>{text}</text>",
            top + 13.0
        )
        .unwrap();
    }
}

/// A colour of the 256 as the web writes it.
fn rgb(color: Color, otherwise: &str) -> String {
    let Color::Indexed(index) = color else { return otherwise.to_owned() };
    let cube = |level: u8| if level == 0 { 0 } else { 55 + 40 * level };
    let [r, g, b] = match index {
        16..=231 => [cube((index - 16) / 36), cube((index - 16) / 6 % 6), cube((index - 16) % 6)],
        232..=255 => [8 + 10 * (index - 232); 3],
        other => panic!("the terminal chooses the colour {other}"),
    };
    format!("#{r:02x}{g:02x}{b:02x}")
}
