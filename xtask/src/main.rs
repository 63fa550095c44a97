//! What a developer runs: `cargo xtask test`, `cargo xtask servers`, `cargo xtask bench`.

#![expect(clippy::print_stdout, reason = "this is a command line tool")]

use std::io::Write as _;
use std::process::ExitCode;

mod attended;
mod bench;
mod json;
mod machine;
mod servers;
mod step;
mod test;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                        everything that has to hold before a change is merged
  test NAME... [-- FILTER]    the named test targets alone (amqp, view_conformance, ...), with the servers that they need
  servers                     run a private RabbitMQ, Redis and the four workers until Ctrl-C, and show how to reach them
  bench [NAME] [--cold-build] run one bench, or all of them, and show what they measured;
                              --cold-build also times a release build from nothing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::run(),
        ["test", names @ ..] => test::run_some(names),
        ["servers"] => attended::run(),
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
            // The exit status says it also where nobody listens.
            let _ = writeln!(std::io::stderr(), "\n{sentence}");
            ExitCode::FAILURE
        }
    }
}
