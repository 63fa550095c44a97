//! What every message does: from one state to the next, and what has to be done outside. No I/O, no clock.

use crossterm::event::KeyCode;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::Health;

use super::keys::{Chord, hangul};
use super::layers;
use super::layers::form::state::FormId;
use super::layout;
use super::message::{Answered, Effect, Message, Request, Snapshot};
use super::screens;
use super::screens::dead_letters::update as dead_letters;
use super::screens::health::recording::update as recording;
use super::screens::orders::update::ask_about_detail;
use super::state::{BusLost, Connection, SILENT_AFTER, State};
use super::toasts::state::Notice;
use crate::terminal::console::Told;
use crate::text::Text;

mod act;
mod mouse;

use act::{act, look_at_queues};

/// Lets `message` happen at `now`.
///
/// Whatever the message is, afterwards the view is read again if the screen wants something else of it, and
/// the services are asked about an order whose detail is open and has changed.
pub fn update(state: &mut State, now: Timestamp, message: Message) -> Vec<Effect> {
    state.now = now;
    let wanted = screens::wanted(state);
    let mut effects = match message {
        Message::Key(chord) => press(state, chord),
        Message::Mouse(mouse) => mouse::use_mouse(state, mouse),
        Message::Paste(text) => {
            layers::update::paste(state, &text);
            Vec::new()
        }
        Message::Resized(size) => {
            state.size = size;
            screens::of(state.tab).keep_in_sight(state);
            Vec::new()
        }
        Message::Tick => look_at_queues(state),
        Message::Read(snapshot) => {
            read(state, *snapshot);
            Vec::new()
        }
        Message::Heard(health) => {
            hear(state, health);
            look_at_queues(state)
        }
        Message::ViewLost { cause, retry_at } => {
            let since = match &state.connection {
                Connection::Lost { since, .. } => *since,
                Connection::Starting | Connection::Live => now,
            };
            state.connection = Connection::Lost { cause, since, retry_at };
            Vec::new()
        }
        Message::BusLost { cause, retry_at } => {
            let since = state.bus_lost.as_ref().map_or(now, |lost| lost.since);
            state.bus_lost = Some(BusLost { cause, since, retry_at });
            Vec::new()
        }
        Message::BusBack => {
            state.bus_lost = None;
            Vec::new()
        }
        Message::Queues(queues) => {
            state.is_asking_queues = false;
            // Why they are not known stands in the banner of the bus.
            state.queues = queues.ok();
            let workers = state.workers_heard();
            state.attendance.look(state.queues.as_deref().unwrap_or_default(), workers.as_ref(), now);
            dead_letters::follow(state)
        }
        Message::Dead(page) => {
            let shown = layout::shown_rows(state);
            state.dead.read(page, shown);
            Vec::new()
        }
        Message::Summary(deal, result) => dead_letters::summary(state, deal, result),
        Message::Load(news) => {
            state.load.hear(news);
            Vec::new()
        }
        Message::Recording(news) => {
            recording::hear(state, news);
            Vec::new()
        }
        Message::Log(lines) => {
            state.log = lines;
            Vec::new()
        }
        Message::Terminal(Told::Stop) => vec![Effect::Suspend],
        Message::Terminal(Told::Continued) => vec![Effect::Retake],
        // Whoever draws asks for the size.
        Message::Terminal(Told::Resized) => Vec::new(),
        Message::NotSuspended => {
            state.toasts.say(Notice::Reason(Text::WhyNoShell), now);
            Vec::new()
        }
        Message::OrderId(id) => {
            layers::form::update::minted(state, FormId::Order(id));
            Vec::new()
        }
        Message::RequestId(id) => {
            layers::form::update::minted(state, FormId::Request(id));
            Vec::new()
        }
        Message::Answered(answered) => {
            answer(state, *answered);
            Vec::new()
        }
    };
    state.toasts.expire(now);
    ask_about_detail(state, &mut effects);
    if screens::wanted(state) != wanted {
        effects.push(Effect::Read);
    }
    effects
}

/// A key: what it does where it was pressed; else, where text is typed, it is typed.
fn press(state: &mut State, chord: Chord) -> Vec<Effect> {
    match state.keys.action(state.scope(), chord) {
        Some(action) => act(state, action),
        None => {
            tell_of_syllable(state, chord);
            layers::update::edit(state, chord);
            Vec::new()
        }
    }
}

/// An input method composes keys to syllables. Taking them apart again would do what nobody may have meant: a syllable
/// that holds a `y` would say yes. So it is only told.
fn tell_of_syllable(state: &mut State, chord: Chord) {
    if let KeyCode::Char(c) = chord.code
        && !state.scope().takes_text()
        && let Some(keys) = hangul::keys_of(c)
    {
        state.toasts.say(Notice::Syllable { syllable: c, keys }, state.now);
    }
}

fn hear(state: &mut State, health: Health) {
    state.connection = Connection::Live;
    let newest = health.services.iter().map(|beat| beat.at).max();
    state.heard_at = state.heard_at.max(newest);
    state.health = health;
    state.history.heard(&state.health.services, state.now, SILENT_AFTER);
}

fn read(state: &mut State, snapshot: Snapshot) {
    state.heard_at = state.heard_at.max(snapshot.last_event);
    hear(state, snapshot.health);
    state.orders.count(&snapshot.counts);
    state.counts = snapshot.counts;
    if let Some(items) = snapshot.items {
        state.pickable.items = items;
    }
    if let Some(pickers) = snapshot.pickers {
        state.pickable.accounts = pickers.accounts;
        state.pickable.has_more_accounts = pickers.has_more_accounts;
    }
    // What was read for another filter, window or detail came too late; what is wanted now is on its way.
    let screen = screens::of(state.tab);
    if snapshot.wanted.query == screen.query(state) {
        screen.read(state, snapshot.wanted.query, snapshot.found);
    }
    if let Some(detail) = &mut state.detail
        && snapshot.wanted.detail.as_ref() == Some(&detail.id)
    {
        detail.found = snapshot.detail;
        detail.is_read = true;
    }
}

fn answer(state: &mut State, answered: Answered) {
    let now = state.now;
    match &answered.request {
        Request::Order(id) => {
            if let Some(detail) = state.detail.as_mut().filter(|detail| detail.id == *id) {
                detail.order.answered(&answered.result, now, |answer| answer.order.clone());
            }
        }
        Request::Payment(id) => {
            if let Some(detail) = state.detail.as_mut().filter(|detail| detail.id == *id) {
                detail.payment.answered(&answered.result, now, |answer| answer.payment.clone());
            }
        }
        Request::Place(_)
        | Request::Cancel(_)
        | Request::TopUp(_)
        | Request::Restock(_)
        | Request::ForceBreaker(_)
        | Request::Inject(..)
        | Request::Crash(_)
        | Request::Heal => state.toasts.answered(answered.request, answered.result, now),
    }
}
