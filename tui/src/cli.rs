//! The command line: from arguments to an exit status.
//!
//! [`arguments`] says what may stand there; [`run`] does it at the desk; [`output`] writes it, as JSON or by
//! [`human`]; [`failure`] says what went wrong. What needs no desk is in [`alone`]. Without a command the dashboard
//! opens.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use skstore::dashboard::DashboardOptions;
use skstore::dashboard::keys::Keymap;
use skstore::local_time::LocalTime;
use skstore::log_tail::LogTail;
use skstore::terminal::outlet::{self, Sheet};
use skstore::terminal::size::{assumed_size, known};
use skstore::text::times::{UTC, Zone, age};
use skstore::text::{Language, Text};
use skstore::theme::can_be_drawn_on;
use skstore_domain::faults::Fault;
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::config::{self, Config, Sources};
use skstore_workers::desk::gateway::Beside;
use skstore_workers::desk::process::{Process, StartError};
use skstore_workers::desk::{BusState, Desk, DeskError};
use tokio::time::Instant;

mod alone;
mod arguments;
mod attendance;
mod audit;
mod backup;
mod breaker;
mod columns;
mod dashboard;
mod dead;
mod doctor;
mod durations;
mod environment;
#[cfg(test)]
mod examples;
mod failure;
mod fault;
mod heard;
mod human;
mod labels;
mod load;
mod logging;
mod output;
mod place_from;
mod reconcile;
mod run;
mod stderr;
mod store;
mod view;

use arguments::{Arguments, Asked, Command, Needs};
use breaker::{BreakerCommand, replay};
use environment::{locale, variable};
use failure::Failure;
use output::Output;
use stderr::{patiently, tell};

/// How long the workers may take until they take work. The view is rebuilt meanwhile, a million orders in some
/// ten seconds.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long a command waits for what follows from it. What is left goes on at the next start.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
/// How long a worker may say that something is wrong before nobody waits for it any more: longer than a store or a broker
/// takes that is only starting, and short enough for a person who wants to know what is wrong.
const TROUBLED_WITHIN: Duration = Duration::from_secs(3);
/// How often it is looked whether one does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long either is waited for when the settings make a worker misbehave: it may never happen, as wanted.
const FAULTY_WITHIN: Duration = Duration::from_secs(2);
/// Does what the command line of this process asks for.
pub(crate) fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let (json, language, done) = match Arguments::try_parse_from(&words) {
        Ok(arguments) => {
            let environment: Vec<_> = std::env::vars_os().collect();
            let (language, done) = obey(&arguments, environment);
            (arguments.global.json, language, done)
        }
        Err(error) if error.use_stderr() && words.iter().any(|word| word == "--json") => {
            let sentence = error.to_string().trim_start_matches("error: ").trim_end().to_owned();
            (true, Language::English, Err(Failure::Usage(sentence)))
        }
        // Help, the version, and mistakes as clap shows them, with its exit statuses: 0 and 2.
        Err(error) => error.exit(),
    };
    match done {
        Ok(()) => ExitCode::from(failure::DONE),
        Err(failure) => {
            if !json && !matches!(failure, Failure::OutputClosed) {
                tell(&failure.to_text());
            }
            // If this cannot be written either, the exit status still says it.
            let _ = Output::new(std::io::stdout().lock(), json, language).failure(&failure);
            ExitCode::from(failure.status())
        }
    }
}

/// Reads the settings and does the command; also says in which language to speak.
fn obey(arguments: &Arguments, environment: Vec<(OsString, OsString)>) -> (Language, Result<(), Failure>) {
    let locale = locale(&environment);
    let command = match &arguments.command {
        Some(Asked::Alone(command)) => {
            let language = spoken(arguments, &locale);
            return (language, alone::run(command, &arguments.global, environment, language));
        }
        Some(Asked::AtDesk(command)) => Some(command),
        None => None,
    };
    let sources =
        Sources { file: arguments.global.config.clone(), environment, flags: arguments.global.settings() };
    match Config::load(&sources) {
        Ok(config) => {
            if let Err(wrong) = Keymap::with(&config.keys) {
                let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                return (Language::English, Err(Failure::Usage(wrong.join("\n"))));
            }
            let language = match config.ui.language {
                config::Language::Auto => Language::of_locale(&locale),
                config::Language::Ko => Language::Korean,
                config::Language::En => Language::English,
            };
            let zone = match config.ui.time {
                config::TimeShown::Local => {
                    LocalTime::of_environment(|name| variable(&sources.environment, name)).zone
                }
                config::TimeShown::Utc => UTC.clone(),
            };
            let asked = Wanted { command, json: arguments.global.json, language, zone };
            let given = &arguments.global.set;
            if let Some(Command::Breaker { recording: Some(BreakerCommand::Replay(arguments)), .. }) = command
            {
                let done = replay::check_changes(given)
                    .and_then(|()| replayed(&asked, arguments, &config, &sources));
                return (language, done);
            }
            (language, with_process(&asked, &config, &sources.environment))
        }
        Err(error) => (Language::English, Err(Failure::Usage(error.to_string()))),
    }
}

/// The language of a command that does not need the settings, and works without them.
fn spoken(arguments: &Arguments, locale: &str) -> Language {
    match arguments.global.language.as_deref() {
        Some("ko") => Language::Korean,
        Some("en") => Language::English,
        Some(_) | None => Language::of_locale(locale),
    }
}

/// Replays a recording, which needs no desk.
fn replayed(
    wanted: &Wanted<'_>,
    arguments: &breaker::ReplayArguments,
    config: &Config,
    sources: &Sources,
) -> Result<(), Failure> {
    let variable = |name: &str| variable(&sources.environment, name);
    let glyphs = DashboardOptions::look(config, variable, String::new()).glyphs;
    let told = std::io::stdout().is_terminal().then(crossterm::terminal::size).and_then(Result::ok);
    let size = known(told.unwrap_or_default().into(), assumed_size(variable));
    let mut out = wanted.output(std::io::stdout().lock());
    replay::run(arguments, sources, usize::from(size.width), &glyphs, &mut out)
}

/// What is wanted of the desk.
struct Wanted<'a> {
    /// `None`: the dashboard.
    command: Option<&'a Command>,
    json: bool,
    language: Language,
    /// Whose clocks people read times by.
    zone: Zone,
}

impl Wanted<'_> {
    fn output<W: Write>(&self, to: W) -> Output<W> {
        Output::new(to, self.json, self.language).in_zone(self.zone.clone())
    }
}

/// Starts the workers, does the command, and stops them again.
fn with_process(
    wanted: &Wanted<'_>,
    config: &Config,
    environment: &[(OsString, OsString)],
) -> Result<(), Failure> {
    let log = LogTail::default();
    if let Err(sentence) = logging::start(config, &log) {
        tell(&format!("skstore: {sentence}"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::Unreachable(format!("no thread can wait for events: {error}")))?;
    match wanted.command {
        Some(command @ (Command::Audit(_) | Command::Reconcile(_))) => {
            return runtime.block_on(audited(wanted, command, config));
        }
        Some(Command::Load(arguments)) if arguments.to().is_some() => {
            let mut out = wanted.output(std::io::stdout().lock());
            let address = arguments.to().unwrap_or_default();
            return runtime.block_on(load::over_http(address, arguments, may_rewrite(environment), &mut out));
        }
        Some(Command::Backup(arguments)) => {
            let mut out = wanted.output(std::io::stdout().lock());
            return runtime.block_on(backup::run(arguments, config, &mut out));
        }
        Some(Command::Store { command }) => {
            let mut out = wanted.output(std::io::stdout().lock());
            return runtime.block_on(store::run(command, config, &mut out));
        }
        _ => {}
    }
    let mut process = Process::start(config).map_err(|error| not_started(&error))?;
    let gateway = if opens_dashboard(wanted, environment) { beside(config, &process)? } else { None };
    let told = gateway.as_ref().map(|gateway| match gateway {
        Ok(gateway) => Ok(format!("http://{}", gateway.address())),
        Err(why) => Err(why.clone()),
    });
    let done = runtime.block_on(with_desk(wanted, config, environment, (&mut process, told), log));
    let used = gateway.and_then(Result::ok).map_or(Duration::ZERO, Beside::stop);
    if let Err(sentence) = process.stop_after(used) {
        tell(&format!("skstore: {sentence}"));
    }
    done
}

/// Audits or reconciles, also where somebody else has the workers.
async fn audited(wanted: &Wanted<'_>, command: &Command, config: &Config) -> Result<(), Failure> {
    audit::check(config)?;
    let mut reached = audit::reach(config).map_err(|error| not_started(&error))?;
    if let Some(process) = &reached.process {
        // The books are looked at whatever becomes of the workers: they may be what is wrong.
        let desk = process.attach().await;
        match get_ready(process, &desk, config).await {
            Ok(Ready::Whole) => settle(process, config, UNDER_WAY).await,
            Ok(Ready::InPart) => {}
            Err(failure) => tell(&failure.to_text()),
        }
    }
    let mut out = wanted.output(std::io::stdout().lock());
    let done = match command {
        Command::Reconcile(arguments) => reconcile::run(arguments, config, &reached, &mut out).await,
        Command::Audit(arguments) => audit::run(arguments, config, &reached, &mut out).await,
        _ => Ok(()),
    };
    if let Some(Err(sentence)) = reached.process.take().map(Process::stop) {
        tell(&format!("skstore: {sentence}"));
    }
    done
}

fn not_started(error: &StartError) -> Failure {
    if error.is_usage() { Failure::Usage(error.to_string()) } else { Failure::Unreachable(error.to_string()) }
}

/// Whether the dashboard is wanted, and there is a terminal for it.
fn wants_dashboard(wanted: &Wanted<'_>) -> bool {
    let on_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    wanted.command.is_none() && on_terminal && !wanted.json
}

/// Whether it opens: something can be drawn there.
fn opens_dashboard(wanted: &Wanted<'_>, environment: &[(OsString, OsString)]) -> bool {
    wants_dashboard(wanted) && can_be_drawn_on(variable(environment, "TERM").unwrap_or_default().as_str())
}

/// The gateway that the settings want beside a dashboard, or why there is none. One that finds another at its address, that of a
/// dashboard with the same settings, leaves it at that.
fn beside(config: &Config, process: &Process) -> Result<Option<Result<Beside, String>>, Failure> {
    if config.gateway.is_wanted_at().is_none() {
        return Ok(None);
    }
    match Beside::start(&config.gateway, process.approach(), config.drain_within) {
        Ok(gateway) => {
            tracing::info!(address = %gateway.address(), "listening for HTTP");
            Ok(Some(Ok(gateway)))
        }
        Err(error) if error.is_taken() => {
            tracing::warn!(%error, "there is no gateway beside this dashboard");
            Ok(Some(Err(error.to_string())))
        }
        Err(error) => Err(Failure::Unreachable(error.to_string())),
    }
}

async fn with_desk(
    wanted: &Wanted<'_>,
    config: &Config,
    environment: &[(OsString, OsString)],
    (process, gateway): (&mut Process, Option<Result<String, String>>),
    log: LogTail,
) -> Result<(), Failure> {
    let desk = if wanted.command.is_some_and(|command| command.needs() == Needs::Bus) {
        process.desk().await.map_err(|error| cannot_use_the_bus(config, &error))?
    } else {
        process.attach().await
    };
    if opens_dashboard(wanted, environment) {
        return dashboard::open(desk, config, environment, wanted.language, (log, gateway)).await;
    }
    if wants_dashboard(wanted) {
        let term = variable(environment, "TERM").unwrap_or_default();
        tell(&wanted.language.fill(Text::NoScreen, &[&term]));
    }
    let is_whole = get_ready(process, &desk, config).await? == Ready::Whole;
    tell_of_lost_bus(&desk).await;
    let command = wanted.command.unwrap_or(&Command::Status);
    let reads_the_view = command.needs() == Needs::View;
    // Where a worker misbehaves on purpose that may never end, and only those who look wait for what can be had.
    if is_whole && (reads_the_view || !is_faulty(config)) {
        settle(process, config, UNDER_WAY).await;
    }
    if let Command::Watch { for_, last } = command {
        let outlet = outlet::own()?;
        let mut out = wanted.output(Sheet::new(outlet.clone()));
        return run::watch(desk.view(), *for_, *last, &outlet, &mut out).await;
    }
    if let Some(why) = command.needs_others().filter(|_| process.is_alone()) {
        return Err(Failure::Usage(format!("{why}. {OPEN_FIRST}")));
    }
    let mut out = wanted.output(std::io::stdout().lock());
    let done = match command {
        Command::Load(arguments) => {
            let way = way_of(process, config);
            load::at_desk(&desk, way, arguments, may_rewrite(environment), &mut out).await
        }
        _ => run::run(&desk, command, &mut out).await,
    };
    if !reads_the_view {
        // Others who came to these workers go on with those of the next process; it is not waited for what they do here.
        process.close_door();
        if is_whole {
            settle(process, config, "what follows from it").await;
        }
    }
    done
}

/// What to do where nobody has the workers but this very command.
const OPEN_FIRST: &str = "Open the dashboard (skstore) in another terminal first";

/// By which way the workers are reached, in a word for programs.
const fn way_of(process: &Process, config: &Config) -> &'static str {
    match &config.bus.url {
        config::BusUrl::Amqp(_) => "broker",
        config::BusUrl::Embedded if process.is_alone() => "embedded",
        config::BusUrl::Embedded => "socket",
    }
}

/// Whether people look at a terminal on which a line can be written over.
fn may_rewrite(environment: &[(OsString, OsString)]) -> bool {
    std::io::stderr().is_terminal() && can_be_drawn_on(&variable(environment, "TERM").unwrap_or_default())
}

fn cannot_use_the_bus(config: &Config, error: &DeskError) -> Failure {
    let why = match error {
        DeskError::Unreachable(why) => why.clone(),
        DeskError::NoAnswer { .. } | DeskError::Lost { .. } => error.to_string(),
    };
    Failure::Unreachable(format!("cannot use the message bus {}: {why}", config.bus.url))
}

/// Tells a person whose command only looks at the view that nothing new gets there, and how old it is.
async fn tell_of_lost_bus(desk: &Desk) {
    let BusState::Lost { cause, .. } = desk.bus_state().borrow().clone() else { return };
    // Of a view that cannot be read the command itself tells.
    let Ok(heard_at) = desk.view().heard_at().await else { return };
    let age = heard_at.map(|at| age(Language::English, Clock::System.now().since(at)));
    let age =
        age.map_or("nothing was heard yet".to_owned(), |age| format!("last heard of anything {age} ago"));
    tell(&format!("skstore: the message bus cannot be reached ({cause}). This is what the view has: {age}"));
}

/// How far the workers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ready {
    /// All take work, and the view is complete.
    Whole,
    /// Some do not, which a person was told.
    InPart,
}

/// Waits until the workers take work and the view is complete. Workers that shall misbehave are not waited for, nor those that
/// say what is wrong with them: somebody may be looking for just that.
async fn get_ready(process: &Process, desk: &Desk, config: &Config) -> Result<Ready, Failure> {
    let faulty = is_faulty(config);
    let limit = if faulty { FAULTY_WITHIN } else { READY_WITHIN };
    let ready = async {
        tokio::select! {
            biased;
            () = process.ready() => None,
            troubled = in_trouble(process, desk) => Some(troubled),
        }
    };
    match patiently(limit, "the workers are to take work, and the view to be whole", ready).await {
        Some(None) => return Ok(Ready::Whole),
        Some(Some(troubled)) => {
            tell(&format!(
                "skstore: not every worker takes work: {troubled}. The view is as old as the last of them"
            ));
            return Ok(Ready::InPart);
        }
        None => {}
    }
    if faulty {
        tell("skstore: not every worker is ready, as [faults] has it; the view may lack something");
        return Ok(Ready::InPart);
    }
    let mut sentence = format!("the workers did not start within {} s; see the log", limit.as_secs());
    for beat in desk.view().health().await?.services {
        if let Some(error) = beat.last_error {
            sentence.push_str(&format!("; {}: {error}", beat.service));
        }
    }
    Err(Failure::Unreachable(sentence))
}

/// What is wrong with the workers, once some of them have said so for a while.
async fn in_trouble(process: &Process, desk: &Desk) -> String {
    let mut since = None;
    loop {
        // Of its own workers it knows also what keeps them from saying anything.
        let own = process.workers().into_iter().filter(|worker| !worker.ready);
        let own = own.filter_map(|worker| Some(format!("{}: {}", worker.service, worker.trouble?)));
        let beats = desk.view().health().await.map(|health| health.services).unwrap_or_default();
        let wrong = |beat: &Beat| {
            let why = beat.last_error.as_ref().filter(|_| !beat.ready)?;
            Some(format!("{}: {why}", beat.service))
        };
        let mut wrong: Vec<String> = own.chain(beats.iter().filter_map(wrong)).collect();
        wrong.sort();
        wrong.dedup();
        if wrong.is_empty() {
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() >= TROUBLED_WITHIN {
            return wrong.join("; ");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether the settings make a worker misbehave.
fn is_faulty(config: &Config) -> bool {
    Service::ALL.iter().any(|service| config.faults.of(*service) != Fault::None)
}

/// What is waited for before a command: on fresh data the catalogue, which Item tells Order and the view; else what the last
/// process has left.
const UNDER_WAY: &str = "what is under way already";

/// Waits until nothing is pending, `what`: deliveries, refunds, the view.
async fn settle(process: &Process, config: &Config, what: &str) {
    let limit = if is_faulty(config) { FAULTY_WITHIN } else { SETTLED_WITHIN };
    if patiently(limit, what, process.settle()).await.is_none() {
        tell("skstore: not everything that follows is done yet; it goes on at the next start");
    }
}
