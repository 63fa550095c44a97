//! A desk as there is one in each country: its people have names of one language, its items of both, and its orders
//! carry the Korean ones.

use crossterm::event::KeyCode;
use skstore::dashboard::message::{Found, Message, Query, Snapshot};
use skstore::dashboard::screens::orders::columns::OrderColumn;
use skstore::dashboard::screens::wanted;
use skstore::dashboard::state::State;
use skstore::dashboard::tab::Tab;
use skstore::dashboard::update;
use skstore::text::Language;
use skstore_domain::money::Won;
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::{Account, Item};
use skstore_domain::signals::Beat;
use skstore_workers::desk::view::Health;

use crate::builders::*;

const PEOPLE: [(&str, &str); 4] =
    [("김철수", "kim"), ("이영희", "lee"), ("박지민", "park"), ("kim", "walk-in")];

fn people(language: Language) -> impl Iterator<Item = &'static str> {
    PEOPLE.into_iter().map(move |(korean, english)| match language {
        Language::Korean => korean,
        Language::English => english,
    })
}

fn sample_items() -> Vec<Item> {
    [
        ("10", "사과", "Apple", 10_000, 120),
        ("11", "배", "Pear", 3_000, 0),
        ("12", "쌀 20kg", "Rice 20 kg", 65_000, 3),
        ("13", "제주 감귤", "Jeju mandarin", 500, 40),
    ]
    .into_iter()
    .map(|(id, name, name_en, price, stock)| Item {
        item_id: item_id(id),
        name: name.into(),
        name_en: Some(name_en.into()),
        unit_price: Won(price),
        stock,
        revision: 1,
    })
    .collect()
}

fn sample_rows(language: Language) -> Vec<OrderRow> {
    let (people, items): (Vec<_>, _) = (people(language).collect(), sample_items());
    let mut rows = rows();
    for (number, row) in rows.iter_mut().enumerate() {
        let item = &items[number % items.len()];
        row.order.customer = customer(people[number % people.len()]);
        (row.order.item_id, row.order.item_name) = (item.item_id.clone(), item.name.clone());
    }
    rows
}

fn sample_accounts(language: Language) -> Vec<Account> {
    let mut accounts: Vec<Account> = people(language)
        .zip([30_000, 5, 1_000_000, 10_000_000])
        .map(|(name, balance)| Account { customer: customer(name), balance: Won(balance), revision: 1 })
        .collect();
    accounts.sort_by(|one, other| one.customer.cmp(&other.customer));
    accounts
}

fn told(state: &State, health: Health) -> Snapshot {
    let language = state.look.language;
    let mut read = snapshot(state, sample_rows(language), health);
    read.items = Some(sample_items());
    read.counts.items = 4;
    match &mut read.found {
        Found::Accounts(found) => found.rows = sample_accounts(language),
        Found::Items(found) => found.rows = sample_items(),
        Found::Orders(_) | Found::Events(_) | Found::Nothing => {}
    }
    if let Some(pickers) = &mut read.pickers {
        pickers.accounts = sample_accounts(language);
    }
    read
}

/// The view says how the desk is, with `health`.
pub(crate) fn sample_reads(state: &mut State, health: Health) {
    let read = told(state, health);
    update(state, NOW, Message::Read(Box::new(read)));
}

/// The desk, with `health`.
pub(crate) fn sample(language: Language, (width, height): (u16, u16), health: Health) -> State {
    let mut state = started(language, width, height);
    sample_reads(&mut state, health);
    state
}

/// The desk on another tab.
pub(crate) fn sample_showing(tab: Tab, language: Language, size: (u16, u16)) -> State {
    let mut state = sample(language, size, health());
    press(&mut state, tab.number());
    // What belongs to the selected row is only known once the rows are.
    for _ in 0..2 {
        sample_reads(&mut state, health());
    }
    state
}

/// The third order of the desk, whole.
pub(crate) fn sample_opened(language: Language, size: (u16, u16)) -> State {
    let mut state = sample(language, size, health());
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    sample_reads(&mut state, health());
    state
}

/// kim is about to order two apples.
pub(crate) fn sample_placing(language: Language, size: (u16, u16)) -> State {
    let mut state = sample_opened(language, size);
    press(&mut state, KeyCode::Esc);
    press(&mut state, 'n');
    sample_reads(&mut state, health());
    type_in(&mut state, "app");
    press(&mut state, KeyCode::Enter);
    type_in(&mut state, "kim");
    press(&mut state, KeyCode::Enter);
    press(&mut state, '+');
    state
}

/// Everything that can be looked at but the JSON of an order, which is what the view has.
fn every_screen(size: (u16, u16)) -> Vec<State> {
    const ENGLISH: Language = Language::English;
    let mut states: Vec<State> = Tab::ALL.iter().map(|tab| sample_showing(*tab, ENGLISH, size)).collect();
    let opened = sample_opened(ENGLISH, size);
    let mut then = opened.clone();
    press(&mut then, KeyCode::Left);
    let mut placing = sample_placing(ENGLISH, size);
    update(&mut placing, NOW, Message::OrderId(order_id(99)));
    let mut picking = placing.clone();
    press(&mut picking, KeyCode::BackTab);
    press(&mut picking, KeyCode::BackTab);
    let mut placed = placing.clone();
    press(&mut placed, KeyCode::Enter);
    let mut tripped = sample(ENGLISH, size, tripped());
    tripped.health.services.iter_mut().for_each(|beat: &mut Beat| beat.rebuilding = Some(7));
    states.extend([opened, then, placing, picking, placed, tripped]);
    for keys in ["?", ":", "b", "f", "L", "u", "s", "jc", "/item:app", "jjj"] {
        let mut state = sample(ENGLISH, size, health());
        type_in(&mut state, keys);
        sample_reads(&mut state, health());
        states.push(state);
    }
    states
}

fn is_korean(letter: char) -> bool {
    matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}')
}

#[test]
fn in_english_nothing_is_korean_but_the_name_of_that_language() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for state in every_screen(size) {
            let shown = screen(&state).replace(Language::Korean.name(), "");
            assert!(!shown.contains(is_korean), "{shown}");
        }
    }
    let korean = screen(&sample(Language::Korean, (120, 40), health()));
    assert!(korean.contains("사과 ×") && !korean.contains("Apple"), "{korean}");
}

#[test]
fn an_item_that_is_not_known_is_called_as_its_order_has_it() {
    let mut state = sample(Language::English, (120, 40), health());
    let mut read = told(&state, health());
    read.items = Some(sample_items().split_off(1));
    update(&mut state, NOW, Message::Read(Box::new(read)));
    let shown = screen(&state);
    assert!(shown.contains("사과 × 5") && shown.contains("Pear × 1"), "{shown}");
}

#[test]
fn orders_that_are_sorted_by_item_stand_by_the_name_that_is_shown() {
    let mut state = sample(Language::English, (120, 40), health());
    while state.orders.sort().is_none_or(|sort| sort.column != OrderColumn::Item) {
        press(&mut state, 'o');
    }
    let ids = |state: &State| {
        let mut ids: Vec<_> = state.orders.rows().map(|row| row.order.item_id.to_string()).collect();
        ids.dedup();
        ids
    };
    assert_eq!(ids(&state), ["10", "13", "11", "12"], "Apple, Jeju mandarin, Pear, Rice");
    press(&mut state, 'l');
    assert_eq!(ids(&state), ["11", "10", "12", "13"], "배, 사과, 쌀, 제주 감귤");
}

#[test]
fn a_filter_finds_items_by_the_name_that_is_shown() {
    let mut state = sample(Language::English, (120, 40), health());
    type_in(&mut state, "/item:pear mandarin");
    let Query::Orders(query) = wanted(&state).query else { panic!("no orders") };
    assert_eq!(query.filter.item_id, Some(item_id("11")), "by its index");
    assert_eq!(query.filter.text.as_deref(), Some("mandarin"));
    assert_eq!(query.filter.text_means, [item_id("13")].into(), "whatever its orders call it");
}
