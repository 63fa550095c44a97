//! The dashboard in a real terminal over a real RabbitMQ and a real Redis, which are killed and come back while a
//! person looks. With colours and without.
//!
//! The servers are the test's own; the workers are those of this process.

#![cfg(feature = "servers")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use skstore_domain::signals::Service;
use skstore_workers::bus::{Bus, Confirm, Message, Properties};
use skstore_workers::config::{Config, Sources};
use skstore_workers::process::Process;
use skstore_workers::topology::DEAD;

#[path = "terminal/person.rs"]
mod person;
#[path = "../../xtask/src/servers.rs"]
mod servers;

use person::{Person, assert_colourless, line_with, skstore};
use servers::{Rabbit, Redis};

/// A part that returned is back at work within this; told with what a busy machine needs on top.
const BACK_WITHIN: Duration = Duration::from_secs(6);
const LEEWAY: Duration = Duration::from_secs(10);

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

#[test]
fn parked_messages_of_any_size_are_listed_within_the_memory_of_a_worker() {
    const MIB: usize = 1024 * 1024;
    const PARKED: usize = 100;
    const MOST_KIB: usize = 256 * 1024;
    let (rabbit, redis) = (Rabbit::start().unwrap(), Redis::start().unwrap());
    let settings = settings(&rabbit, &redis);
    let home = tempfile::tempdir().unwrap();
    let process = Process::start(&config(home.path(), &settings)).unwrap();
    let Bus::Amqp(bus) = process.bus() else { panic!("{:?}", process.bus()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let publisher = bus.publisher().await.unwrap();
        let body: Arc<[u8]> = vec![b'x'; 8 * MIB].into();
        for _ in 0..PARKED {
            let parked = Message {
                exchange: DEAD.to_owned(),
                routing_key: "order.place".to_owned(),
                body: Arc::clone(&body),
                properties: Properties::default(),
            };
            assert_eq!(publisher.publish(parked).await, Confirm::Taken);
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
    assert!(peak_kib > 0 && peak_kib < MOST_KIB, "it had {} MiB", peak_kib / 1024);
    let listed = std::fs::read_to_string(home.path().join("list")).unwrap();
    let lines = listed.lines().count();
    assert!(lines > PARKED / 4, "{lines} of {PARKED}: a list carries megabytes");
    assert!(
        listed.lines().all(|line| line.contains("\"body_is_cut\":true")),
        "each says that there is more of it"
    );
    process.stop().unwrap();
}
