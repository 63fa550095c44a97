//! Menus and questions.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::objects::{Order, OrderStatus};

use super::dead;
use super::ink::{Ink, paint};
use super::toasts::fault_words;
use crate::dashboard::state::State;
use crate::dashboard::state::dialogs::{Choice, Confirm, Menu, MenuKind, Question};
use crate::text::{Text, fit};

/// Columns of a menu or a question, with its frame.
const WIDTH: u16 = 58;

pub(super) fn draw_menu(state: &State, menu: Menu, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let title = ink.text(match menu.kind {
        MenuKind::Breaker => Text::MenuBreaker,
        MenuKind::Faults => Text::MenuFaults,
    });
    let choices = menu.kind.choices();
    let height = u16::try_from(choices.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = ink.window(frame, title, WIDTH.min(state.size.width), height);
    let width = usize::from(area.width);
    let lines: Vec<Line<'_>> = choices
        .iter()
        .enumerate()
        .map(|(at, choice)| {
            let is_highlighted = at == menu.at;
            let marker = if is_highlighted { ink.glyphs.marker } else { " " };
            let line = Line::from(ink.left(&format!("{marker} {}", choice_words(ink, *choice)), width));
            if is_highlighted { line.style(ink.theme.selected) } else { line }
        })
        .collect();
    paint(frame, area, &lines);
}

fn choice_words(ink: &Ink<'_>, choice: Choice) -> String {
    match choice {
        Choice::Breaker(BreakerMode::Auto) => ink.text(Text::ChoiceAuto).to_owned(),
        Choice::Breaker(BreakerMode::Open) => ink.text(Text::ChoiceOpen).to_owned(),
        Choice::Breaker(BreakerMode::Closed) => ink.text(Text::ChoiceClosed).to_owned(),
        Choice::Fault(service, fault) => {
            ink.fill(Text::ChoiceFault, &[&ink.word(&service), &fault_words(ink, fault)])
        }
    }
}

pub(super) fn draw_question(state: &State, confirm: &Confirm, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let (title, facts) = match &confirm.question {
        Question::Cancel(order) => (Text::AskCancel, order_facts(ink, order)),
        Question::Choice(choice @ Choice::Breaker(_)) => (Text::AskBreaker, vec![choice_words(ink, *choice)]),
        Question::Choice(choice @ Choice::Fault(..)) => (Text::AskFault, vec![choice_words(ink, *choice)]),
        Question::Deal(plan) => (Text::AskDeal, dead::plan(ink, plan)),
    };
    let room = usize::from(WIDTH.min(state.size.width)).saturating_sub(4);
    let mut lines: Vec<Line<'static>> = facts
        .iter()
        .flat_map(|fact| fit::wrap(fact, room, 2, ink.glyphs.more))
        .map(|line| Line::from(Span::styled(line, ink.theme.text)))
        .collect();
    lines.push(Line::default());
    lines.push(buttons(ink, confirm.yes));
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = ink.window(frame, ink.text(title), WIDTH, height);
    paint(frame, area, &lines);
}

fn order_facts(ink: &Ink<'_>, order: &Order) -> Vec<String> {
    let amount = ink.fill(Text::WonAmount, &[&order.amount]);
    let consequence = match order.status {
        OrderStatus::Paying => Text::AskCancelPaying,
        OrderStatus::Placed | OrderStatus::Delivering | OrderStatus::Cancelled | OrderStatus::Rejected => {
            Text::AskCancelPaid
        }
    };
    vec![
        order.order_id.to_string(),
        format!("{}, {} {} {}, {amount}", order.customer, order.item_name, ink.glyphs.times, order.qty),
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
