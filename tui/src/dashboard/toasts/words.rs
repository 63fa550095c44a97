//! The sentences for what came of a request, and for what is not possible.

use ratatui::style::Style;
use skstore_domain::answers::{Answer, AnswerError, ErrorCode};
use skstore_domain::ids::{ItemId, OrderId};
use skstore_workers::desk::DeskError;

use super::state::{Notice, Outcome};
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::message::Request;
use crate::dashboard::screens::dead_letters::words as parked;
use crate::dashboard::screens::health::recording::words as recording;
use crate::dashboard::screens::health::services::instance_end;
use crate::dashboard::state::State;
use crate::text::faults::fault_words;
use crate::text::numbers::grouped;
use crate::text::{Text, times};

/// What a message says, and how it looks.
pub(super) fn of(state: &State, ink: &Ink<'_>, notice: &Notice) -> (String, Style) {
    match notice {
        Notice::Reason(reason) => (ink.text(*reason).to_owned(), ink.theme.warn),
        Notice::Summary(deal, report) => {
            let style = if report.summary.done > 0 && !deal.is_dry { ink.theme.ok } else { ink.theme.warn };
            (parked::summary(ink, deal, report), style)
        }
        Notice::NotDealt(problem) => (parked::problem(ink, problem), ink.theme.bad),
        Notice::Gateway(Ok(address)) => (ink.fill(Text::GatewayListens, &[address]), ink.theme.text),
        Notice::Gateway(Err(why)) => (ink.fill(Text::NoGateway, &[why]), ink.theme.bad),
        Notice::CopySent(text) => (ink.fill(Text::CopySent, &[text]), ink.theme.text),
        Notice::Zone(label) => (ink.fill(Text::TimesIn, &[label]), ink.theme.text),
        Notice::Syllable { syllable, keys } => {
            (ink.fill(Text::WhySyllableActsNot, &[syllable, keys]), ink.theme.warn)
        }
        Notice::Filter(bad) => (ink.fill(bad.text, &[&bad.typed]), ink.theme.warn),
        Notice::RecordingBegun(instance) => (recording::begun(ink, instance), ink.theme.ok),
        Notice::Recorded(ended) => {
            let style = if ended.is_full { ink.theme.warn } else { ink.theme.ok };
            (recording::ended(ink, ended), style)
        }
        Notice::NotRecorded(trouble) => (recording::trouble(ink, trouble), ink.theme.bad),
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
        Request::Crash(service) => ink.fill(Text::ToastCrash, &[&ink.word(service)]),
        Request::Heal => ink.text(Text::ToastHeal).to_owned(),
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
pub(crate) fn refusal(ink: &Ink<'_>, error: &AnswerError) -> String {
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
pub(crate) fn failure(ink: &Ink<'_>, error: &DeskError) -> String {
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
