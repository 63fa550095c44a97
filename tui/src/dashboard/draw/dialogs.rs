//! Menus and questions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::{Order, OrderStatus};

use super::dead;
use super::ink::{Ink, centred, paint, within};
use crate::dashboard::message::Mouse;
use crate::dashboard::state::State;
use crate::dashboard::state::dialogs::{Choice, Confirm, Menu, MenuKind, Question};
use crate::text::{Text, fit};

/// Columns of a menu or a question, with its frame.
const WIDTH: u16 = 58;

/// The window of so many lines.
fn window_of(state: &State, lines: usize) -> Rect {
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    centred(state.size, WIDTH, height)
}

/// Where the choices of a menu are.
pub(super) fn menu_area(state: &State, menu: Menu) -> Rect {
    within(window_of(state, menu.kind.choices().len()))
}

pub(super) fn draw_menu(state: &State, menu: Menu, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let title = ink.text(match menu.kind {
        MenuKind::Breaker => Text::MenuBreaker,
        MenuKind::Faults => Text::MenuFaults,
    });
    let choices = menu.kind.choices();
    let area = ink.window_at(frame, title, window_of(state, choices.len()), ink.theme.border);
    let width = usize::from(area.width);
    let lines: Vec<Line<'_>> = choices
        .iter()
        .enumerate()
        .map(|(at, choice)| {
            let is_highlighted = at == menu.at;
            let marker = if is_highlighted { ink.glyphs.marker } else { " " };
            let line = Line::from(ink.left(&format!("{marker} {}", choice.words(ink.language)), width));
            if is_highlighted { line.style(ink.theme.selected) } else { line }
        })
        .collect();
    paint(frame, area, &lines);
}

pub(super) fn draw_question(state: &State, confirm: &Confirm, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let lines = question_lines(state, confirm, ink);
    let title = match &confirm.question {
        Question::Cancel(_) => Text::AskCancel,
        Question::Choice(Choice::Breaker(_)) => Text::AskBreaker,
        Question::Choice(Choice::Fault(..)) => Text::AskFault,
        Question::Deal(_) => Text::AskDeal,
    };
    let area = ink.window_at(frame, ink.text(title), window_of(state, lines.len()), ink.theme.border);
    paint(frame, area, &lines);
}

fn question_lines(state: &State, confirm: &Confirm, ink: &Ink<'_>) -> Vec<Line<'static>> {
    let facts = match &confirm.question {
        Question::Cancel(order) => order_facts(state, ink, order),
        Question::Choice(choice) => vec![choice.words(ink.language)],
        Question::Deal(plan) => dead::plan(ink, plan),
    };
    let room = usize::from(WIDTH.min(state.size.width)).saturating_sub(4);
    let mut lines: Vec<Line<'static>> = facts
        .iter()
        .flat_map(|fact| fit::wrap(fact, room, 2, ink.glyphs.more))
        .map(|line| Line::from(Span::styled(line, ink.theme.text)))
        .collect();
    lines.push(Line::default());
    lines.push(buttons(ink, confirm.yes));
    lines
}

/// Whether yes or no is at a place of the screen.
pub(super) fn button_at(state: &State, confirm: &Confirm, ink: &Ink<'_>, mouse: Mouse) -> Option<bool> {
    let area = within(window_of(state, question_lines(state, confirm, ink).len()));
    let x = usize::from(mouse.x.checked_sub(area.x)?);
    let buttons = buttons(ink, confirm.yes);
    let mut spans = buttons.spans.iter().map(Span::width);
    let (no, gap, yes) = (spans.next()?, spans.next()?, spans.next()?);
    if mouse.y + 1 != area.bottom() || x >= no + gap + yes {
        return None;
    }
    if x < no { Some(false) } else { (x >= no + gap).then_some(true) }
}

fn order_facts(state: &State, ink: &Ink<'_>, order: &Order) -> Vec<String> {
    let (item, amount) = (state.names().of_order(order), ink.fill(Text::WonAmount, &[&order.amount]));
    let consequence = match order.status {
        OrderStatus::Paying => Text::AskCancelPaying,
        OrderStatus::Placed | OrderStatus::Delivering | OrderStatus::Cancelled | OrderStatus::Rejected => {
            Text::AskCancelPaid
        }
    };
    vec![
        order.order_id.to_string(),
        format!("{}, {item} {} {}, {amount}", order.customer, ink.glyphs.times, order.qty),
        ink.text(consequence).to_owned(),
    ]
}

/// Both answers, the highlighted one marked.
fn buttons(ink: &Ink<'_>, yes: bool) -> Line<'static> {
    let button = |text: Text, is_highlighted: bool| {
        let marker = if is_highlighted { ink.glyphs.marker } else { " " };
        let style = if is_highlighted { ink.theme.selected } else { ink.theme.dim };
        Span::styled(format!("{marker} {}  ", ink.text(text)), style)
    };
    Line::from(vec![button(Text::No, !yes), Span::raw("  "), button(Text::Yes, yes)])
}
