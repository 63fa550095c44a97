//! Money is conserved whatever Deposit is sent.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use skstore_domain::charges::ChargeResult;
use skstore_domain::deposit::{MAX_BALANCE, TopUpRecord, ToppedUp, charge, release, top_up};
use skstore_domain::events::{DepositEvent, DepositKind, EventKind};
use skstore_domain::heard::Heard;
use skstore_domain::ids::{Customer, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{Account, Order, Payment, PaymentReason, PaymentStatus};
use skstore_domain::time::Timestamp;

use crate::build;

const NOW: Timestamp = Timestamp(1);
const ORDERS: [&str; 4] = ["a", "b", "c", "d"];
const CUSTOMERS: [&str; 3] = ["kim", "lee", "park"];

#[derive(Debug, Clone)]
enum Input {
    Charge { order: usize, customer: usize, amount: Won, late: bool },
    Release { order: usize, customer: usize, amount: Won },
    TopUp { id: usize, customer: usize, amount: Won },
}

fn input() -> impl Strategy<Value = Input> {
    let amount = prop_oneof![
        8 => (0..4_i64).prop_map(|n| Won(n * 50)), 1 => Just(Won(i64::MAX)), 1 => any::<i64>().prop_map(Won)
    ];
    let topped_up = prop_oneof![8 => (1..4_i64).prop_map(|n| Won(n * 70)), 1 => Just(Won(i64::MAX)), 1 => Just(MAX_BALANCE)];
    let (order, customer) = (0..ORDERS.len(), 0..CUSTOMERS.len());
    prop_oneof![
        (order.clone(), customer.clone(), amount.clone(), any::<bool>())
            .prop_map(|(order, customer, amount, late)| Input::Charge { order, customer, amount, late }),
        (order, customer.clone(), amount).prop_map(|(order, customer, amount)| Input::Release {
            order,
            customer,
            amount
        }),
        (0..5_usize, customer, topped_up).prop_map(|(id, customer, amount)| Input::TopUp {
            id,
            customer,
            amount
        }),
    ]
}

#[derive(Default)]
struct Books {
    accounts: BTreeMap<Customer, Account>,
    payments: BTreeMap<OrderId, Payment>,
    top_ups: BTreeMap<usize, TopUpRecord>,
    refunds: BTreeMap<OrderId, u32>,
}

impl Books {
    fn take(&mut self, input: &Input) -> Result<(), TestCaseError> {
        match *input {
            Input::Charge { order, customer, amount, late } => {
                let asked = build::charge(ORDERS[order], CUSTOMERS[customer], amount);
                let known = self.payments.get(&asked.order_id).cloned();
                let account = self.accounts.get(&asked.customer);
                let Ok(charged) = charge(known.as_ref(), account, &asked, late, NOW) else {
                    prop_assert!(known.is_none() && amount < Won::ZERO, "{:?} is impossible", asked);
                    return Ok(());
                };
                let (payment, result) = match charged.change {
                    None => (known, charged.result),
                    Some((payment, account, event)) => {
                        prop_assert_eq!(known, None, "only the first charge changes anything");
                        self.write(&payment, account, event.kind(), event.revision)?;
                        (Some(payment), charged.result)
                    }
                };
                let exists = payment.is_some_and(|p| {
                    p.status == PaymentStatus::Paid && p.amount == amount && p.customer == asked.customer
                });
                prop_assert_eq!(result == ChargeResult::Paid, exists, "paid is said exactly if it is");
            }
            Input::Release { order, customer, amount } => {
                let order = Order {
                    customer: build::customer(CUSTOMERS[customer]),
                    amount,
                    ..build::order(ORDERS[order], 1)
                };
                let known = self.payments.get(&order.order_id);
                let account = known.and_then(|known| self.accounts.get(&known.customer));
                let released =
                    release(known, account, &order, PaymentReason::OrderCancelled, NOW).map_err(|error| {
                        TestCaseError::fail(format!("a release is never impossible: {error}"))
                    })?;
                if let Heard::Changes((payment, account, event)) = released {
                    self.write(&payment, account, event.kind(), event.revision)?;
                }
            }
            Input::TopUp { id, customer, amount } => {
                let customer = build::customer(CUSTOMERS[customer]);
                let (known, account) = (self.top_ups.get(&id), self.accounts.get(&customer));
                let done = top_up(known, account, &format!("t{id}"), &customer, amount, NOW)
                    .map_err(|error| TestCaseError::fail(format!("a top-up is never impossible: {error}")))?;
                match done {
                    ToppedUp::Done(done) => {
                        let (record, event) = *done;
                        prop_assert_eq!(&event.data, &DepositEvent::ToppedUp(record.account.clone()).into());
                        self.write_account(record.account.clone())?;
                        self.top_ups.insert(id, record);
                    }
                    ToppedUp::Before(account) => {
                        prop_assert_eq!(Some(&account), self.top_ups.get(&id).map(|record| &record.account));
                    }
                    ToppedUp::Conflict => prop_assert!(self.top_ups.contains_key(&id)),
                    ToppedUp::TooMuch => {
                        let held = self.accounts.get(&customer).map_or(Won::ZERO, |account| account.balance);
                        prop_assert!(
                            held.plus(amount).is_none_or(|sum| sum > MAX_BALANCE),
                            "{} won fit",
                            amount
                        );
                    }
                }
            }
        }
        self.check()
    }

    fn write(
        &mut self,
        payment: &Payment,
        account: Option<Account>,
        kind: EventKind,
        revision: u64,
    ) -> Result<(), TestCaseError> {
        let before = self.payments.insert(payment.order_id.clone(), payment.clone());
        prop_assert_eq!(payment.revision, before.map_or(0, |before| before.revision) + 1);
        prop_assert_eq!(payment.revision, revision);
        if kind == EventKind::Deposit(DepositKind::Refunded) {
            *self.refunds.entry(payment.order_id.clone()).or_default() += 1;
        }
        account.map_or(Ok(()), |account| self.write_account(account))
    }

    fn write_account(&mut self, account: Account) -> Result<(), TestCaseError> {
        let before = self.accounts.get(&account.customer);
        prop_assert_eq!(account.revision, before.map_or(0, |before| before.revision) + 1);
        self.accounts.insert(account.customer.clone(), account);
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let sum = |amounts: &mut dyn Iterator<Item = Won>| amounts.map(|won| i128::from(won.0)).sum::<i128>();
        let put_in = sum(&mut self.top_ups.values().map(|record| record.amount));
        let balances = sum(&mut self.accounts.values().map(|account| account.balance));
        let paid = self.payments.values().filter(|payment| payment.status == PaymentStatus::Paid);
        prop_assert_eq!(
            put_in,
            balances + sum(&mut paid.map(|payment| payment.amount)),
            "money is conserved"
        );
        prop_assert!(
            self.accounts.values().all(|account| account.balance >= Won::ZERO),
            "an account is overdrawn"
        );
        prop_assert!(self.refunds.values().all(|refunds| *refunds <= 1), "an order was refunded twice");
        Ok(())
    }
}

proptest! {
    #[test]
    fn money_is_conserved_and_refunded_once(inputs in proptest::collection::vec(input(), 0..80)) {
        let mut books = Books::default();
        for input in &inputs {
            books.take(input)?;
        }
    }
}
