use skstore_domain::answers::AnswerError;
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;

use super::super::fake::{Desk, QUICK, desk, yes};
use super::super::ledger::Became;
use super::super::plan::{RunName, Share};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn plan() -> Plan {
    Plan {
        run: RunName::new("r").unwrap(),
        seed: 1,
        items: vec![Share { item_id: ItemId::new("10").unwrap(), weight: 1 }],
        customers: vec![Customer::new("kim").unwrap()],
        qty: 1..=1,
        cancels: 0,
        repeats: 0,
    }
}

async fn ran(
    desk: &Desk,
    plan: &Plan,
    clients: usize,
    rate: Option<f64>,
    limits: (Option<Duration>, Option<u64>),
) -> Ran {
    let (_steer, steered) = watch::channel(Steer { rate, is_stopped: false });
    let limits = Limits { clients, time: limits.0, orders: limits.1 };
    run(desk, plan, &limits, None, steered, |_| {}).await
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_stalls_for_two_seconds_shows_in_the_percentiles_of_a_fixed_rate() {
    let now = Instant::now();
    let stalled = || Desk { stall: Some((now + 4 * SECOND, now + 6 * SECOND)), ..desk(yes) };
    let fixed = stalled();
    let told = ran(&fixed, &plan(), 4, Some(100.0), (Some(10 * SECOND), None)).await;
    // A fifth of what was due was due while it stalled, whoever was free to send it: the last tenth of all for a second and
    // more.
    assert_eq!((told.tally.orders.sent, told.tally.orders.ok, told.unsent), (1000, 1000, 0));
    let percentile = |told: &Ran, percent| Duration::from_micros(told.tally.all.percentile(percent).unwrap());
    assert!(percentile(&told, 99.0) > SECOND * 17 / 10, "p99 {:?}", percentile(&told, 99.0));
    assert!(percentile(&told, 90.0) > SECOND * 9 / 10, "p90 {:?}", percentile(&told, 90.0));
    assert!(percentile(&told, 50.0) < 2 * QUICK, "p50 {:?}", percentile(&told, 50.0));
    assert!(fixed.most_at_once.get() <= 4, "no more than its clients are on their way");
    // How long orders were on their way is not what people waited: 4 for two seconds, the others for a moment.
    assert!(told.tally.busy < 10 * SECOND, "{:?}", told.tally.busy);

    let now = Instant::now();
    let closed = Desk { stall: Some((now + 4 * SECOND, now + 6 * SECOND)), ..desk(yes) };
    let told = ran(&closed, &plan(), 4, None, (Some(10 * SECOND), None)).await;
    assert!(percentile(&told, 99.0) < 2 * QUICK, "closed, four of thousands wait: that is what it hides");
    assert!(told.tally.all.max().unwrap() > 1_900_000, "though the longest is told");
}

#[tokio::test(start_paused = true)]
async fn what_is_due_and_never_sent_is_told() {
    let now = Instant::now();
    let desk = Desk { stall: Some((now, now + 100 * SECOND)), ..desk(yes) };
    let told = ran(&desk, &plan(), 2, Some(10.0), (Some(2 * SECOND), None)).await;
    assert_eq!((told.tally.orders.sent, told.unsent, told.ended), (2, 18, Ended::Time));
    assert!(told.elapsed >= 100 * SECOND, "what is in flight is waited for");
}

#[tokio::test(start_paused = true)]
async fn answers_refusals_and_failures_are_what_they_are() {
    fn answers(number: u64, order: Order) -> Option<Result<Answer, Unanswered>> {
        let refuse = |code| Answer::refuse(code, "no");
        Some(match number {
            1 => Ok(refuse(ErrorCode::TryLater)),
            2 => Err(Unanswered::NoAnswer(String::new())),
            3 => Err(Unanswered::Unreachable(String::new())),
            4 => {
                let error = AnswerError::new(ErrorCode::Declined, "poor");
                Ok(Answer { order: Some(Order { status: OrderStatus::Rejected, ..order }), ..error.into() })
            }
            5 => Ok(refuse(ErrorCode::Internal)),
            6 => Ok(Answer { ok: true, ..Answer::default() }),
            _ => return None,
        })
    }
    let told = ran(&desk(answers), &plan(), 1, None, (None, Some(8))).await;
    let orders = &told.tally.orders;
    assert_eq!((orders.sent, orders.ok, orders.refused, orders.failed), (8, 2, 2, 4));
    assert_eq!(orders.refusals.iter().collect::<Vec<_>>(), [(&"declined", &1), (&"try_later", &1)]);
    let failures: Vec<_> = orders.failures.iter().map(|(word, count)| (*word, *count)).collect();
    assert_eq!(failures, [("internal", 1), ("no_answer", 1), ("unexpected", 1), ("unreachable", 1)]);
    assert_eq!(told.ledger.became(), Became { rejected: 1, not_placed: 2, open: 5, ..Became::default() });
    assert_eq!(told.ended, Ended::Orders);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_is_answered_otherwise_is_a_mismatch() {
    fn answers(number: u64, order: Order) -> Option<Result<Answer, Unanswered>> {
        // Every second question is a repeat.
        Some(Ok(match number {
            2 => Answer::order(Order { status: OrderStatus::Delivering, revision: 2, ..order }),
            4 => Answer::order(Order { amount: Won(77), ..order }),
            6 => Answer::refuse(ErrorCode::Conflict, "no"),
            8 => Answer::try_later("busy", SECOND),
            _ => return None,
        }))
    }
    let told = ran(&desk(answers), &Plan { repeats: 100, ..plan() }, 1, None, (None, Some(5))).await;
    let repeats = &told.tally.repeats;
    assert_eq!((repeats.sent, repeats.ok, repeats.refused, repeats.failed), (5, 2, 1, 2));
    assert_eq!(repeats.failures.get("mismatch"), Some(&2));
    assert_eq!(told.tally.orders.ok, 5, "the orders themselves are right");
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_waits_for_what_is_in_flight() {
    let now = Instant::now();
    let desk = Desk { stall: Some((now + SECOND, now + 3 * SECOND)), ..desk(yes) };
    let (steer, steered) = watch::channel(Steer { rate: Some(10.0), is_stopped: false });
    let limits = Limits { clients: 8, time: None, orders: None };
    let plan = plan();
    let stop = async {
        sleep(SECOND * 3 / 2).await;
        steer.send_modify(|steer| steer.is_stopped = true);
    };
    let (told, ()) = tokio::join!(run(&desk, &plan, &limits, None, steered, |_| {}), stop);
    assert_eq!(told.ended, Ended::Told);
    assert_eq!(told.tally.orders.ok, told.tally.orders.sent, "all that were sent are answered");
    assert!(told.elapsed >= 3 * SECOND && told.elapsed < 4 * SECOND, "{:?}", told.elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_without_an_answer_leaves_its_order_open() {
    let told = ran(&desk(yes), &Plan { cancels: 100, ..plan() }, 1, None, (None, Some(3))).await;
    assert_eq!((told.tally.cancels.sent, told.tally.cancels.failed, told.ledger.became().open), (3, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_may_order_it_ends_at_once_however_seldom_orders_are_due() {
    fn answers(number: u64, _: Order) -> Option<Result<Answer, Unanswered>> {
        (number > 1).then(|| Err(Unanswered::Forbidden("no token".to_owned())))
    }
    let told = ran(&desk(answers), &plan(), 8, Some(1.0), (Some(3600 * SECOND), None)).await;
    assert_eq!(told.forbidden.as_deref(), Some("no token"));
    assert_eq!((told.tally.orders.sent, told.tally.orders.ok), (2, 1));
    assert!(told.elapsed < 2 * SECOND, "{:?}", told.elapsed);
}
