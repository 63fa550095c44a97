//! Names that older versions accepted and this one does not: what is kept under them goes on, and nothing new begins.

use std::path::Path;

use skstore_domain::answers::Answer;
use skstore_domain::commands::{Place, TopUp};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::objects::{OrderStatus, PaymentStatus};

use super::code;
use super::fixture::{TestDesk, order_id};

/// What looks like kim.
const OLD: &str = "kim\u{3164}";
/// What stands in the stores for as long as this version writes them.
const STAND_IN: &str = "stand-in";
const PAID_IN: i64 = 10_000;
const PAID: i64 = 5_000;

/// Makes the stores what an older version would have left behind.
fn rename_in_stores(data: &Path) {
    for store in ["order.db", "deposit.db", "item.db"] {
        let store = rusqlite::Connection::open(data.join(store)).expect("a store");
        for column in
            ["aggregates SET id", "aggregates SET body", "events SET aggregate_id", "events SET body"]
        {
            let name = column.rsplit(' ').next().expect("a column");
            let sql = format!("UPDATE {column} = replace({name}, ?1, ?2)");
            store.execute(&sql, [STAND_IN, OLD]).expect("it is written");
        }
    }
}

async fn account(desk: &TestDesk, customer: &Customer) -> Answer {
    desk.desk.account(customer).await.expect("an answer")
}

#[tokio::test]
async fn an_account_of_an_old_name_keeps_its_orders_and_its_money_and_begins_nothing() {
    let desk = TestDesk::start(&[]).await;
    let customer = Customer::new(STAND_IN).expect("a customer");
    let top_up =
        |customer: &Customer| TopUp { customer: customer.clone(), amount: Won(PAID_IN), topup_id: None };
    assert!(desk.desk.top_up(&top_up(&customer)).await.expect("an answer").ok);
    assert!(desk.place("kept", "10", 5, STAND_IN).await.ok);
    desk.until_status("kept", OrderStatus::Delivering).await;
    desk.settle().await;
    let (kim, data) = (desk.balance("kim").await, desk.stop());
    rename_in_stores(data.path());

    let desk = TestDesk::start_on(data, &[]).await;
    let old = Customer::kept(OLD).expect("it was accepted once");
    let found = account(&desk, &old).await;
    assert_eq!(
        found.account.map(|account| account.balance),
        Some(Won(PAID_IN - PAID)),
        "asked for by its name"
    );
    let shown = desk.desk.view().accounts(None, 1_000).await.expect("the view");
    assert!(shown.iter().any(|account| account.customer == old), "it is shown: {shown:?}");
    assert_eq!(desk.shown("kept").await.customer, old);

    // Nothing new, by whichever way.
    let place = Place {
        item_id: ItemId::new("10").expect("an item"),
        qty: 1,
        customer: Some(old.clone()),
        order_id: Some(order_id("new")),
        unit_price: None,
    };
    assert_eq!(code(&desk.desk.place(&place).await.expect("an answer")), "invalid");
    assert_eq!(code(&desk.desk.top_up(&top_up(&old)).await.expect("an answer")), "invalid");

    // What it has goes its way, to the end.
    assert!(desk.cancel("kept").await.ok);
    desk.settle().await;
    assert_eq!(desk.payment("kept").await, PaymentStatus::Refunded);
    let found = account(&desk, &old).await;
    assert_eq!(found.account.map(|account| account.balance), Some(Won(PAID_IN)), "nothing of it was lost");
    assert_eq!(desk.balance("kim").await, kim, "nobody else was paid with it");
}
