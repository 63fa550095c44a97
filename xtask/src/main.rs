//! What a developer runs: `cargo xtask test`, `cargo xtask servers`, `cargo xtask bench`.

#![expect(clippy::print_stdout, reason = "this is a command line tool")]

use std::process::ExitCode;

mod bench;
mod json;
mod machine;
mod servers;
mod step;
mod test;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                        everything that has to hold before a change is merged
  servers                     run a private RabbitMQ and Redis until Enter is pressed, and show how to reach them
  bench [NAME] [--cold-build] run one bench, or all of them, and show what they measured;
                              --cold-build also times a release build from nothing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(),
        ["servers"] => show_servers(),
        ["bench", options @ ..] => bench::run(options),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("\n{sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Keeps servers running until whoever asked for them has had enough.
fn show_servers() -> Result<(), String> {
    println!("starting RabbitMQ and Redis …");
    let (rabbit, redis) = (servers::Rabbit::start()?, servers::Redis::start()?);
    println!(
        "\
RabbitMQ   {amqp}   (management: {api}, guest/guest)
Redis      {redis}

  export SKSTORE__BUS__URL={amqp} SKSTORE__VIEW__URL={redis}

  rabbitmqadmin --port={port} publish exchange=skstore.commands routing_key=order.place \\
    properties='{{\"message_id\":\"order-1\"}}' payload='{{\"item_id\":\"10\",\"qty\":5,\"customer\":\"kim\"}}'
  rabbitmqadmin --port={port} list queues name messages consumers
  rabbitmqadmin --port={port} get queue=skstore.dead ackmode=ack_requeue_true

Enter, or the end of the input, stops them.",
        amqp = rabbit.amqp_url(),
        api = rabbit.api_url(),
        redis = redis.url(),
        port = rabbit.api_port(),
    );
    let read = std::io::stdin().read_line(&mut String::new());
    read.map(drop).map_err(|error| format!("the input cannot be read: {error}"))
}
