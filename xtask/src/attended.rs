//! `cargo xtask servers`: the whole distributed system for a person to play with, on servers of its own, until Ctrl-C.

use std::time::Duration;

use crate::build::Build;
use crate::desk::Desk as _;
use crate::desk::processes::Processes;

/// How soon a worker that was killed is started again, at most: late enough to see what the others do without it.
const RESTART_AFTER: Duration = Duration::from_secs(2);

/// Starts everything, prints how to reach it, and keeps it running, whatever worker is killed. It ends with this process:
/// the watchdogs of the servers and workers see to that, whatever signal ends it.
///
/// # Errors
/// A sentence that says what does not work, and where its log is.
pub(crate) fn run() -> Result<(), String> {
    Build::Release.make()?;
    println!("── starting RabbitMQ, Redis and the workers");
    let program = Build::Release.program("skstore-worker");
    let mut desk = Processes::start(Build::Release, &program, &[("SKSTORE__FAULTS__ALLOWED", "true")])?;
    println!("{}", how_to_reach(&desk));
    loop {
        let ended = desk
            .workers
            .iter_mut()
            .filter_map(|worker| worker.process.has_ended().then(|| (worker.service, worker.name.clone())));
        for (service, name) in ended.collect::<Vec<_>>() {
            println!("── the worker {service} has ended, and is started again");
            desk.remove(&name)?;
            desk.start(service)?;
        }
        std::thread::sleep(RESTART_AFTER);
    }
}

/// Lines to be typed as they are. The numbers are this run's.
fn how_to_reach(Processes { rabbit, redis, data, .. }: &Processes) -> String {
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
        skstore = Build::Release.program("skstore").display(),
    )
}
