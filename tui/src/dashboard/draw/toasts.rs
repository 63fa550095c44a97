//! Short messages in the lower right corner, and the sentences for what came of a request.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::answers::{Answer, AnswerError, ErrorCode};
use skstore_domain::ids::{ItemId, OrderId};
use skstore_workers::desk::DeskError;

use super::dead;
use super::header::grouped;
use super::ink::{Ink, paint};
use super::services::instance_end;
use crate::dashboard::keys::Action;
use crate::dashboard::message::Request;
use crate::dashboard::state::State;
use crate::dashboard::state::toasts::{Notice, Outcome};
use crate::text::words::fault_words;
use crate::text::{Text, fit, times};

/// Columns of the messages, with their frame.
const WIDTH: u16 = 58;
/// Lines of one message.
const MESSAGE_LINES: usize = 4;

/// Draws the messages above the row `bottom`, the newest lowest; of more than fit, the newest.
pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, bottom: u16) {
    if state.toasts.is_empty() {
        return;
    }
    let screen = frame.area();
    let width = WIDTH.min(screen.width);
    let room = usize::from(width.saturating_sub(4));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for toast in state.toasts.all() {
        let (text, style) = words(state, ink, &toast.notice);
        let wrapped = fit::wrap(&text, room, MESSAGE_LINES, ink.glyphs.more);
        lines.extend(wrapped.into_iter().map(|line| Line::from(Span::styled(line, style))));
    }
    // Never more than half of the screen.
    let most = usize::from(screen.height / 2).saturating_sub(2).max(1);
    let skipped = lines.len().saturating_sub(most);
    let lines: Vec<Line<'static>> = lines.into_iter().skip(skipped).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let bottom = bottom.min(screen.height);
    let area =
        Rect { x: screen.width - width, y: bottom.saturating_sub(height), width, height: height.min(bottom) };
    let inner = ink.window_at(frame, "", area, ink.theme.title);
    paint(frame, inner, &lines);
}

fn words(state: &State, ink: &Ink<'_>, notice: &Notice) -> (String, Style) {
    match notice {
        Notice::Reason(reason) => (ink.text(*reason).to_owned(), ink.theme.warn),
        Notice::Summary(deal, report) => {
            let style = if report.summary.done > 0 && !deal.is_dry { ink.theme.ok } else { ink.theme.warn };
            (dead::summary(ink, deal, report), style)
        }
        Notice::NotDealt(problem) => (dead::problem(ink, problem), ink.theme.bad),
        Notice::CopySent(text) => (ink.fill(Text::CopySent, &[text]), ink.theme.text),
        Notice::Zone(label) => (ink.fill(Text::TimesIn, &[label]), ink.theme.text),
        Notice::Syllable { syllable, keys } => {
            (ink.fill(Text::WhySyllableActsNot, &[syllable, keys]), ink.theme.warn)
        }
        Notice::Filter(bad) => (ink.fill(bad.text, &[&bad.typed]), ink.theme.warn),
        Notice::Request(request, outcome) => {
            let (said, style) = outcome_words(state, ink, outcome);
            (format!("{}: {said}", describe(state, ink, request)), style)
        }
    }
}

/// What was asked for, in a few words.
fn describe(state: &State, ink: &Ink<'_>, request: &Request) -> String {
    match request {
        Request::Place(place) => {
            let customer = place.customer.as_ref().map_or("-", |customer| customer.as_str());
            ink.fill(Text::ToastPlace, &[&customer, &item_name(state, &place.item_id), &place.qty])
        }
        Request::Cancel(id) => ink.fill(Text::ToastCancel, &[&end(ink, id)]),
        Request::Order(id) | Request::Payment(id) => ink.fill(Text::ToastQuery, &[&end(ink, id)]),
        Request::TopUp(top_up) => ink.fill(Text::ToastTopUp, &[&top_up.customer, &top_up.amount]),
        Request::Restock(restock) => {
            let item = item_name(state, &restock.item_id);
            ink.fill(Text::ToastRestock, &[&item, &grouped(restock.qty)])
        }
        Request::ForceBreaker(mode) => ink.fill(Text::ToastBreaker, &[&ink.word(mode)]),
        Request::Inject(service, fault) => {
            ink.fill(Text::ToastFault, &[&ink.word(service), &fault_words(ink.language, *fault)])
        }
    }
}

fn outcome_words(state: &State, ink: &Ink<'_>, outcome: &Outcome) -> (String, Style) {
    let key = ink.key(state.base_scope(), Action::Retry);
    match outcome {
        Outcome::Waiting => (ink.text(Text::Sent).to_owned(), ink.theme.dim),
        Outcome::Done(answer) => (done(ink, answer), ink.theme.ok),
        Outcome::Refused(error) => (refusal(ink, error), ink.theme.bad),
        Outcome::TryLater(error, at) => {
            let left = times::seconds_left(state.now, *at);
            let then = if left == 0 {
                ink.fill(Text::RetryNow, &[&key])
            } else {
                ink.fill(Text::RetryIn, &[&left, &key])
            };
            (format!("{} {then}", sentence(ink.word(&error.code))), ink.theme.warn)
        }
        Outcome::NoAnswer(error) => {
            let again = ink.fill(Text::AskAgain, &[&key]);
            (format!("{} {again}", sentence(&failure(ink, error))), ink.theme.warn)
        }
        Outcome::Unreachable(cause) => {
            let again = ink.fill(Text::RetryNow, &[&key]);
            (format!("{} {again}", sentence(&ink.fill(Text::Unreachable, &[cause]))), ink.theme.bad)
        }
    }
}

/// What an answer says that is worth showing.
fn done(ink: &Ink<'_>, answer: &Answer) -> String {
    if let Some(order) = &answer.order {
        let word = if order.cancel_requested && !order.status.is_ended() {
            ink.text(Text::CancelRequested)
        } else {
            ink.word(&order.status)
        };
        return ink.fill(Text::DoneOrder, &[&word]);
    }
    if let Some(account) = &answer.account {
        return ink.fill(Text::DoneOrder, &[&ink.fill(Text::Balance, &[&account.balance])]);
    }
    if let Some(item) = &answer.item {
        return ink.fill(Text::DoneOrder, &[&ink.fill(Text::Stock, &[&grouped(item.stock)])]);
    }
    ink.text(Text::Done).to_owned()
}

/// A refusal: our word for its code, and where that leaves something open what the service itself says of it.
pub(super) fn refusal(ink: &Ink<'_>, error: &AnswerError) -> String {
    let word = ink.word(&error.code);
    match error.code {
        ErrorCode::Invalid | ErrorCode::NotFound | ErrorCode::Conflict | ErrorCode::Internal => {
            format!("{word} ({})", error.message)
        }
        ErrorCode::Declined | ErrorCode::PaymentTimeout | ErrorCode::TryLater | ErrorCode::Cancelled => {
            word.to_owned()
        }
    }
}

/// Why there is no answer.
pub(super) fn failure(ink: &Ink<'_>, error: &DeskError) -> String {
    match error {
        DeskError::NoAnswer { service, within } => {
            ink.fill(Text::NoAnswer, &[&ink.word(service), &within.as_secs()])
        }
        DeskError::Lost { service } => ink.fill(Text::AnswerLost, &[&ink.word(service)]),
        DeskError::Unreachable(cause) => ink.fill(Text::BannerBusLost, &[cause]),
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

fn item_name<'a>(state: &'a State, id: &'a ItemId) -> &'a str {
    state.names().of(id).unwrap_or_else(|| id.as_str())
}

/// The end of an order's id, by which orders of the same time differ.
fn end(ink: &Ink<'_>, id: &OrderId) -> String {
    let shown = instance_end(id.as_str());
    if shown.len() < id.as_str().len() { format!("{}{shown}", ink.glyphs.more) } else { shown.to_owned() }
}
