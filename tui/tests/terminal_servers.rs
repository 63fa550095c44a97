//! The dashboard in a real terminal over a real RabbitMQ and a real Redis, which are killed and come back while a
//! person looks. With colours and without.
//!
//! The servers are the test's own; the workers are those of this process.

#![cfg(feature = "servers")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use skstore_domain::commands::Place;
use skstore_domain::ids::ItemId;
use skstore_domain::signals::Service;
use skstore_workers::desk::bus::{Message, Properties, PublishOutcome, Subscription};
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;
use skstore_workers::desk::topology::{self, DEAD, ITEM_EVENTS};

#[path = "terminal/person.rs"]
mod person;
#[path = "../../xtask/src/servers/mod.rs"]
mod servers;

use person::{Person, assert_colourless, line_with, skstore};
use servers::{Rabbit, Redis};

/// A part that returned is back at work within this; told with what a busy machine needs on top.
const BACK_WITHIN: Duration = Duration::from_secs(6);
const LEEWAY: Duration = Duration::from_secs(10);
/// How long a program may take to end once it is told to.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// The settings that lead to the servers.
fn settings(rabbit: &Rabbit, redis: &Redis) -> Vec<(String, String)> {
    vec![
        ("bus.url".to_owned(), rabbit.amqp_url()),
        ("view.url".to_owned(), redis.url()),
        // On a busy machine no payment may be late.
        ("payment.timeout_ms".to_owned(), "5000".to_owned()),
        ("breaker.slow_ms".to_owned(), "4000".to_owned()),
    ]
}

fn config(data: &Path, settings: &[(String, String)]) -> Config {
    let mut flags = vec![("data_dir".to_owned(), data.display().to_string())];
    flags.extend_from_slice(settings);
    Config::load(&Sources { flags, ..Sources::default() }).unwrap()
}

fn workers(data: &Path, settings: &[(String, String)]) -> Process {
    Process::start_workers(&config(data, settings), Service::ALL).unwrap()
}

fn dashboard(home: &Path, settings: &[(String, String)], environment: &[(&str, &str)]) -> Person {
    let settings: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting.as_str()]).collect();
    Person::starts(skstore(home, &arguments, environment))
}

/// Waits until a banner is gone, and says how long that took.
fn heals(person: &mut Person, banner: &str) -> Duration {
    let since = Instant::now();
    person.sees(&format!("no banner '{banner}'"), |screen| !screen.contains(banner));
    since.elapsed()
}

#[test]
fn a_broker_and_a_view_that_are_killed_are_told_of_at_once_and_heal() {
    let mut rabbit = Rabbit::start().unwrap();
    let mut redis = Redis::start().unwrap();
    let settings = settings(&rabbit, &redis);
    let workers_home = tempfile::tempdir().unwrap();
    let process = workers(workers_home.path(), &settings);

    for (name, value) in [("NO_COLOR", ""), ("NO_COLOR", "1")] {
        let home = tempfile::tempdir().unwrap();
        let environment = [("LANG", "en_US.UTF-8"), (name, value)];
        let mut person = dashboard(home.path(), &settings, &environment);
        person.sees_text("closed");
        person.orders_five_apples("Apple");
        person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());

        // Nobody asks for anything: it is told all the same, and counts down.
        rabbit.kill();
        person.sees_all(&["The message bus was lost", "Next try in"]);
        person.sees_text("lost 2s ago");
        rabbit.restart().unwrap();
        let took = heals(&mut person, "The message bus was lost");
        assert!(took < BACK_WITHIN + LEEWAY, "the bus was back for {took:?}");
        person.types("c");
        person.sees_text("Cancel this order?");
        person.types("y");
        person.sees("the order cancelled and refunded", |screen| {
            line_with(screen, "× 5", "cancelled").is_some_and(|row| row.contains("refund"))
        });

        redis.kill();
        person.sees_all(&["The view cannot be read", "This is from"]);
        assert!(line_with(&person.text(), "× 5", "cancelled").is_some(), "what was there is shown on");
        redis.restart().unwrap();
        let took = heals(&mut person, "The view cannot be read");
        assert!(took < BACK_WITHIN + LEEWAY, "the view was back for {took:?}");
        person.sees("the view as it was", |screen| line_with(screen, "× 5", "cancelled").is_some());
        if value == "1" {
            assert_colourless(person.screen.screen());
        }
        person.types("4");
        person.sees_all(&["topped up =", "deposit.commands"]);
        person.leaves();
    }
    process.stop().unwrap();
}

/// What `skstore doctor` finds of the workers, one line each.
fn of_workers(home: &Path, settings: &[(String, String)]) -> Vec<String> {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_skstore"));
    doctor.env_clear().env("HOME", home).args(["doctor", "--json"]).stdin(Stdio::null());
    for (key, value) in settings {
        doctor.args(["--set", &format!("{key}={value}")]);
    }
    let said = doctor.output().unwrap();
    assert_eq!(said.status.code(), Some(3), "{said:?}");
    let lines = String::from_utf8(said.stdout).unwrap();
    lines.lines().filter(|line| line.contains(r#""check":"workers""#)).map(str::to_owned).collect()
}

#[test]
fn workers_that_cannot_be_heard_are_not_told_to_be_missing() {
    let rabbit = Rabbit::start().unwrap();
    let redis = Redis::start().unwrap();
    let home = tempfile::tempdir().unwrap();
    let settings = settings(&rabbit, &redis);
    let missing = of_workers(home.path(), &settings);
    assert!(matches!(&missing[..], [one] if one.contains("order deposit item myinfo")), "{missing:?}");

    rabbit.ctl(&["set_vm_memory_high_watermark", "0.00001"]).unwrap();
    let unknown = of_workers(home.path(), &settings);
    assert!(matches!(&unknown[..], [one] if one.contains("nothing can be known")), "{unknown:?}");
}

#[test]
fn parked_messages_of_any_size_are_listed_within_the_memory_of_a_worker() {
    const MIB: usize = 1024 * 1024;
    const PARKED: usize = 100;
    const MAX_KIB: usize = 256 * 1024;
    let (rabbit, redis) = (Rabbit::start().unwrap(), Redis::start().unwrap());
    let settings = settings(&rabbit, &redis);
    let home = tempfile::tempdir().unwrap();
    let process = Process::start(&config(home.path(), &settings)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let publisher = process.bus().unwrap().publisher().await.unwrap();
        let body: Arc<[u8]> = vec![b'x'; 8 * MIB].into();
        for _ in 0..PARKED {
            let parked = Message {
                exchange: DEAD.to_owned(),
                routing_key: "order.place".to_owned(),
                body: Arc::clone(&body),
                properties: Properties::default(),
            };
            assert_eq!(publisher.publish(parked).await, PublishOutcome::Confirmed);
        }
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
    for (key, value) in &settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    let output = std::fs::File::create(home.path().join("list")).unwrap();
    command.args([
        "--data-dir",
        &home.path().display().to_string(),
        "--json",
        "dead",
        "list",
        "--limit",
        "1000",
    ]);
    let mut listing = command.stdin(Stdio::null()).stdout(output).spawn().unwrap();
    let (mut peak_kib, status) = (0, format!("/proc/{}/status", listing.id()));
    let ended = loop {
        // There until it has ended: what it had most is never told less.
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak_kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(peak_kib);
        if let Some(ended) = listing.try_wait().unwrap() {
            break ended;
        }
    };
    assert!(ended.success(), "{ended}");
    assert!(peak_kib > 0 && peak_kib < MAX_KIB, "it had {} MiB", peak_kib / 1024);
    let listed = std::fs::read_to_string(home.path().join("list")).unwrap();
    let lines = listed.lines().count();
    assert!(lines > PARKED / 4, "{lines} of {PARKED}: a list carries megabytes");
    assert!(
        listed.lines().all(|line| line.contains("\"body_is_cut\":true")),
        "each says that there is more of it"
    );
    process.stop().unwrap();
}

/// `skstore` with these words, without a terminal: its exit status, and what it wrote.
fn runs(home: &Path, settings: &[(String, String)], words: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear().env("HOME", home).env("LANG", "en_US.UTF-8").stdin(Stdio::null());
    command.args(["--data-dir", &home.join("data").display().to_string()]);
    for (key, value) in settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    let output = command.args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn while_the_broker_is_down_all_that_the_view_has_is_shown_and_what_asks_somebody_says_so() {
    let mut rabbit = Rabbit::start().unwrap();
    let redis = Redis::start().unwrap();
    let settings = settings(&rabbit, &redis);
    let home = tempfile::tempdir().unwrap();
    let process = workers(&home.path().join("data"), &settings);
    let deadline = Instant::now() + person::PATIENCE;
    let until = |what: &str, words: &[&str], is_so: &dyn Fn(i32, &str) -> bool| loop {
        let (status, shown, told) = runs(home.path(), &settings, words);
        if is_so(status, &shown) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {status}, {shown}{told}");
    };
    // Order takes none before it has heard of the item.
    until("placed", &["place", "10", "5", "--order-id", "kept"], &|status, _| status == 0);
    until("delivered", &["order", "kept"], &|_, shown| shown.contains("delivering"));

    rabbit.kill();
    for (words, part) in [
        (&["orders"][..], "kept"),
        (&["order", "kept"][..], "delivering"),
        (&["items"][..], "Apple"),
        (&["accounts"][..], "walk-in"),
        (&["status"][..], "delivering 1"),
        // The catalogue's events may come into the view after the order's: two queues.
        (&["watch", "--for", "1", "--last", "100"][..], "kept"),
        (&["view"][..], "orders"),
    ] {
        let (status, shown, told) = runs(home.path(), &settings, words);
        assert_eq!(status, 0, "{words:?}: {told}");
        assert!(shown.contains(part), "{words:?} shows what is there:\n{shown}");
        assert_eq!(told.lines().count(), 1, "{words:?}: one sentence: {told}");
        let is_told = told.contains("the message bus cannot be reached") && told.contains(" ago");
        assert!(is_told, "{words:?} says that it is old, and how old: {told}");
    }
    let (status, json, _) = runs(home.path(), &settings, &["orders", "--json"]);
    assert!(
        status == 0 && json.lines().count() == 1 && json.starts_with('{'),
        "programs get what they get: {json}"
    );
    let (status, told, why) = runs(home.path(), &settings, &["audit", "--wait", "0"]);
    assert_eq!(status, 0, "the books need no broker: {told}{why}");
    assert!(told.contains("the queues were not looked at"), "{told}");
    for words in [
        &["place", "10", "1"][..],
        &["cancel", "kept"][..],
        &["order", "kept", "--ask"][..],
        &["payment", "kept"][..],
        &["topup", "kim", "1000"][..],
        &["restock", "10", "1"][..],
        &["breaker", "open"][..],
        &["queues"][..],
        &["dead", "list"][..],
        &["view", "rebuild"][..],
    ] {
        let (status, shown, told) = runs(home.path(), &settings, words);
        assert_eq!((status, shown.as_str()), (3, ""), "{words:?}: {told}");
        assert!(told.contains("cannot use the message bus"), "{words:?}: {told}");
    }

    let mut person = dashboard(home.path(), &settings, &[("LANG", "en_US.UTF-8")]);
    person.sees("the order, and that it may be old", |screen| {
        line_with(screen, "× 5", "delivering").is_some() && screen.contains("The message bus was lost")
    });
    person.sees_text("No news from any worker");
    person.types("c");
    person.sees_text("Cancel this order?");
    person.types("y");
    person.sees_text("cancel kept: Not sent, the message bus cannot be");
    rabbit.restart().unwrap();
    let took = heals(&mut person, "The message bus was lost");
    assert!(took < BACK_WITHIN + LEEWAY, "the bus was back for {took:?}");
    person.types("c");
    person.sees_text("Cancel this order?");
    person.types("y");
    person.sees("the order cancelled and refunded", |screen| {
        line_with(screen, "× 5", "cancelled").is_some_and(|row| row.contains("refund"))
    });
    person.leaves();
    process.stop().unwrap();
}

#[test]
fn a_reader_that_takes_nothing_does_not_keep_those_who_watch_from_ending() {
    // More than a pipe holds: some events for each order, a line of some hundred characters for each.
    const ORDERS: usize = 300;
    let rabbit = Rabbit::start().unwrap();
    let redis = Redis::start().unwrap();
    let settings = settings(&rabbit, &redis);
    let home = tempfile::tempdir().unwrap();
    let process = workers(&home.path().join("data"), &settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let desk = process.desk().await.unwrap();
        let item_id = ItemId::new("10").unwrap();
        // One that is refused has its events as well.
        for _ in 0..ORDERS {
            let order_id = Some(desk.order_id());
            let place =
                Place { item_id: item_id.clone(), qty: 1, customer: None, order_id, unit_price: None };
            desk.place(&place).await.unwrap();
        }
    });
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear().env("HOME", home.path()).stdin(Stdio::null()).stdout(Stdio::piped());
    for (key, value) in &settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    let mut watching = command.args(["watch", "--last", "1000"]).spawn().unwrap();
    // The first byte is there: now it writes, and nobody reads on.
    let mut output = watching.stdout.take().unwrap();
    output.read_exact(&mut [0]).unwrap();
    person::signal("TERM", watching.id());
    let since = Instant::now();
    let status = loop {
        if let Some(status) = watching.try_wait().unwrap() {
            break status;
        }
        assert!(since.elapsed() < ENDS_WITHIN + LEEWAY, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{status:?}");
    process.stop().unwrap();
}

/// What a command prints once it says `part`.
fn says(home: &Path, settings: &[(String, String)], words: &[&str], part: &str) -> (i32, String) {
    let since = Instant::now();
    loop {
        let (status, shown, told) = runs(home, settings, words);
        if shown.contains(part) || told.contains(part) {
            return (status, shown);
        }
        assert!(since.elapsed() < SAID_WITHIN, "{words:?} does not say {part:?}: {status}\n{shown}\n{told}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What the broker shows of its policies and alarms lags by some seconds.
const SAID_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn what_is_wrong_on_the_broker_is_told_by_doctor_and_by_status_while_it_is_and_not_afterwards() {
    let mut rabbit = Rabbit::start().unwrap();
    let redis = Redis::start().unwrap();
    let mut settings = settings(&rabbit, &redis);
    settings.push(("bus.management_url".to_owned(), rabbit.api_url()));
    let home = tempfile::tempdir().unwrap();
    let process = workers(&home.path().join("data"), &settings);
    says(home.path(), &settings, &["status"], "ready");

    let short = ["set_policy", "short", "^skstore.dead$", r#"{"message-ttl":60000}"#, "--apply-to", "queues"];
    rabbit.ctl(&short).unwrap();
    let (status, _) = says(home.path(), &settings, &["doctor"], "message-ttl = 60000");
    assert_ne!(status, 0, "a policy that loses messages is nothing to pass over");
    rabbit.ctl(&["clear_policy", "short"]).unwrap();

    rabbit.ctl(&["set_vm_memory_high_watermark", "0.00001"]).unwrap();
    for command in ["status", "doctor"] {
        says(home.path(), &settings, &[command], "blocks all who publish");
    }
    rabbit.ctl(&["set_vm_memory_high_watermark", "0.4"]).unwrap();

    rabbit.kill();
    rabbit.restart().unwrap();
    let since = Instant::now();
    loop {
        let (status, shown, _) = runs(home.path(), &settings, &["status"]);
        // What is over is told with its time.
        let now: Vec<&str> = shown.lines().filter_map(|line| line.split("was, ").next()).collect();
        let now = now.join("\n");
        if status == 0
            && now.matches(" ready ").count() == Service::ALL.len()
            && !now.contains("Connection refused")
            && !["nobody reads", "readers of"].iter().any(|part| shown.contains(part))
        {
            break;
        }
        assert!(since.elapsed() < SAID_WITHIN, "all is well, and status says: {status}\n{shown}");
        std::thread::sleep(Duration::from_millis(200));
    }
    process.stop().unwrap();
}

#[test]
fn queues_that_nobody_reads_and_that_somebody_else_reads_are_named_until_that_is_over() {
    let rabbit = Rabbit::start().unwrap();
    let redis = Redis::start().unwrap();
    let settings = settings(&rabbit, &redis);
    let home = tempfile::tempdir().unwrap();
    let without_deposit = [Service::Order, Service::Item, Service::MyInfo];
    let config = config(&home.path().join("data"), &settings);
    let process = Process::start_workers(&config, &without_deposit).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let nobody = "nobody reads deposit.commands, deposit.events, deposit.payments: start a worker, skstore-worker deposit";
    let somebody_else = "readers of item.events: 2, workers of item that are heard of: 1";
    let (_, shown) = says(home.path(), &settings, &["status"], nobody);
    assert!(!shown.contains("readers of"), "{shown}");

    let queue = topology::queues().into_iter().find(|queue| queue.name == ITEM_EVENTS).unwrap();
    let thief =
        runtime.block_on(process.bus().unwrap().consumer(vec![Subscription { queue, prefetch: 1 }])).unwrap();
    says(home.path(), &settings, &["status"], somebody_else);
    let (status, shown) = says(home.path(), &settings, &["doctor"], somebody_else);
    assert!(shown.contains(nobody) && status != 0, "{status}: {shown}");

    drop(thief);
    let since = Instant::now();
    loop {
        let (_, shown, _) = runs(home.path(), &settings, &["status"]);
        if shown.contains(nobody) && !shown.contains("readers of") {
            break;
        }
        assert!(since.elapsed() < SAID_WITHIN, "it is over: {shown}");
    }
    process.stop().unwrap();
}
