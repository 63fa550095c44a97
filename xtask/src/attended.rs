//! `cargo xtask servers`: the whole distributed system for a person to play with, on servers of its own, until Ctrl-C.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::servers::{self, Group, Rabbit, Redis};
use crate::step;

/// The workers, each a process.
const WORKERS: [&str; 4] = ["order", "deposit", "item", "myinfo"];
/// How long they may take to be seen in the view: seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How soon a worker that was killed is started again, at most: late enough to see what the others do without it.
const RESTART_AFTER: Duration = Duration::from_secs(2);

/// Starts everything, prints how to reach it, and keeps it running, whatever worker is killed. It ends with this process: the watchdogs of the
/// servers and workers see to that, whatever signal ends it.
///
/// # Errors
/// A sentence that says what does not work, and where its log is.
pub(crate) fn run() -> Result<(), String> {
    let build = ["build", "--release", "-p", "skstore-workers", "-p", "skstore"];
    step::run("release build", &mut step::cargo(&build), "")?;
    println!("── starting RabbitMQ, Redis and the workers");
    let (rabbit, redis) = (Rabbit::start_as_shipped()?, Redis::start()?);
    let data = servers::temporary("data")?;
    let mut workers = Vec::new();
    for worker in WORKERS {
        workers.push((worker, start(worker, &data, &rabbit, &redis)?));
    }
    let all_beat = format!("*{}\r\n", WORKERS.len());
    let started = Instant::now();
    while !redis.answers("KEYS myinfo:service:*", &all_beat) {
        none_has_ended(&mut workers, &data)?;
        if started.elapsed() > READY_WITHIN {
            return Err(format!("the workers do not get to work; their logs are in {}", data.display()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    println!("{}", how_to_reach(&rabbit, &redis, &data));
    loop {
        for (name, worker) in &mut workers {
            if worker.has_ended() {
                println!("── the worker {name} has ended, and is started again");
                *worker = start(name, &data, &rabbit, &redis)?;
            }
        }
        std::thread::sleep(RESTART_AFTER);
    }
}

fn start(worker: &str, data: &Path, rabbit: &Rabbit, redis: &Redis) -> Result<Group, String> {
    let mut command = Command::new(release("skstore-worker"));
    command
        .arg(worker)
        .env("SKSTORE__BUS__URL", rabbit.amqp_url())
        .env("SKSTORE__BUS__MANAGEMENT_URL", rabbit.api_url())
        .env("SKSTORE__VIEW__URL", redis.url())
        .env("SKSTORE__DATA_DIR", data);
    Group::spawn(&mut command, data, &format!("{worker}.log"))
}

fn none_has_ended(workers: &mut [(&str, Group)], data: &Path) -> Result<(), String> {
    match workers.iter_mut().find_map(|(name, group)| group.has_ended().then_some(*name)) {
        None => Ok(()),
        Some(name) => {
            let log = std::fs::read_to_string(data.join(format!("{name}.log"))).unwrap_or_default();
            Err(format!("the worker {name} has ended. The last it said:\n{}", last_lines(&log)))
        }
    }
}

fn last_lines(log: &str) -> String {
    const LINES: usize = 10;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn release(program: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| step::root().join("target"), PathBuf::from);
    target.join("release").join(program)
}

/// Lines to be typed as they are. The numbers are this run's.
fn how_to_reach(rabbit: &Rabbit, redis: &Redis, data: &Path) -> String {
    format!(
        r#"
RabbitMQ   {amqp}   management: {api} (guest, guest)
Redis      {view}
logs       {data}

The dashboard and the command line, attached:

  export SKSTORE__BUS__URL={amqp} SKSTORE__BUS__MANAGEMENT_URL={api} SKSTORE__VIEW__URL={view} SKSTORE__DATA_DIR={data}
  {skstore}
  {skstore} place 10 5 --customer kim

Orders from outside, with the rabbitmqadmin that comes with RabbitMQ, or with the newer one (cargo install rabbitmqadmin):

  rabbitmqadmin --host=127.0.0.1 --port={port} --username=guest --password=guest publish exchange=skstore.commands routing_key=order.place payload='{{"productId":"10","qty":"5"}}'
  rabbitmqadmin --host=127.0.0.1 --port={port} --username=guest --password=guest list queues name messages consumers
  rabbitmqadmin --host=127.0.0.1 --port={port} --username=guest --password=guest get queue=skstore.dead ackmode=ack_requeue_true

  rabbitmqadmin --host 127.0.0.1 --port {port} --username guest --password guest publish message --exchange skstore.commands --routing-key order.place --payload '{{"productId":"10","qty":"5"}}'
  rabbitmqadmin --host 127.0.0.1 --port {port} --username guest --password guest queues list
  rabbitmqadmin --host 127.0.0.1 --port {port} --username guest --password guest get messages --queue skstore.dead --ack-mode ack_requeue_true

The view, newest order first:

  redis-cli -p {redis_port} zrevrange myinfo:orders 0 9
  redis-cli -p {redis_port} hgetall myinfo:counts

Ctrl-C stops all of it and removes its data."#,
        amqp = rabbit.amqp_url(),
        api = rabbit.api_url(),
        port = rabbit.api_port(),
        view = redis.url(),
        redis_port = redis.port(),
        data = data.display(),
        skstore = release("skstore").display(),
    )
}
