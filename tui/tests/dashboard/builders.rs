//! Orders, heartbeats and screens for the tests, all as of one fixed moment.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use skstore::dashboard::keys::Chord;
use skstore::dashboard::message::{
    Effect, Found, Gesture, ListFound, Message, Mouse, Pickers, Query, Request, Snapshot,
};
use skstore::dashboard::screens::wanted;
use skstore::dashboard::shown::Shown;
use skstore::dashboard::size::Size;
use skstore::dashboard::state::{Look, State};
use skstore::dashboard::tab::Tab;
use skstore::dashboard::{draw, update};
use skstore::text::times::UTC;
use skstore::text::{Language, fit};
use skstore::theme::{Glyphs, ThemeName};
use skstore_domain::books::{Books, Sums};
use skstore_domain::breaker::{
    BreakerMode, BreakerSettings, BreakerSnapshot, BreakerState, Counts as Charges, Share, Why,
};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow, Step};
use skstore_domain::objects::{
    Account, DeliveryStatus, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::signals::{AnswersTold, Beat, BreakerChanged, Past, Service};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::config::TimeShown;
use skstore_workers::desk::view::{Counts, Health, OrderDetail, OrderPage};

/// 2026-09-21 14:13:20.123 UTC
pub(crate) const NOW: Timestamp = Timestamp(1_790_000_000_123);

/// Some time before [`NOW`].
pub(crate) fn ago(ms: i64) -> Timestamp {
    Timestamp(NOW.0 - ms)
}

pub(crate) fn order_id(number: i64) -> OrderId {
    OrderId::new(&format!("01990a00-7000-7000-8000-{number:012}")).unwrap()
}

pub(crate) fn customer(name: &str) -> Customer {
    Customer::new(name).unwrap()
}

pub(crate) fn item_id(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

/// A delivered order of five apples by kim, placed `number` seconds ago: the greater its number, the older.
pub(crate) fn order(number: i64) -> Order {
    Order {
        order_id: order_id(number),
        customer: customer("kim"),
        item_id: item_id("10"),
        item_name: "사과".into(),
        qty: 5,
        unit_price: Won(10_000),
        amount: Won(50_000),
        status: OrderStatus::Delivering,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::Started,
        placed_at: ago(number * 1000),
        updated_at: ago(number * 1000 - 250),
        revision: 3,
    }
}

/// `order` in another status, with what belongs to it.
pub(crate) fn with_status(status: OrderStatus, order: Order) -> Order {
    let (reason, payment, delivery) = match status {
        OrderStatus::Paying => (None, PaymentStatus::None, DeliveryStatus::None),
        OrderStatus::Placed => (None, PaymentStatus::Paid, DeliveryStatus::None),
        OrderStatus::Delivering => (None, PaymentStatus::Paid, DeliveryStatus::Started),
        OrderStatus::Cancelled => {
            (Some(OrderReason::Customer), PaymentStatus::Refunded, DeliveryStatus::Cancelled)
        }
        OrderStatus::Rejected => (Some(OrderReason::Declined), PaymentStatus::Declined, DeliveryStatus::None),
    };
    Order { status, reason, payment, delivery, ..order }
}

pub(crate) fn row(order: Order) -> OrderRow {
    OrderRow { payment: payment_of(&order), order }
}

fn payment_of(order: &Order) -> Option<Payment> {
    let reason = match order.payment {
        PaymentStatus::None => return None,
        PaymentStatus::Paid | PaymentStatus::Voided => None,
        PaymentStatus::Declined => Some(PaymentReason::InsufficientBalance),
        PaymentStatus::Refunded => Some(PaymentReason::OrderCancelled),
    };
    Some(Payment {
        order_id: order.order_id.clone(),
        customer: order.customer.clone(),
        amount: order.amount,
        status: order.payment,
        reason,
        updated_at: order.updated_at,
        revision: 1,
    })
}

/// A page of orders in every status, by customers and of items with narrow, wide and long names.
pub(crate) fn rows() -> Vec<OrderRow> {
    let people = ["kim", "김철수", "a-customer-with-a-very-long-name", "이영희 lee", "walk-in"];
    // Those from 20 on are not among the items that are known.
    let items =
        [("10", "사과"), ("20", "apple"), ("21", "아주 길고 긴 이름을 가진 상품 하나"), ("11", "배 pear")];
    (0..60)
        .map(|number| {
            let index = usize::try_from(number).unwrap();
            let (item, item_name) = items[index % items.len()];
            let order = Order {
                customer: customer(people[index % people.len()]),
                item_id: item_id(item),
                item_name: item_name.into(),
                qty: [5, 1, 1000, 12][index % 4],
                amount: Won([50_000, 900, 10_000_000, 36_000][index % 4]),
                ..order(number * number)
            };
            row(with_status(OrderStatus::ALL[index % OrderStatus::ALL.len()], order))
        })
        .collect()
}

pub(crate) fn timeline(order: &Order) -> Vec<Step> {
    let at = |ms| Timestamp(order.placed_at.0 + ms);
    let step = |kind: EventKind, revision, ms, reason: Option<&str>| Step {
        source: kind.source(),
        revision,
        kind,
        at: at(ms),
        reason: reason.map(str::to_owned),
        told_again: 0,
    };
    vec![
        step(EventKind::Order(OrderKind::Paying), 1, 0, None),
        step(EventKind::Deposit(DepositKind::Paid), 1, 12, None),
        step(EventKind::Order(OrderKind::Placed), 2, 31, None),
        step(EventKind::Item(ItemKind::DeliveryStarted), 1, 1400, None),
        step(EventKind::Order(OrderKind::Delivering), 3, 1430, None),
    ]
}

pub(crate) fn items() -> Vec<Item> {
    [
        ("10", "사과", Some("apple"), 10_000, 120),
        ("11", "배", Some("pear"), 3_000, 0),
        ("12", "쌀 20kg", None, 65_000, 3),
    ]
    .into_iter()
    .map(|(id, name, name_en, price, stock)| Item {
        item_id: item_id(id),
        name: name.into(),
        name_en: name_en.map(str::to_owned),
        unit_price: Won(price),
        stock,
        revision: 1,
    })
    .collect()
}

pub(crate) fn accounts() -> Vec<Account> {
    [("kim", 30_000), ("kimchi", 5), ("김철수", 1_000_000), ("walk-in", 10_000_000)]
        .into_iter()
        .map(|(name, balance)| Account { customer: customer(name), balance: Won(balance), revision: 1 })
        .collect()
}

pub(crate) fn breaker(state: BreakerState) -> BreakerSnapshot {
    let window = match state {
        BreakerState::Closed => Charges { calls: 30, ok: 118, failed: 2, slow: 4, refused: 0 },
        BreakerState::Open => Charges { calls: 12, ok: 9, failed: 27, slow: 3, refused: 41 },
        BreakerState::HalfOpen => Charges { calls: 2, ok: 2, failed: 0, slow: 0, refused: 41 },
    };
    BreakerSnapshot {
        state: Some(state),
        mode: Some(BreakerMode::Auto),
        for_ms: 1700,
        retry_after_ms: (state == BreakerState::Open).then_some(3300),
        probes_ok: if state == BreakerState::HalfOpen { 2 } else { 0 },
        probes_in_flight: 0,
        failed_in_a_row: 0,
        in_flight: 3,
        max_in_flight: 512,
        window,
        buckets: vec![],
        failed_percent: 50,
        slow_percent: 80,
        least_charges: 20,
        settings: Some(BreakerSettings::default()),
    }
}

pub(crate) fn beat(service: Service) -> Beat {
    Beat {
        number: 0,
        clock_ahead_ms: None,
        log: None,
        service,
        instance: format!("{service}-01990a00-7000-7000-8000-0000000{service:0>5.5}"),
        version: "0.1.0".into(),
        started_at: ago(600_000),
        at: ago(400),
        ready: true,
        last_error: None,
        handled: 12_345,
        per_second: 1_200,
        in_flight: 3,
        unsent: 0,
        fault: None,
        fault_left_ms: None,
        takes_faults: true,
        breaker: (service == Service::Order).then(|| breaker(BreakerState::Closed)),
        rebuilding: None,
        unheard: Vec::new(),
        answers: (service == Service::Order).then_some(AnswersTold {
            answered: 12_000,
            refused: 40,
            per_second: 400,
            refused_per_second: 2,
            p50_us: Some(2_300),
            p99_us: Some(19_800),
        }),
        books: sums_of(service).map(|sums| Books {
            at: ago(400),
            read: 40_000,
            last: 40_000,
            sums,
            breach: None,
        }),
        warnings: Vec::new(),
        past: Vec::new(),
        waits: Vec::new(),
        calls: None,
    }
}

pub(crate) fn health() -> Health {
    Health { services: Service::ALL.iter().map(|service| beat(*service)).collect(), breaker_changes: vec![] }
}

/// What the log of a service comes to.
pub(crate) fn sums_of(service: Service) -> Option<Sums> {
    match service {
        Service::Order => Some(Sums::Orders { orders: 1_234_630, live: 15, stuck: 0 }),
        Service::Deposit => Some(Sums::Money {
            topped_up: Won(98_765_432),
            balances: Won(11_030_005),
            charged: Won(87_735_427),
        }),
        Service::Item => Some(Sums::Stock { items: 3, units: 123 }),
        Service::MyInfo => None,
    }
}

/// How full the queues are.
pub(crate) fn queues() -> Vec<QueueDepth> {
    [("deposit.events", 0, 1), ("item.commands", 0, 0), ("order.commands", 1_234, 2), ("skstore.dead", 3, 0)]
        .into_iter()
        .map(|(name, ready, consumers)| QueueDepth {
            name: name.into(),
            ready,
            unacked: Some(ready / 2),
            consumers,
        })
        .collect()
}

/// Five minutes have gone by on the tab of health: some were calm, some were not.
pub(crate) fn lived(state: &mut State, health: &Health) {
    press(state, '4');
    update(state, NOW, Message::Queues(Ok(queues())));
    let mut orders = 1_000_000;
    for second in (0..300_i64).rev() {
        let wave = u64::try_from((second * 7) % 90).unwrap();
        orders += 300 + wave * 3;
        let mut health = health.clone();
        for beat in &mut health.services {
            beat.at = ago(second * 1000 + 400);
            if let Some(answers) = &mut beat.answers {
                answers.p50_us = Some(2_000 + wave * 10);
                answers.p99_us = Some(9_000 + wave * wave * 3);
                answers.refused_per_second = u64::from((100..120).contains(&second)) * wave;
            }
            if let (Service::Order, Some(books)) = (beat.service, &mut beat.books) {
                books.at = beat.at;
                books.sums = Sums::Orders { orders, live: 15, stuck: 0 };
            }
        }
        let snapshot = snapshot(state, vec![], health);
        update(state, ago(second * 1000), Message::Read(Box::new(snapshot)));
    }
}

/// The breaker has tripped: Deposit is slow.
pub(crate) fn tripped() -> Health {
    let mut health = health();
    let (order, deposit) = (0, 1);
    health.services[order].breaker = Some(breaker(BreakerState::Open));
    health.services[deposit].fault = Some("slow:400".into());
    health.services[deposit].fault_left_ms = Some(252_000);
    health.services[deposit].past =
        vec![Past { at: ago(180_400), what: "the store sqlite:deposit.db failed: disk is full".into() }];
    let failed = Share { part: 27, charges: 36, calls: 9, within_ms: 10_000, percent: 50 };
    let change = |seconds: i64, from, to, why: Why| BreakerChanged {
        instance: health.services[order].instance.clone(),
        at: ago(seconds * 1000),
        from,
        to,
        why: why.to_string(),
        reason: Some(why),
        breaker: breaker(to),
    };
    health.breaker_changes = vec![
        change(2, BreakerState::HalfOpen, BreakerState::Open, Why::ProbeFailed),
        change(3, BreakerState::Open, BreakerState::HalfOpen, Why::TimeToProbe),
        change(8, BreakerState::Closed, BreakerState::Open, Why::Failed(failed)),
    ];
    health
}

pub(crate) fn counts() -> Counts {
    Counts { orders: [3, 12, 1_234_567, 40, 8], accounts: 4, items: 3, balances: Won(11_030_005) }
}

pub(crate) fn look(language: Language) -> Look {
    Look {
        language,
        theme: ThemeName::Dark,
        glyphs: Glyphs::UNICODE,
        zone: UTC.clone(),
        time: TimeShown::Local,
        data_at: "embedded: /var/lib/skstore".into(),
    }
}

/// A dashboard on a screen of `width` by `height` that has not heard of anything.
pub(crate) fn started(language: Language, width: u16, height: u16) -> State {
    State::new(look(language), Size { width, height }, NOW)
}

/// What the view says, as an answer to what `state` wants of it.
pub(crate) fn snapshot(state: &State, rows: Vec<OrderRow>, health: Health) -> Snapshot {
    let wanted = wanted(state);
    let detail = wanted.detail.as_ref().and_then(|id| rows.iter().find(|row| row.order.order_id == *id));
    Snapshot {
        detail: detail.map(|row| OrderDetail { row: row.clone(), timeline: timeline(&row.order) }),
        items: Some(items()),
        pickers: wanted.pickers.as_ref().map(|_| Pickers { accounts: accounts(), has_more_accounts: false }),
        found: found(&wanted.query, rows),
        counts: counts(),
        health,
        last_event: None,
        wanted,
    }
}

fn found(query: &Query, rows: Vec<OrderRow>) -> Found {
    let orders = |is_wanted: bool, rows: Vec<OrderRow>| OrderPage {
        rows: if is_wanted { rows } else { vec![] },
        ..OrderPage::default()
    };
    match query {
        Query::Nothing => Found::Nothing,
        Query::Orders(_) => Found::Orders(orders(true, rows)),
        Query::Accounts(query) => Found::Accounts(ListFound {
            rows: accounts(),
            has_more: false,
            orders: orders(query.orders_of.is_some(), rows),
        }),
        Query::Items(query) => Found::Items(ListFound {
            rows: items(),
            has_more: false,
            orders: orders(query.orders_of.is_some(), rows),
        }),
        Query::Events => Found::Events(events(&rows)),
    }
}

/// What happened to the orders of `rows`, newest first.
fn events(rows: &[OrderRow]) -> Vec<FeedEntry> {
    let told = rows.iter().flat_map(|row| {
        let order = &row.order;
        timeline(order).into_iter().map(move |step| FeedEntry {
            id: format!("{}/{}/{}", step.source, order.order_id, step.revision),
            kind: step.kind,
            subject: order.order_id.to_string(),
            at: step.at,
            customer: Some(order.customer.clone()),
            amount: Some(order.amount),
            reason: order.reason.map(|reason| reason.word().to_owned()),
        })
    });
    let mut told: Vec<FeedEntry> = told.collect();
    told.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    told
}

/// The view says `rows` and `health` now.
pub(crate) fn reads(state: &mut State, rows: Vec<OrderRow>, health: Health) -> Vec<Effect> {
    let snapshot = snapshot(state, rows, health);
    update(state, NOW, Message::Read(Box::new(snapshot)))
}

/// A dashboard that shows [`rows`].
pub(crate) fn busy(language: Language, width: u16, height: u16) -> State {
    let mut state = started(language, width, height);
    reads(&mut state, rows(), health());
    state
}

/// A dashboard that shows `tab`, as [`busy`] shows the orders.
pub(crate) fn showing(tab: Tab, language: Language, width: u16, height: u16) -> State {
    let mut state = busy(language, width, height);
    press(&mut state, tab.number());
    // What belongs to the selected row is only known once the rows are.
    for _ in 0..2 {
        reads(&mut state, rows(), health());
    }
    state
}

/// Presses one key and gives back what is to be done outside.
pub(crate) fn press(state: &mut State, key: impl Into<Key>) -> Vec<Effect> {
    let now = state.now;
    update(state, now, Message::Key(key.into().0))
}

/// Clicks on the first place where `text` stands on the screen.
pub(crate) fn click(state: &mut State, text: &str) -> Vec<Effect> {
    let (x, y) = place_of(state, text);
    see(state);
    mouse(state, Gesture::Click, x, y)
}

/// Draws `state`, so that it knows what is where on the screen.
pub(crate) fn see(state: &mut State) {
    let (_, shown) = drawn(state);
    state.drawn(shown);
}

/// Uses the mouse at a place of what was [seen](see) last.
pub(crate) fn mouse(state: &mut State, gesture: Gesture, x: u16, y: u16) -> Vec<Effect> {
    let now = state.now;
    update(state, now, Message::Mouse(Mouse { gesture, x, y }))
}

/// Column and row of the first place where `text` stands on the screen.
pub(crate) fn place_of(state: &State, text: &str) -> (u16, u16) {
    let shown = screen(state);
    let found = shown.lines().enumerate().find_map(|(y, line)| Some((y, line, line.find(text)?)));
    let (y, line, at) = found.unwrap_or_else(|| panic!("no '{text}' on the screen:\n{shown}"));
    (u16::try_from(fit::width(&line[..at])).unwrap(), u16::try_from(y).unwrap())
}

/// Presses keys one after the other.
pub(crate) fn type_in(state: &mut State, text: &str) {
    for c in text.chars() {
        press(state, c);
    }
}

/// A key, from a character or a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(pub Chord);

impl From<char> for Key {
    fn from(c: char) -> Self {
        Self(Chord::char(c))
    }
}

impl From<KeyCode> for Key {
    fn from(code: KeyCode) -> Self {
        Self(Chord::of(code))
    }
}

/// The event that a terminal sends for a key.
pub(crate) fn event(code: KeyCode) -> crossterm::event::Event {
    crossterm::event::Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// Draws `state` and gives back every cell.
pub(crate) fn buffer(state: &State) -> Buffer {
    drawn(state).0
}

fn drawn(state: &State) -> (Buffer, Shown) {
    let backend = TestBackend::new(state.size.width, state.size.height);
    let mut terminal = Terminal::new(backend).unwrap();
    let mut shown = Shown::default();
    terminal.draw(|frame| shown = draw(state, frame)).unwrap();
    (terminal.backend().buffer().clone(), shown)
}

/// The screen as a reader sees it: lines, without blanks at their ends.
pub(crate) fn text_of(buffer: &Buffer) -> String {
    let mut screen = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(fit::width(symbol)).unwrap().max(1);
        }
        screen.push_str(line.trim_end());
        screen.push('\n');
    }
    screen
}

/// The screen of `state` as a reader sees it.
pub(crate) fn screen(state: &State) -> String {
    text_of(&buffer(state))
}

/// A busy desk on a wide screen, in English.
pub(crate) fn desk() -> State {
    busy(Language::English, 120, 40)
}

/// What the services are asked for.
pub(crate) fn asked(effects: &[Effect]) -> Vec<&Request> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Ask(request) => Some(request),
        Effect::Read
        | Effect::ReadQueues
        | Effect::ReadDead
        | Effect::Deal(_)
        | Effect::Copy(_)
        | Effect::Suspend
        | Effect::Retake
        | Effect::MintOrderId
        | Effect::MintRequestId
        | Effect::StartLoad(_)
        | Effect::SteerLoad(_)
        | Effect::StopLoad
        | Effect::StartRecording { .. }
        | Effect::StopRecording
        | Effect::Quit => None,
    });
    asked.collect()
}
