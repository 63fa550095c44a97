//! The socket of a data directory as those see it who come to it: commands beside a process that has the workers, whatever
//! becomes of either side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use desk::{Desk, PATIENCE, wait_until};
use running::{said, until_it_says};

mod desk;
mod faults;
#[path = "../common/running.rs"]
mod running;

/// Commands at once.
const AT_ONCE: usize = 50;

/// [`AT_ONCE`] orders are placed at once, each by a process of its own, while `meanwhile` happens; each is answered.
fn place_many(desk: &Desk, run: &str, meanwhile: impl FnOnce()) {
    let placing: Vec<_> = (0..AT_ONCE)
        .map(|number| desk.start(&format!("place 10 1 --customer kim --order-id {run}-{number}")))
        .collect();
    meanwhile();
    for (number, placing) in placing.into_iter().enumerate() {
        let output = placing.output();
        assert_eq!(output.status.code(), Some(0), "order {run}-{number}: {}", said(&output));
    }
}

#[test]
fn fifty_commands_at_once_are_answered_beside_one_who_has_the_workers() {
    let desk = Desk::new();
    let holder = desk.holder();
    place_many(&desk, "beside", || {});
    desk.assert_whole(AT_ONCE);
    drop(holder);
    desk.assert_whole(AT_ONCE);
}

#[test]
fn fifty_commands_at_once_settle_among_themselves_who_has_the_workers() {
    let desk = Desk::new();
    place_many(&desk, "alone", || {});
    desk.assert_whole(AT_ONCE);
}

#[test]
fn nothing_is_lost_and_everybody_is_answered_when_who_has_the_workers_is_killed() {
    let desk = Desk::new();
    for round in 0..3 {
        let holder = desk.holder();
        place_many(&desk, &format!("round-{round}"), || {
            // After some of them are in, before all are answered.
            let orders = || desk.start("order round-0-0 --ask").output();
            std::hint::black_box(orders());
            holder.signal(Signal::SIGKILL);
        });
    }
    desk.assert_whole(3 * AT_ONCE);
}

#[test]
fn whoever_comes_and_is_killed_takes_nothing_with_it() {
    let desk = Desk::new();
    let holder = desk.holder();
    let killed: Vec<_> = (0..AT_ONCE)
        .map(|number| desk.start(&format!("place 10 1 --customer kim --order-id gone-{number}")))
        .collect();
    for (number, placing) in killed.into_iter().enumerate() {
        // Each a little later in what it does than the one before.
        std::thread::sleep(Duration::from_millis(number as u64 % 5));
        placing.signal(Signal::SIGKILL);
    }
    desk.done("place 10 1 --customer kim --order-id after");
    let audited = desk.done("audit");
    assert_eq!(audited["audited"]["violations"], 0, "{audited}");
    assert_eq!(desk.done("order after --ask")["payment"], "paid");
    drop(holder);
}

#[test]
fn what_is_no_question_ends_nothing_but_its_own_visit() {
    let desk = Desk::new();
    let holder = desk.holder();
    let greeting =
        |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let own = greeting(r#"{"protocol":1,"version":"0","pid":1}"#);
    let deep = "[".repeat(100_000);
    let sent: &[(&str, Vec<u8>)] = &[
        ("no length", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("a length of four GiB", vec![0xff; 64]),
        ("no greeting", greeting("null")),
        ("another protocol", greeting(r#"{"protocol":99,"version":"9","pid":1}"#)),
        ("no JSON", [own.clone(), greeting("{")].concat()),
        ("what is nested deep", [own.clone(), greeting(&deep)].concat()),
        ("no number", [own.clone(), greeting(r#"{"ask":"queues"}"#)].concat()),
        ("half a question", [own.clone(), greeting(r#"{"id":1,"ask":"queues"}"#)[..9].to_vec()].concat()),
        ("a page of everything", {
            let max = r#"{"id":1,"ask":{"view":{"orders":{"filter":{"text_means":[]},"after":null,"max":18446744073709551615}}}}"#;
            [own.clone(), greeting(max)].concat()
        }),
        ("nothing at all", vec![]),
    ];
    for (what, bytes) in sent {
        let mut visit = desk.visit().unwrap();
        visit.set_read_timeout(Some(PATIENCE)).unwrap();
        // The other side may have closed it already.
        let _ = visit.write_all(bytes);
        visit.shutdown(std::net::Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        visit.read_to_end(&mut heard).unwrap_or_else(|error| panic!("{what}: it is not let go: {error}"));
        assert!(String::from_utf8_lossy(&heard).contains("greeting"), "{what}: nobody was there");
    }
    // A question that only a newer version knows is answered as such, and the next one as ever.
    let mut visit = desk.visit().unwrap();
    visit.set_read_timeout(Some(PATIENCE)).unwrap();
    let questions =
        [own, greeting(r#"{"id":7,"ask":"weather"}"#), greeting(r#"{"id":8,"ask":"queues"}"#)].concat();
    visit.write_all(&questions).unwrap();
    let mut told = Vec::new();
    while !(told.iter().any(|told: &Value| told["answer"]["id"] == 8)) {
        let mut length = [0; 4];
        visit.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        visit.read_exact(&mut frame).unwrap();
        told.push(serde_json::from_slice(&frame).unwrap());
    }
    assert!(told.iter().any(|told| told["refused"]["id"] == 7), "{told:?}");
    desk.done("place 10 1 --customer kim --order-id still");
    drop(holder);
}

#[test]
fn of_one_who_has_the_workers_and_was_stopped_it_is_told() {
    let desk = Desk::new();
    let holder = desk.holder();
    holder.signal(Signal::SIGSTOP);
    let output = desk.start("items").output();
    holder.signal(Signal::SIGCONT);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains(&format!("process {}", holder.id())) && told.contains("was it stopped?"), "{told}");
    assert!(!desk.start("items").output().stdout.is_empty());
}

#[test]
fn of_workers_that_cannot_work_it_is_told_at_once_what_is_wrong() {
    let desk = Desk::new();
    let _holder = desk.holder();
    desk.done("place 10 1 --customer kim --order-id before");
    let (store, aside) = (desk.data().join("order.db"), desk.data().join("aside"));
    std::fs::rename(&store, &aside).unwrap();
    // Order finds that out with the next order.
    assert_eq!(desk.start("place 10 1 --customer kim").output().status.code(), Some(3));
    let begun = Instant::now();
    for (line, status) in [("status", 0), ("orders", 0), ("place 10 1 --customer kim", 3)] {
        let output = desk.start(line).output();
        assert_eq!(output.status.code(), Some(status), "{line}: {}", said(&output));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("order: ") && told.contains("was moved or deleted"), "{line}: {told}");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(60), "nobody waits for what does not come by itself: {took:?}");
    let output = desk.start("doctor").output();
    assert!(said(&output).contains(&store.display().to_string()), "doctor: {}", said(&output));
    std::fs::rename(&aside, &store).unwrap();
    desk.done("place 10 1 --customer kim --order-id after");
    // Those that were not answered are placed as well, now that they can be.
    wait_until("all four are delivering", || {
        desk.done("status")["counts"]["orders"]["delivering"] == serde_json::json!(4)
    });
    desk.assert_whole(4);
}

#[test]
fn stores_that_were_exchanged_are_told_of_by_whoever_looks() {
    let desk = Desk::new();
    desk.done("place 10 1 --customer kim");
    let at = |name: &str| desk.data().join(name);
    for (from, to) in [("order.db", "aside"), ("deposit.db", "order.db"), ("aside", "deposit.db")] {
        std::fs::rename(at(from), at(to)).unwrap();
    }
    let output = desk.start("doctor").output();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains("is that of deposit") && told.contains("is that of order"), "{told}");
    let output = desk.start("status").output();
    assert!(said(&output).contains("is that of deposit"), "{}", said(&output));
}

#[test]
fn those_who_stay_have_the_workers_after_the_one_who_leaves_in_good_order() {
    let desk = Desk::new();
    let mut first = desk.holder();
    // It is attached: it takes over, and goes on to tell of what happens.
    let mut second = desk.start("watch --for 600 --last 1000");
    let pid = second.id().to_string();
    desk.done("place 10 1 --customer kim --order-id before");
    until_it_says(first.child().stdout.as_mut(), "\"before\"");
    first.signal(Signal::SIGTERM);
    assert_eq!(first.output().status.code(), Some(0));
    wait_until("the second has the workers", || {
        std::fs::read_to_string(desk.data().join("skstore.lock")).is_ok_and(|text| text.starts_with(&pid))
            && desk.visit().is_ok()
    });
    desk.done("place 10 1 --customer kim --order-id after");
    until_it_says(second.child().stdout.as_mut(), "\"after\"");
    second.signal(Signal::SIGTERM);
    let output = second.output();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn whoever_watches_is_told_which_events_have_already_happened() {
    let desk = Desk::new();
    let _holder = desk.holder();
    desk.done("place 10 1 --customer kim --order-id before");
    wait_until("all of it has happened", || desk.done("status")["counts"]["orders"]["delivering"] == 1);
    let watched = desk.start("watch --for 1s").output();
    let happened = String::from_utf8_lossy(&watched.stdout).lines().count();
    assert!(said(&watched).contains(&format!("already happened: {happened}")), "{}", said(&watched));
    let watched = desk.start("watch --for 1s --last 3").output();
    assert_eq!(String::from_utf8_lossy(&watched.stdout).lines().count(), 3, "{}", said(&watched));
    assert!(
        !said(&watched).contains("already happened"),
        "whoever says how many knows that: {}",
        said(&watched)
    );
    let watched = desk.start("watch --for 1s --last 0").output();
    assert_eq!(said(&watched), "", "nothing happens");
}
