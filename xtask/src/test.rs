//! Everything that has to hold before a change is merged, cheapest first, the tests last. Real servers are started
//! for the tests that need them; without one, those fail.

use std::time::Instant;

use crate::deny;
use crate::schemathesis;
use crate::servers::{self, Postgres, Rabbit, Redis};
use crate::show;
use crate::step::{self, FEATURES, Step};

const FORMAT: Step = (
    "format",
    &["fmt", "--all", "--check"],
    &[],
    "`cargo fmt` corrects it. If it is not installed: rustup component add rustfmt.",
);

const LINT: Step = (
    "lint",
    &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    &[],
    "If it is not installed: rustup component add clippy.",
);

const LINT_ALL: Step = (
    "lint with the simulation and the tests against servers",
    &["clippy", "--workspace", "--all-targets", "--features", FEATURES, "--", "-D", "warnings"],
    &[],
    "",
);

/// What costs least and fails most. It also downloads all that the later steps need.
pub(crate) const FIRST: &[Step] = &[FORMAT, LINT, LINT_ALL];

const STEPS: &[Step] = &[
    ("documentation", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")], ""),
    ("tests", &["test", "--workspace"], &[], ""),
];

/// What runs against real servers, once they are up.
const WITH_SERVERS: &[Step] = &[(
    "tests by simulation and against servers",
    &[
        "test",
        "--workspace",
        "--features",
        FEATURES,
        "--lib",
        "--test",
        "simulation",
        "--test",
        "bus_conformance",
        "--test",
        "amqp",
        "--test",
        "store_conformance",
        "--test",
        "view_conformance",
        "--test",
        "redis",
        "--test",
        "cluster",
        "--test",
        "commands",
        "--test",
        "http",
        "--test",
        "operations",
        "--test",
        "load_servers",
        "--test",
        "store_servers",
        "--test",
        "terminal_servers",
    ],
    &[],
    "`cargo xtask servers` shows the servers that they need.",
)];

/// Runs test targets by name, as `cargo test --test NAME` does, with real servers; what comes after `--` goes to them.
///
/// # Errors
/// A sentence that says what failed.
pub(crate) fn run_some(names: &[&str]) -> Result<(), String> {
    servers::install_missing()?;
    let (targets, filters) =
        names.split_at(names.iter().position(|name| *name == "--").unwrap_or(names.len()));
    let mut command = step::cargo(&["test", "--workspace", "--features", FEATURES]);
    for target in targets {
        command.args(["--test", target]);
    }
    if targets.contains(&schemathesis::WANTED_BY) {
        let (name, place) = schemathesis::found_at()?;
        command.env(name, place);
    }
    let (rabbit, redis, postgres) = (Rabbit::start()?, Redis::start()?, Postgres::start()?);
    command.args(filters).envs(reached_at(&rabbit, &redis, &postgres));
    step::run(&targets.join(", "), &mut command, "").map(drop)
}

/// How the tests reach the servers.
fn reached_at(rabbit: &Rabbit, redis: &Redis, postgres: &Postgres) -> [(&'static str, String); 4] {
    [
        ("SKSTORE_TEST_AMQP_URL", rabbit.amqp_url()),
        ("SKSTORE_TEST_AMQP_API", rabbit.api_url()),
        ("SKSTORE_TEST_REDIS_URL", redis.url()),
        ("SKSTORE_TEST_POSTGRES_URL", postgres.url()),
    ]
}

/// Runs all steps up to the first that fails.
///
/// # Errors
/// A sentence that names that step and how to repeat it.
pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    // Now rather than after a quarter of an hour of other steps.
    servers::install_missing()?;
    let (name, place) = schemathesis::found_at()?;
    for step in FIRST {
        step::run_one(step, &[])?;
    }
    deny::run()?;
    for step in STEPS {
        step::run_one(step, &[])?;
    }
    println!("\n── servers: starting RabbitMQ, Redis and PostgreSQL");
    let (rabbit, redis, postgres) = (Rabbit::start()?, Redis::start()?, Postgres::start()?);
    let mut places = reached_at(&rabbit, &redis, &postgres).to_vec();
    places.push((name, place.display().to_string()));
    for step in WITH_SERVERS {
        step::run_one(step, &places)?;
    }
    drop((rabbit, redis, postgres));
    show::run(&["all", "--short", "--engine", "processes"])?;
    let steps = FIRST.len() + 1 + STEPS.len() + WITH_SERVERS.len() + 1;
    println!("\nAll {steps} steps passed in {:.0} s.", started.elapsed().as_secs_f64());
    Ok(())
}
