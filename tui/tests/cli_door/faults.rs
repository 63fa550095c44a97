//! Faults that somebody beside the owner of the workers has them make.

use serde_json::{Value, json};

use crate::desk::{Desk, wait_until};
use crate::running::said;

fn refused(desk: &Desk, line: &str, status: i32, why: &str) {
    let output = desk.start(line).output();
    assert_eq!(output.status.code(), Some(status), "skstore {line}: {}", said(&output));
    assert!(said(&output).contains(why), "skstore {line} does not say '{why}': {}", said(&output));
}

fn faults(desk: &Desk) -> String {
    let output = desk.start("fault list").output();
    assert_eq!(output.status.code(), Some(0), "skstore fault list: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn beat(desk: &Desk, service: &str) -> Value {
    let status = desk.done("status");
    let services = status["services"].as_array().unwrap();
    services.iter().find(|beat| beat["service"] == service).unwrap_or(&Value::Null).clone()
}

#[test]
fn a_fault_does_what_it_says_is_listed_and_is_healed() {
    let desk = Desk::new();
    let _holder = desk.holder();
    let slow = desk.done("fault deposit slow 1s --for 10m");
    assert_eq!((&slow["service"], &slow["fault"]), (&json!("deposit"), &json!("slow:1000")), "{slow}");
    assert!((500_000..=600_000).contains(&slow["left_ms"].as_u64().unwrap()), "{slow}");
    refused(&desk, "place 10 1 --customer kim --order-id slow-1", 1, "payment_timeout");
    assert!(faults(&desk).contains("slow:1000"));
    let other = desk.start("fault deposit slow 2s").output();
    assert!(said(&other).contains("this takes the place of the fault slow:1000 of "), "{}", said(&other));
    assert!(said(&other).contains(r#""replaced":"slow:1000""#), "{}", said(&other));
    assert!(!said(&desk.start("fault deposit slow 2s").output()).contains("replaced"), "it is the same");
    assert_eq!(said(&desk.start("fault heal").output()), "", "nobody misbehaves any more");
    desk.done("place 10 1 --customer kim --order-id healed-1");

    desk.done("fault item stopped");
    let placed = desk.done("place 10 1 --customer kim --order-id waiting-1");
    assert_eq!(placed["status"], "placed", "{placed}");
    desk.start("fault heal item").output();
    wait_until("the order that waited is delivered", || {
        desk.done("order waiting-1")["status"] == "delivering"
    });
    assert_eq!(desk.done("audit")["audited"]["violations"], json!(0));
}

#[test]
fn replies_are_lost_as_often_as_was_wished() {
    let desk = Desk::new();
    let _holder = desk.holder();
    let lossy = desk.done("fault lost-replies 50% --for 1h");
    assert_eq!(
        (&lossy["service"], &lossy["fault"]),
        (&json!("deposit"), &json!("lost-replies:50")),
        "{lossy}"
    );
    let statuses: Vec<_> = (0..4)
        .map(|number| {
            desk.start(&format!("place 10 1 --customer kim --order-id half-{number}")).output().status.code()
        })
        .collect();
    assert_eq!(statuses, [Some(0), Some(1), Some(0), Some(1)], "every second payment is heard of");
    assert_eq!(desk.done("audit")["audited"]["violations"], json!(0));
}

#[test]
fn a_fault_is_over_by_itself_in_its_time() {
    let desk = Desk::new();
    let _holder = desk.holder();
    assert!(faults(&desk).is_empty());
    desk.done("fault deposit stopped --for 2s");
    wait_until("it is over", || faults(&desk).is_empty());
    desk.done("place 10 1 --customer kim --order-id over-1");
}

#[test]
fn a_worker_that_crashes_starts_again_and_nothing_is_lost() {
    let desk = Desk::new();
    let _holder = desk.holder();
    for (number, service) in ["order", "deposit", "item", "myinfo"].into_iter().enumerate() {
        desk.start(&format!("fault worker {service} crash")).output();
        wait_until("it has crashed", || beat(&desk, service)["past"].to_string().contains("it crashed"));
        desk.done(&format!("place 10 1 --customer kim --order-id crash-{number}"));
    }
    wait_until("all are delivered", || desk.done("status")["counts"]["orders"]["delivering"] == json!(4));
    desk.assert_whole(4);
}

#[test]
fn the_breaker_obeys_and_says_so() {
    let desk = Desk::new();
    let _holder = desk.holder();
    for (mode, state) in [("open", "open"), ("closed", "closed"), ("auto", "closed")] {
        let told = desk.done(&format!("breaker {mode}"));
        assert_eq!((&told["mode"], &told["state"]), (&json!(mode), &json!(state)), "{told}");
    }
}

#[test]
fn what_would_end_at_once_and_what_the_settings_forbid_is_refused_with_what_to_do() {
    let desk = Desk::new();
    refused(&desk, "fault deposit slow 400ms", 2, "Open the dashboard");
    refused(&desk, "breaker open", 2, "Open the dashboard");
    refused(&desk, "breaker record calls.jsonl", 2, "there is nothing to record");
    assert!(!std::path::Path::new("calls.jsonl").exists());
    refused(&desk, "fault deposit slow 61s", 2, "1ms to 60s");
    refused(&desk, "fault deposit slow 400", 2, "(ms, s, m or h)");
    refused(&desk, "watch --for 5x", 2, "(ms, s, m or h)");
    refused(&desk, "fault deposit slow 1s --for 2h", 2, "at most 1h");
    let holder = desk.holder_with("--set faults.allowed=false");
    refused(&desk, "fault deposit slow 400ms", 1, "faults.allowed=true");
    refused(&desk, "fault worker order crash", 1, "faults.allowed=true");
    refused(&desk, "fault item stopped --instance nobody", 1, "nobody");
    assert!(faults(&desk).is_empty());
    drop(holder);
}
