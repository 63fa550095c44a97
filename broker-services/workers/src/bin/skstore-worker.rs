//! `skstore-worker order deposit item myinfo`, or any of them: headless workers over a message broker; and
//! `skstore-worker health`, whether those of this machine do their work; and `skstore-worker gateway`, the desk over HTTP.
//!
//! It runs until it is told to stop (SIGTERM, SIGHUP, Ctrl-C), then finishes what it has in hand; told so a second
//! time, it ends at once. What may heal without other settings is waited for, at the start as well. Logs go to stderr. Exit
//! status: 0 stopped in good order, or in good health; 1 stopped before everything was finished, or not in good health;
//! 2 usage or settings; 3 a part cannot be used as the settings have it.

use std::cell::Cell;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use skstore_domain::signals::Service;
use skstore_workers::asyncapi;
use skstore_workers::clock::Stopwatch;
use skstore_workers::config::{Config, Sources};
use skstore_workers::context::Backoff;
use skstore_workers::gateway::{self, Gateway, Role, tokens};
use skstore_workers::health::{self, Asked, Reporter};
use skstore_workers::logging::{self, Apart};
use skstore_workers::monitor::{Monitor, Watched};
use skstore_workers::process::{Process, StartError};
use skstore_workers::signals::Signals;
use tokio::sync::oneshot;

/// A batch allocates thousands of small things and frees them together, which the C library's allocator sorts and merges
/// again and again. This one, which SQLite uses as well, takes a tenth off what an order costs Order's process.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Headless workers of the order desk.
#[derive(Debug, Parser)]
#[command(name = "skstore-worker", version, subcommand_negates_reqs = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which: order, deposit, item, myinfo. Over the embedded bus, all of them
    #[arg(required = true, value_parser = service)]
    services: Vec<Service>,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Whether the workers that run on this machine do their work: exit status 0, or 1 and a sentence
    Health {
        /// Which must run here [default: whatever does]
        #[arg(id = "running", value_name = "SERVICES", value_parser = service)]
        services: Vec<Service>,
        /// Whether they live, whatever they wait for: who does not is to be started again
        #[arg(long)]
        live: bool,
    },
    /// Serve the desk over HTTP at gateway.listen. Over the embedded bus, with all the workers
    Gateway {
        #[command(subcommand)]
        instead: Option<AboutGateway>,
    },
    /// Print the message bus as AsyncAPI 3.0 describes it, as JSON
    Asyncapi,
}

#[derive(Debug, Subcommand)]
enum AboutGateway {
    /// Whether the gateway of this machine can be used: exit status 0, or 1 and a sentence
    Health,
    /// Make a token for gateway.tokens: prints it, which nobody can a second time, and the line for the file
    Token {
        /// Whose it is: 1 to 64 of the letters A-Z, a-z, 0-9, _ and -
        name: String,
        /// viewer: looks; desk: and orders; teller: and adds money, units and items; operator: does everything
        #[arg(value_parser = role)]
        role: Role,
        /// Add the line to the file, which is made if it is not there
        #[arg(long)]
        add: bool,
    },
}

#[derive(Debug, Args)]
struct SettingsArguments {
    /// Settings on top of the built-in ones [default: ~/.config/skstore/skstore.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the workers keep their data
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Change a setting: bus.url=amqp://localhost. May be given several times
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

/// Why it does not end with status 0: which status instead, and a sentence.
struct Failure(u8, String);

fn service(word: &str) -> Result<Service, String> {
    Service::from_word(word).ok_or_else(|| "must be order, deposit, item or myinfo".to_owned())
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| "must be viewer, desk, teller or operator".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("must be KEY=VALUE, like bus.url=amqp://localhost".to_owned()),
    }
}

fn main() -> ExitCode {
    let mut log = match Apart::to(std::io::stderr()) {
        Ok(log) => log,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "skstore-worker: no thread can write the log: {error}");
            return ExitCode::from(3);
        }
    };
    let (status, told) = match run(&log) {
        Ok(()) => return ended(&log, 0),
        Err(Failure(status, sentence)) => (status, format!("skstore-worker: {sentence}\n")),
    };
    // Where nobody listens any more, the exit status still says it.
    let _ = log.write_all(told.as_bytes());
    ended(&log, status)
}

/// The end, after the last lines.
fn ended(log: &Apart, status: u8) -> ExitCode {
    log.finish();
    ExitCode::from(status)
}

fn run(log: &Apart) -> Result<(), Failure> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Health { .. }) if !arguments.services.is_empty() => {
            Err(Failure(2, "the services whose health is asked for come after `health`".to_owned()))
        }
        Some(Command::Health { services, live }) => load(arguments.settings).and_then(|config| {
            let asked = if live { Asked::Lives } else { Asked::TakesWork };
            health::check(&config.data_dir, &services, asked).map_err(|sentence| Failure(1, sentence))
        }),
        Some(Command::Gateway { .. }) if !arguments.services.is_empty() => {
            Err(Failure(2, "the gateway is a process of its own, without names of services".to_owned()))
        }
        Some(Command::Gateway { instead: None }) => {
            load(arguments.settings).and_then(|config| serve_http(&config, log))
        }
        Some(Command::Gateway { instead: Some(AboutGateway::Health) }) => {
            load(arguments.settings).and_then(|config| {
                gateway::health::check(&config.gateway).map_err(|sentence| Failure(1, sentence))
            })
        }
        Some(Command::Gateway { instead: Some(AboutGateway::Token { name, role, add }) }) => {
            load(arguments.settings).and_then(|config| make_token(&config, &name, role, add))
        }
        Some(Command::Asyncapi) => describe(),
        None => load(arguments.settings).and_then(|config| start(&config, &arguments.services, log)),
    }
}

fn describe() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(asyncapi::text().as_bytes()).and_then(|()| out.flush());
    // A reader that has seen enough is no failure.
    written.or_else(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure(3, format!("the document cannot be written: {error}"))),
    })
}

fn load(arguments: SettingsArguments) -> Result<Config, Failure> {
    let mut flags = arguments.set;
    if let Some(data_dir) = &arguments.data_dir {
        flags.push(("data_dir".to_owned(), data_dir.display().to_string()));
    }
    let sources = Sources { file: arguments.config, environment: std::env::vars_os().collect(), flags };
    Config::load(&sources).map_err(|error| Failure(2, error.to_string()))
}

fn start(config: &Config, services: &[Service], log: &Apart) -> Result<(), Failure> {
    let unusable = |error: std::io::Error| Failure(3, error.to_string());
    logging::start(&config.log, log.clone()).map_err(|sentence| Failure(3, sentence))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(unusable)?;
        let mut reporter = Reporter::new(&config.data_dir, services);
        let watched = Watched::starting();
        monitor(config, watched.clone()).await?;
        let Some(process) = begin(config, services, (&mut reporter, &watched), &mut signals).await? else {
            return Ok(());
        };
        watched.started(process.watches(), process.bus().cloned());
        tracing::info!(?services, "working");
        tokio::select! {
            biased;
            () = signals.next() => {}
            () = reporter.report(|| process.workers()) => {}
        }
        tracing::info!("finishing what is in hand");
        stop(process, Duration::ZERO, &mut signals).await.map_err(|sentence| Failure(1, sentence))
    })
}

/// Tells of `watched` over HTTP, on this thread and as long as it runs, if the settings want it.
async fn monitor(config: &Config, watched: Watched) -> Result<(), Failure> {
    let Some(at) = config.health.listen else { return Ok(()) };
    let monitor = Monitor::listen(at, watched).await.map_err(|sentence| Failure(3, sentence))?;
    let address = monitor.address().map_err(|error| Failure(3, error.to_string()))?;
    tracing::info!(%address, "/livez, /readyz and /metrics over HTTP");
    tokio::spawn(monitor.serve());
    Ok(())
}

/// Makes a token. What is to be kept goes to the output alone, and the rest to whoever reads along.
fn make_token(config: &Config, name: &str, role: Role, add: bool) -> Result<(), Failure> {
    let minted = tokens::mint(name, role).map_err(|error| Failure(2, error.to_string()))?;
    let told = match (config.gateway.tokens(), add) {
        (Some(path), true) => {
            tokens::add(path, &minted.line).map_err(|error| Failure(3, error.to_string()))?;
            format!("its hash was added to {}: the gateway lets it in within a second\n", path.display())
        }
        (None, true) => return Err(Failure(2, "gateway.tokens names no file to add it to".to_owned())),
        (path, false) => format!(
            "its line for {}, which only its owner may read (mode 600):\n{}\n",
            path.map_or("the file of gateway.tokens".to_owned(), |path| path.display().to_string()),
            minted.line
        ),
    };
    let cannot = |error: std::io::Error| Failure(3, format!("the token cannot be written out: {error}"));
    writeln!(std::io::stdout(), "{}", minted.secret).map_err(cannot)?;
    write!(std::io::stderr(), "the token of {name}, {}, stands above and nowhere else; {told}", role.word())
        .map_err(cannot)
}

/// Serves HTTP until it is told to stop; then finishes what is in flight.
fn serve_http(config: &Config, log: &Apart) -> Result<(), Failure> {
    let unusable = |error: std::io::Error| Failure(3, error.to_string());
    logging::start(&config.log, log.clone()).map_err(|sentence| Failure(3, sentence))?;
    let process = Process::start(config)
        .map_err(|error| Failure(if error.is_usage() { 2 } else { 3 }, error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unusable)?;
    runtime.block_on(async {
        let mut signals = Signals::listen().map_err(unusable)?;
        let desk = process.attach().await;
        let gateway = Gateway::listen(&config.gateway, desk.clone()).await;
        let gateway = gateway.map_err(|error| Failure(3, error.to_string()))?;
        let watched = Watched::starting();
        watched.started(process.watches(), process.bus().cloned());
        watched.serves_http(desk, gateway.requests());
        monitor(config, watched).await?;
        tracing::info!(address = %gateway.address().map_err(unusable)?, "listening for HTTP");
        let told = Cell::new(None);
        let until = async {
            signals.next().await;
            told.set(Some(Stopwatch::start()));
        };
        gateway.serve(until, config.drain_within).await;
        let used = told.get().map_or(Duration::ZERO, |told| told.elapsed());
        stop(process, used, &mut signals).await.map_err(|sentence| Failure(1, sentence))
    })
}

/// Starts the workers. What keeps them from it is waited for as long as it may heal; none when it is told to stop meanwhile.
async fn begin(
    config: &Config,
    services: &[Service],
    (reporter, watched): (&mut Reporter, &Watched),
    signals: &mut Signals,
) -> Result<Option<Process>, Failure> {
    let backoff = Backoff::new(config.retry.first, config.retry.max);
    let mut trouble = None;
    loop {
        let tried = tokio::select! {
            biased;
            () = signals.next() => return Ok(None),
            () = reporter.report_not_started(trouble.as_deref()) => return Ok(None),
            tried = start_workers(config, services) => tried,
        };
        match tried {
            Ok(process) => return Ok(Some(process)),
            Err(error) if error.may_heal() => {
                tracing::error!(%error, "trying again");
                watched.not_started(&error.to_string());
                trouble = Some(error.to_string());
            }
            Err(error) => return Err(Failure(if error.is_usage() { 2 } else { 3 }, error.to_string())),
        }
        tokio::select! {
            biased;
            () = signals.next() => return Ok(None),
            () = reporter.report_not_started(trouble.as_deref()) => return Ok(None),
            () = backoff.wait() => {}
        }
    }
}

/// Starts them on a thread of its own: a broker may take seconds to say no, and signals are heard meanwhile.
async fn start_workers(config: &Config, services: &[Service]) -> Result<Process, StartError> {
    let (config, services) = (config.clone(), services.to_vec());
    on_a_thread(move || Process::start_workers(&config, &services))
        .await
        .unwrap_or_else(|_| Err(StartError::Books("the thread that starts the workers panicked".to_owned())))
}

/// Has the workers finish, on a thread of its own so that a second signal is heard.
///
/// What else has ended in this process has `used` some of the time for it.
async fn stop(process: Process, used: Duration, signals: &mut Signals) -> Result<(), String> {
    tokio::select! {
        biased;
        stopped = on_a_thread(move || process.stop_after(used)) => {
            stopped.unwrap_or_else(|_| Err("the thread that stops the workers panicked".to_owned()))
        }
        () = signals.next() => Err("told to end at once; what was in hand comes again".to_owned()),
    }
}

/// What `work` comes to. Once nobody waits for it any more it goes on all the same, and what it has made is dropped.
fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (done, is_done) = oneshot::channel();
    std::thread::spawn(move || drop(done.send(work())));
    is_done
}
