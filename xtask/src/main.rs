//! What a developer runs: `cargo xtask` with `check`, `test`, `simulate`, `deny`, `servers`, `show`, `engine` or `bench`.

#![expect(clippy::print_stdout, reason = "this is a command line tool")]

use std::process::ExitCode;

mod attended;
mod bench;
mod build;
mod chart;
mod check;
mod clock;
mod command;
mod compose;
mod deny;
mod desk;
mod docker;
mod engine;
mod machine;
mod page;
mod schemathesis;
mod servers;
mod show;
mod simulate;
mod step;
mod test;
mod traffic;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  check                       format, lints and every test that needs no server; two minutes at most once it is built
  test                        everything that has to hold before a change is merged
  test NAME... [-- FILTER]    the named test targets alone (amqp, view_conformance, ...), with the servers that they need
  simulate SEED [--bug NAME] [--trace]
                              one seed of the simulation: exit status 0 if every promise holds, 1 if one is broken,
                              2 if it could not be run; --bug makes a deliberate mistake, --trace tells all that happens
  deny                        the dependencies, as deny.toml allows them
  servers                     run a private RabbitMQ, Redis and the four workers until Ctrl-C, and show how to reach them
  show breaker|rolling|heal|all [--engine auto|compose|processes] [--short] [--write]
                              a demonstration under load, and a page of what was seen; --short: on the tests' build, and
                              judged by what has to happen alone; --write: into docs/shows.md;
                              --engine compose: in the containers of docker-compose.yml, which auto takes if the images are there
  engine compose [--built] [--write] [CHECK...]
                              the whole desk on a container engine, from its images on: trouble for each container, scaling,
                              replacing, and a page of what it went through; --built: with the image that is there
  bench [NAME] [--cold-build] run one bench, or all of them, and show what they measured;
                              --cold-build also times a release build from nothing";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["check"] => check::run(),
        ["simulate", words @ ..] => return simulate::run(words),
        ["test"] => test::run(),
        ["test", names @ ..] => test::run_some(names),
        ["deny"] => deny::run(),
        ["servers"] => attended::run(),
        ["show", words @ ..] => show::run(words),
        ["engine", words @ ..] => engine::run(words),
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
            step::tell(&format!("\n{sentence}"));
            ExitCode::FAILURE
        }
    }
}
