//! `skstore-worker order deposit item myinfo`, or any of them: headless workers over a message broker.
//!
//! It runs until it is told to stop (SIGTERM, SIGHUP, Ctrl-C), then finishes what it has in hand. Logs go to
//! stderr. Exit status: 0 stopped in good order, 2 usage or settings, 3 a part cannot be used.

#![expect(clippy::print_stderr, reason = "what a person must know before there is a log")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use skstore_domain::signals::Service;
use skstore_workers::bus::BusError;
use skstore_workers::config::{Config, LogLevel, Sources};
use skstore_workers::context::Backoff;
use skstore_workers::process::{Process, StartError};
use tracing::level_filters::LevelFilter;

/// Headless workers of the order desk.
#[derive(Debug, Parser)]
#[command(name = "skstore-worker", version)]
struct Arguments {
    /// Which: order, deposit, item, myinfo. Over the embedded bus, all of them
    #[arg(required = true, value_parser = service)]
    services: Vec<Service>,
    /// Settings on top of the built-in ones [default: ~/.config/skstore/skstore.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the workers keep their data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Change a setting: bus.url=amqp://localhost. May be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn service(word: &str) -> Result<Service, String> {
    Service::from_word(word).ok_or_else(|| "must be order, deposit, item or myinfo".to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("must be KEY=VALUE, like bus.url=amqp://localhost".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut flags = arguments.set;
    if let Some(data_dir) = &arguments.data_dir {
        flags.push(("data_dir".to_owned(), data_dir.display().to_string()));
    }
    let sources = Sources { file: arguments.config, environment: std::env::vars_os().collect(), flags };
    let config = match Config::load(&sources) {
        Ok(config) => config,
        Err(error) => return failed(&error.to_string(), 2),
    };
    tracing_subscriber::fmt()
        .with_max_level(level(config.log.level))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string(), 3),
    };
    match runtime.block_on(work(&config, &arguments.services)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => failed(&sentence, 3),
    }
}

fn failed(sentence: &str, status: u8) -> ExitCode {
    eprintln!("skstore-worker: {sentence}");
    ExitCode::from(status)
}

/// Works until told to stop. A broker that is not there yet is waited for.
async fn work(config: &Config, services: &[Service]) -> Result<(), String> {
    let stop = asked_to_stop();
    tokio::pin!(stop);
    let backoff = Backoff::new(config.retry_first(), config.retry_most());
    let process = loop {
        match Process::start_workers(config, services) {
            Ok(process) => break process,
            Err(error @ StartError::Bus { error: BusError::Lost(_), .. }) => {
                tracing::error!(%error, "trying again");
            }
            Err(error) => return Err(error.to_string()),
        }
        tokio::select! {
            biased;
            stopped = &mut stop => return stopped.map_err(|error| error.to_string()),
            () = backoff.wait() => {}
        }
    };
    tracing::info!(?services, "working");
    stop.await.map_err(|error| error.to_string())?;
    tracing::info!("finishing what is in hand");
    process.stop()
}

/// Returns when somebody wants this process to end in good order.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        tokio::select! {
            biased;
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
            _ = hang_up.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

const fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
