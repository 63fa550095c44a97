//! A hundred thousand hostile texts, in every place where a foreign text is shown, drawn as the real dashboard draws:
//! nothing of them reaches the terminal but what can be read.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use skstore::dashboard::draw;
use skstore::dashboard::message::{Answered, Found, ListFound, Message, Pickers, Request, Snapshot};
use skstore::dashboard::screens::dead_letters::state::{Deal, DealReport, Operation};
use skstore::dashboard::state::State;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore::text::fit;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::books::{Breach, BreachKind};
use skstore_domain::events::EventKind;
use skstore_domain::ids::{Customer, ItemId, is_unsafe_to_show};
use skstore_domain::myinfo::{FeedEntry, OrderRow};
use skstore_domain::objects::{Account, Item, Order};
use skstore_domain::signals::Service;
use skstore_workers::desk::bus::{Properties, QueueDepth};
use skstore_workers::desk::view::{Health, OrderPage};
use skstore_workers::desk::{DeadLetter, DeadPage, DeskError, Disposition, ParkedCode, Summary, Which};

use crate::builders::*;

mod strings;

use strings::{Hostile, STRINGS, heard_by_a_terminal, is_for_drawing};

const SEED: u64 = 20_260_921;
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];
/// More marks than these on one character are no writing of any language.
const MARKS: usize = 4;

/// What a terminal was sent.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<u8>>>);

impl Write for Sent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws `state` as the program does, and gives back every byte that it sends.
fn drawn(state: &State) -> Vec<u8> {
    let sent = Sent::default();
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(sent.clone()), options).unwrap();
    terminal.draw(|frame| drop(draw(state, frame))).unwrap();
    let bytes = sent.0.lock().unwrap();
    bytes.clone()
}

/// Checks that a terminal would hear nothing but the program itself.
fn check(state: &State, what: &str) {
    let (shown, sequences) = heard_by_a_terminal(&drawn(state));
    if let Some(c) = shown.chars().find(|c| is_unsafe_to_show(*c)) {
        panic!("{what}: the terminal hears {c:?} between what is shown");
    }
    let foreign = sequences.iter().find(|sequence| !is_for_drawing(sequence));
    assert_eq!(foreign, None, "{what}: a sequence that is not of the program");
    let mut marks = 0;
    for c in shown.chars() {
        marks = if fit::width(c.encode_utf8(&mut [0; 4])) == 0 { marks + 1 } else { 0 };
        assert!(marks <= MARKS, "{what}: a pile of marks");
    }
}

/// As much of a hostile text as a store may have kept as a name.
fn name(hostile: &mut Hostile) -> Customer {
    let kept = |c: &char| Customer::kept(&format!("a{c}")).is_ok();
    let text: String = hostile.string().chars().filter(kept).take(64).collect();
    Customer::kept(&text).unwrap_or_else(|_| customer("?"))
}

fn hostile_rows(hostile: &mut Hostile) -> Vec<OrderRow> {
    rows()
        .into_iter()
        .map(|row| {
            let order = Order {
                customer: name(hostile),
                item_id: ItemId::kept(name(hostile).as_str()).unwrap_or_else(|_| item_id("?")),
                item_name: hostile.string(),
                ..row.order
            };
            OrderRow { order, ..row }
        })
        .collect()
}

/// The items of half of the orders, with English names.
fn hostile_names(hostile: &mut Hostile, rows: &[OrderRow]) -> Vec<Item> {
    let ids = rows.iter().step_by(2).map(|row| row.order.item_id.clone()).collect::<BTreeSet<_>>();
    let item = |id| Item { item_id: id, name_en: Some(hostile.string()), ..items().remove(0) };
    ids.into_iter().map(item).collect()
}

fn hostile_health(hostile: &mut Hostile) -> Health {
    let mut health = tripped();
    for beat in &mut health.services {
        beat.instance = hostile.string();
        beat.version = hostile.string();
        beat.last_error = Some(hostile.string());
        beat.fault = Some(hostile.string());
        if let Some(books) = &mut beat.books {
            books.breach = Some(Breach { kind: BreachKind::Overdrawn, id: hostile.string(), at: ago(1) });
        }
    }
    for change in &mut health.breaker_changes {
        change.instance = health.services[0].instance.clone();
        change.why = hostile.string();
    }
    health
}

/// The view says `found` of what the tab shows.
fn says(state: &mut State, found: Found) {
    let read = Snapshot { found, ..snapshot(state, vec![], tripped()) };
    update(state, NOW, Message::Read(Box::new(read)));
}

fn hostile_events(hostile: &mut Hostile) -> Vec<FeedEntry> {
    let kinds = EventKind::all().cycle().take(60);
    kinds
        .map(|kind| FeedEntry {
            id: hostile.string(),
            kind,
            subject: hostile.string(),
            at: ago(1),
            customer: Some(name(hostile)),
            amount: None,
            reason: Some(hostile.string()),
        })
        .collect()
}

/// The tab of accounts, with the orders of the selected one.
fn hostile_accounts(table: &State, hostile: &mut Hostile) -> State {
    let mut state = table.clone();
    press(&mut state, '2');
    let rows = (0..60).map(|_| Account { customer: name(hostile), ..accounts().remove(0) });
    let mut found = ListFound { rows: rows.collect(), has_more: false, orders: OrderPage::default() };
    for _ in 0..2 {
        found.orders.rows = hostile_rows(hostile);
        says(&mut state, Found::Accounts(found.clone()));
    }
    press(&mut state, '/');
    update(&mut state, NOW, Message::Paste(hostile.string()));
    state
}

/// The tab of items, with the orders of the selected one.
fn hostile_items(table: &State, hostile: &mut Hostile) -> State {
    let mut state = table.clone();
    press(&mut state, '3');
    let rows = (0..60).map(|_| Item {
        item_id: ItemId::kept(name(hostile).as_str()).unwrap_or_else(|_| item_id("?")),
        name: hostile.string(),
        name_en: Some(hostile.string()),
        ..items().remove(0)
    });
    let mut found = ListFound { rows: rows.collect(), has_more: false, orders: OrderPage::default() };
    for _ in 0..2 {
        found.orders.rows = hostile_rows(hostile);
        says(&mut state, Found::Items(found.clone()));
    }
    state
}

/// Something is typed, answered, refused or lost with a hostile text in it.
fn hostile_answers(state: &mut State, hostile: &mut Hostile) {
    let request = Request::Order(order_id(1));
    for result in [
        Ok(Some(Answer::refuse(ErrorCode::Invalid, hostile.string()))),
        Err(DeskError::Unreachable(hostile.string())),
    ] {
        let answered = Answered { request: Request::Cancel(order_id(2)), result };
        update(state, NOW, Message::Answered(Box::new(answered)));
    }
    let unreadable = Answer::refuse(ErrorCode::Internal, hostile.string());
    update(state, NOW, Message::Answered(Box::new(Answered { request, result: Ok(Some(unreadable)) })));
}

/// Every screen that shows foreign texts, each with other ones.
fn screens(
    hostile: &mut Hostile,
    language: Language,
    (width, height): (u16, u16),
) -> Vec<(&'static str, State)> {
    let mut table = started(language, width, height);
    let (rows, health) = (hostile_rows(hostile), hostile_health(hostile));
    let mut read = snapshot(&table, rows.clone(), health.clone());
    read.items = Some(hostile_names(hostile, &rows));
    update(&mut table, NOW, Message::Read(Box::new(read)));

    let mut detail = table.clone();
    press(&mut detail, KeyCode::Enter);
    let mut read = snapshot(&detail, rows.clone(), health);
    if let Some(detail) = &mut read.detail {
        detail.timeline.iter_mut().for_each(|step| step.reason = Some(hostile.string()));
    }
    update(&mut detail, NOW, Message::Read(Box::new(read)));
    let order = detail.current_order().map(|order| order.order_id.clone()).unwrap();
    for request in [Request::Order(order.clone()), Request::Payment(order)] {
        let answer = Ok(Some(Answer::refuse(ErrorCode::Conflict, hostile.string())));
        update(&mut detail, NOW, Message::Answered(Box::new(Answered { request, result: answer })));
    }

    let mut form = table.clone();
    press(&mut form, 'n');
    let mut read = snapshot(&form, rows, tripped());
    read.items = Some(
        (0..9)
            .map(|_| Item { name: hostile.string(), name_en: Some(hostile.string()), ..items().remove(0) })
            .collect(),
    );
    read.pickers = Some(Pickers {
        accounts: (0..9).map(|_| Account { customer: name(hostile), ..accounts().remove(0) }).collect(),
        has_more_accounts: true,
    });
    update(&mut form, NOW, Message::Read(Box::new(read)));
    update(&mut form, NOW, Message::Paste(hostile.string()));

    let mut filter = table.clone();
    press(&mut filter, '/');
    update(&mut filter, NOW, Message::Paste(hostile.string()));
    let mut filtered = filter.clone();
    press(&mut filtered, KeyCode::Enter);

    let mut question = table.clone();
    press(&mut question, KeyCode::Down);
    press(&mut question, 'c');

    let mut toasts = table.clone();
    hostile_answers(&mut toasts, hostile);

    let mut lost = table.clone();
    update(&mut lost, NOW, Message::ViewLost { cause: hostile.string(), retry_at: ago(-3000) });
    update(&mut lost, NOW, Message::BusLost { cause: hostile.string(), retry_at: ago(-3000) });

    let mut health = table.clone();
    press(&mut health, '4');
    let depth = QueueDepth { name: hostile.string().into(), ready: 1, unacked: None, consumers: 0 };
    update(&mut health, NOW, Message::Queues(Ok(vec![depth])));

    let mut dead = table.clone();
    press(&mut dead, '6');
    let letters = (0..20).map(|n| DeadLetter {
        id: format!("d-{n}"),
        reason: hostile.string(),
        code: ParkedCode::NoEffect,
        exchange: hostile.string(),
        routing_key: hostile.string(),
        queue: hostile.string(),
        service: hostile.string(),
        at: hostile.string(),
        properties: Properties {
            message_id: Some(hostile.string()),
            headers: [(hostile.string(), hostile.string())].into(),
            ..Properties::default()
        },
        body: hostile.string().into_bytes().into(),
        is_cut: false,
    });
    let page = DeadPage { letters: letters.collect(), total: 20 };
    update(&mut dead, NOW, Message::Dead(Ok(page)));
    let mut plan = dead.clone();
    let deal = Deal { operation: Operation::Replay, which: Which::All, is_dry: true };
    let mut report = DealReport { summary: Summary { done: 1, stay: 1, left: 1 }, ..DealReport::default() };
    report.note(&Disposition::Stays(hostile.string()));
    update(&mut plan, NOW, Message::Summary(deal, Ok(report)));

    let mut raw = detail.clone();
    press(&mut raw, 'e');
    let mut then = detail.clone();
    press(&mut then, KeyCode::Left);

    let mut events = table.clone();
    press(&mut events, '5');
    says(&mut events, Found::Events(hostile_events(hostile)));
    let mut found = events.clone();
    press(&mut found, '/');
    update(&mut found, NOW, Message::Paste(hostile.string()));

    let (accounts, items) = (hostile_accounts(&table, hostile), hostile_items(&table, hostile));

    let mut log = table.clone();
    press(&mut log, 'L');
    update(&mut log, NOW, Message::Log((0..60).map(|_| hostile.string()).collect()));
    vec![
        ("health", health),
        ("dead letters", dead),
        ("what would become of them", plan),
        ("the log", log),
        ("the table", table),
        ("the detail", detail),
        ("the detail, word for word", raw),
        ("the detail as it was", then),
        ("the events", events),
        ("events that are looked for", found),
        ("the accounts", accounts),
        ("the items", items),
        ("a form", form),
        ("a filter that is typed", filter),
        ("a filter", filtered),
        ("a question", question),
        ("messages", toasts),
        ("the banner", lost),
    ]
}

#[test]
fn of_a_hundred_thousand_hostile_texts_nothing_reaches_the_terminal_but_what_can_be_read() {
    let mut hostile = Hostile::seeded(SEED);
    while hostile.made() < STRINGS {
        for language in Language::ALL {
            for size in SIZES {
                let seen = hostile.made();
                for (what, mut state) in screens(&mut hostile, *language, size) {
                    state.look.data_at = hostile.string();
                    check(&state, &format!("{what}, {size:?}, {language:?}, strings from {seen}"));
                }
            }
        }
    }
}

#[test]
fn a_service_whose_name_is_hostile_is_still_told_apart() {
    let mut health = health();
    health.services[0].instance = "order-\u{1b}[2J\u{202e}abc123".into();
    let mut state = started(Language::English, 80, 24);
    reads(&mut state, vec![], health);
    let screen = screen(&state);
    assert!(screen.contains("abc123"), "{screen}");
    assert!(Service::ALL.iter().all(|service| screen.contains(service.word())), "{screen}");
}
