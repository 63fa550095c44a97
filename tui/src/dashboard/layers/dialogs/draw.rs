//! How menus and questions look.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::faults::FAULT_FOR;
use skstore_domain::objects::{Order, OrderStatus};

use super::state::{Choice, Confirm, Menu, MenuKind, Question};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::screens::dead_letters::words;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::State;
use crate::text::{Text, fit, times};

/// Columns of a menu or a question, with its frame.
const WIDTH: u16 = 58;

/// An empty window of so many lines; what is within.
fn window(ink: &Ink<'_>, canvas: &mut Canvas<'_>, title: Text, lines: usize) -> Rect {
    let height = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2);
    ink.window(canvas, ink.text(title), WIDTH, height)
}

/// Draws a menu.
pub(crate) fn menu(menu: Menu, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let title = match menu.kind {
        MenuKind::Breaker => Text::MenuBreaker,
        MenuKind::Faults => Text::MenuFaults,
    };
    let choices = menu.kind.choices();
    let area = window(ink, canvas, title, choices.len());
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
    canvas.paint(area, &lines);
    canvas.spot_rows(area, (0..choices.len()).map(Spot::Choice));
}

/// Draws a question: the facts, and below them the answers.
pub(crate) fn question(state: &State, confirm: &Confirm, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let (title, facts) = match &confirm.question {
        Question::Cancel(order) => (Text::AskCancel, order_facts(state, ink, order)),
        Question::Choice(choice @ Choice::Breaker(_)) => (Text::AskBreaker, vec![choice.words(ink.language)]),
        Question::Choice(choice @ (Choice::Fault(..) | Choice::Crash(_) | Choice::Heal)) => {
            (Text::AskFault, vec![choice.words(ink.language), how_it_ends(ink, *choice)])
        }
        Question::Deal(plan) => (Text::AskDeal, words::plan(ink, plan)),
    };
    let room = usize::from(WIDTH.min(state.size.width)).saturating_sub(4);
    let mut lines: Vec<Line<'static>> = facts
        .iter()
        .flat_map(|fact| fit::wrap(fact, room, 2, ink.glyphs.more))
        .map(|line| Line::from(Span::styled(line, ink.theme.text)))
        .collect();
    lines.push(Line::default());
    let area = window(ink, canvas, title, lines.len() + 1);
    canvas.paint(area, &lines);
    let last = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
    answers(ink, canvas, last, confirm.yes);
}

/// What is to be known beforehand of a fault.
fn how_it_ends(ink: &Ink<'_>, choice: Choice) -> String {
    match choice {
        Choice::Crash(_) => ink.text(Text::CrashOnBus).to_owned(),
        Choice::Fault(..) | Choice::Heal | Choice::Breaker(_) => {
            ink.fill(Text::FaultEnds, &[&times::took(ink.language, FAULT_FOR)])
        }
    }
}

/// Both answers, the highlighted one marked.
fn answers(ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect, yes: bool) {
    let mut line = Line::default();
    for (at, (text, is_highlighted)) in [(Text::No, !yes), (Text::Yes, yes)].into_iter().enumerate() {
        if at > 0 {
            line.push_span(Span::raw("  "));
        }
        let marker = if is_highlighted { ink.glyphs.marker } else { " " };
        let style = if is_highlighted { ink.theme.selected } else { ink.theme.dim };
        let from = line.width();
        line.push_span(Span::styled(format!("{marker} {}  ", ink.text(text)), style));
        canvas.spot_on(area, from..line.width(), Spot::Choice(at));
    }
    canvas.paint(area, &[line]);
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
