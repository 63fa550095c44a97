//! The window over the orders: it follows, holds, slides, freezes and sorts, and never skips an order.

use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
use skstore_domain::time::Timestamp;

use super::*;
use crate::dashboard::table::sort::Column;
use crate::text::Language;

const SHOWN: usize = 10;
const NAMES: Names<'_> = Names::new(Language::Korean, &[]);

fn row(number: i64) -> OrderRow {
    let order = Order {
        order_id: OrderId::new(&format!("o{number:07}")).unwrap(),
        customer: Customer::new("kim").unwrap(),
        item_id: ItemId::new("10").unwrap(),
        item_name: "사과".into(),
        qty: 1,
        unit_price: Won(1),
        amount: Won(1),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: Timestamp(number),
        updated_at: Timestamp(number),
        revision: 1,
    };
    OrderRow { order, payment: None }
}

/// A view of orders `0..newest`, read the way the real one is, until the window stands still.
fn read(orders: &mut Orders, newest: i64) {
    loop {
        let start = orders.start.clone();
        orders.read(page(&start, newest), NAMES, SHOWN);
        if orders.is_read && orders.start == start {
            return;
        }
    }
}

fn page(start: &Start, newest: i64) -> OrderPage {
    let all: Vec<OrderRow> = (0..newest).rev().map(row).collect();
    let (rows, next): (Vec<OrderRow>, _) = match start {
        Start::Newest | Start::After(_) => {
            let is_after = |row: &OrderRow| !matches!(start, Start::After(after) if cursor_of(row) >= *after);
            let mut rest = all.into_iter().filter(is_after);
            let rows: Vec<OrderRow> = rest.by_ref().take(WINDOW_ROWS).collect();
            let next = rest.next().and(rows.last()).map(cursor_of);
            (rows, next)
        }
        Start::Before(_) | Start::Oldest => {
            let is_before =
                |row: &OrderRow| !matches!(start, Start::Before(before) if cursor_of(row) <= *before);
            let above: Vec<OrderRow> = all.into_iter().filter(is_before).collect();
            let rows = above[above.len().saturating_sub(WINDOW_ROWS)..].to_vec();
            let next = rows.first().filter(|_| above.len() > rows.len()).map(cursor_of);
            (rows, next)
        }
    };
    OrderPage { rows, next, ..OrderPage::default() }
}

fn selected(orders: &Orders) -> i64 {
    orders.selected_row().map_or(-1, |row| row.order.placed_at.0)
}

#[test]
fn at_the_top_the_newest_order_is_followed() {
    let mut orders = Orders::default();
    read(&mut orders, 50);
    assert_eq!((selected(&orders), orders.follows()), (49, true));
    read(&mut orders, 60);
    assert_eq!((selected(&orders), orders.offset), (59, 0));
}

#[test]
fn a_selection_stays_on_its_order_and_on_its_line() {
    let mut orders = Orders::default();
    read(&mut orders, 50);
    orders.move_by(3, SHOWN);
    for newest in [51, 60, 200, 10_000] {
        read(&mut orders, newest);
        assert_eq!(selected(&orders), 46, "with {newest} orders");
        let line = orders.selected_index().unwrap() - orders.offset;
        assert!(line == 3 || orders.start != Start::Newest, "line {line} with {newest} orders");
    }
    assert!(orders.start != Start::Newest, "the window is held where the selection is");
}

#[test]
fn moving_down_reaches_the_oldest_order_and_up_the_newest_one_by_one() {
    const NEWEST: i64 = 2000;
    let mut orders = Orders::default();
    read(&mut orders, NEWEST);
    for expected in (0..NEWEST - 1).rev() {
        orders.move_by(1, SHOWN);
        if !orders.is_read {
            read(&mut orders, NEWEST);
        }
        assert_eq!(selected(&orders), expected);
        let line = orders.selected_index().unwrap() - orders.offset;
        assert!(line < SHOWN, "order {expected} is off the screen");
    }
    for expected in 1..NEWEST {
        orders.move_by(-1, SHOWN);
        if !orders.is_read {
            read(&mut orders, NEWEST);
        }
        assert_eq!(selected(&orders), expected);
    }
    assert!(orders.follows(), "at the top the newest order is followed again");
}

#[test]
fn pages_do_not_jump_over_orders() {
    let mut orders = Orders::default();
    read(&mut orders, 5000);
    let mut expected = 4999;
    while expected >= 10 {
        orders.move_by(10, SHOWN);
        if !orders.is_read {
            read(&mut orders, 5000);
        }
        expected -= 10;
        assert_eq!(selected(&orders), expected);
    }
}

#[test]
fn an_order_that_no_longer_matches_leaves_the_selection_to_its_neighbour() {
    let mut orders = Orders::default();
    read(&mut orders, 10);
    orders.move_by(4, SHOWN);
    let rows: Vec<OrderRow> = (0..10).rev().filter(|number| *number != 5).map(row).collect();
    orders.read(OrderPage { rows, ..OrderPage::default() }, NAMES, SHOWN);
    assert_eq!(selected(&orders), 4);
    orders.read(OrderPage::default(), NAMES, SHOWN);
    assert_eq!(selected(&orders), -1, "nothing left, nothing selected");
}

#[test]
fn the_oldest_order_is_one_key_away_and_from_there_all_others_upwards() {
    const NEWEST: i64 = 1500;
    let mut orders = Orders::default();
    read(&mut orders, NEWEST);
    orders.to_oldest(SHOWN);
    read(&mut orders, NEWEST);
    assert_eq!(selected(&orders), 0);
    for expected in 1..NEWEST {
        orders.move_by(-1, SHOWN);
        if !orders.is_read {
            read(&mut orders, NEWEST);
        }
        assert_eq!(selected(&orders), expected);
        let line = orders.selected_index().unwrap() - orders.offset;
        assert!(line < SHOWN, "order {expected} is off the screen");
    }
    assert!(orders.follows(), "at the top the newest order is followed again");
}

#[test]
fn a_frozen_window_takes_nothing_until_it_is_freed() {
    let mut orders = Orders::default();
    read(&mut orders, 50);
    orders.toggle_freeze(Timestamp(1));
    read(&mut orders, 60);
    assert_eq!((selected(&orders), orders.follows()), (49, false));
    orders.toggle_freeze(Timestamp(2));
    read(&mut orders, 60);
    assert_eq!((selected(&orders), orders.follows()), (59, true));
}

#[test]
fn a_sorted_window_keeps_its_order_and_its_selection_while_orders_arrive() {
    let mut orders = Orders::default();
    let amounts = |orders: &Orders| orders.rows().map(|row| row.order.amount.0).collect::<Vec<_>>();
    let page = |amounts: &[i64]| {
        let rows = amounts.iter().enumerate().rev().map(|(number, amount)| {
            let mut row = row(i64::try_from(number).unwrap());
            row.order.amount = Won(*amount);
            row
        });
        OrderPage { rows: rows.collect(), ..OrderPage::default() }
    };
    orders.read(page(&[5, 1, 9]), NAMES, SHOWN);
    let by_amount = OrderColumn::ALL.iter().position(|column| *column == OrderColumn::Amount).unwrap();
    orders.resort(Resort::By(by_amount), NAMES, SHOWN);
    assert_eq!(amounts(&orders), [1, 5, 9]);
    orders.move_by(1, SHOWN);
    orders.read(page(&[5, 1, 9, 3]), NAMES, SHOWN);
    assert_eq!(amounts(&orders), [1, 3, 5, 9]);
    assert_eq!(orders.selected_row().map(|row| row.order.amount), Some(Won(5)));
    orders.resort(Resort::By(by_amount), NAMES, SHOWN);
    assert_eq!(amounts(&orders), [9, 5, 3, 1]);
    orders.resort(Resort::By(by_amount), NAMES, SHOWN);
    assert_eq!((amounts(&orders), orders.follows()), (vec![3, 9, 1, 5], true), "newest first again");
}

#[test]
fn a_scan_goes_on_where_it_stopped() {
    let mut orders = Orders::default();
    let next = Some(cursor_of(&row(77)));
    orders.read(
        OrderPage { next: next.clone(), scanned: Some(10_000), ..OrderPage::default() },
        NAMES,
        SHOWN,
    );
    assert!(orders.scan_on());
    assert_eq!(Some(orders.start.clone()), next.map(Start::After));
    orders.read(OrderPage { rows: vec![row(3)], scanned: Some(70), ..OrderPage::default() }, NAMES, SHOWN);
    assert!(!orders.scan_on(), "there is nothing further");
}
