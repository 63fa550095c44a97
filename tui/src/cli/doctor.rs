//! `skstore doctor`: is all there that the desk needs, and if not, what is to be done?
//!
//! Every check ends in a [`Finding`]. It starts no worker, makes no file that stays, and goes on after whatever it
//! finds wrong, so that one look tells all.

use std::ffi::OsString;

use skstore::dashboard::DashboardOptions;
use skstore::dashboard::keys::Keymap;
use skstore::dashboard::keys::map::BadKeys;
use skstore::local_time::LocalTime;
use skstore::terminal::size::assumed_size;
use skstore::text::{Language, Text};
use skstore_workers::desk::config::{Config, Sources};

use super::arguments::Global;
use super::environment::variable;
use super::failure::Failure;
use super::output::Output;

mod broker;
mod data;
mod finding;
mod names;
mod servers;
mod terminal;

use finding::{Checked, Finding, Said, Verdict};

/// Checks everything and writes each finding as soon as it is known.
///
/// # Errors
/// [`Failure::Unreachable`] when a part cannot be reached, else [`Failure::Unwell`] when something else is wrong;
/// all findings are written by then.
pub(crate) fn run(
    global: &Global,
    environment: Vec<(OsString, OsString)>,
    language: Language,
) -> Result<(), Failure> {
    let mut report = Report {
        out: Output::new(std::io::stdout().lock(), global.json, language),
        wrong: 0,
        is_unreachable: false,
    };
    report.add(&[Finding::ok(Checked::Version, version())])?;
    let sources = Sources { file: global.config.clone(), environment, flags: global.settings() };
    let config = Config::load(&sources);
    report.add(&[terminal::check(&look(config.as_ref().ok(), &sources))])?;
    match &config {
        Ok(config) => {
            report.add(&[settings(&sources)])?;
            report.add(&dashboard_keys(config))?;
            report.add(&[data::directory(config), data::log(config)])?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime
                .map_err(|error| Failure::Unreachable(format!("no thread can wait for events: {error}")))?;
            runtime.block_on(async {
                report.add(&data::stores(config).await)?;
                let bus = broker::bus(config).await;
                report.add(&bus.findings)?;
                report.add(&servers::view(config, &bus).await)
            })?;
        }
        // Without settings it is not known where the rest would be.
        Err(error) => {
            let remedy = Text::DoctorCorrectSettings;
            report.add(&[Finding::wrong(Checked::Settings, error.to_string(), remedy)])?;
        }
    }
    report.verdict()
}

/// How the dashboard would look here: by the settings if there are any.
fn look(config: Option<&Config>, sources: &Sources) -> terminal::Look {
    let variable = |name: &str| variable(&sources.environment, name);
    let look = config.map(|config| DashboardOptions::look(config, variable, String::new()));
    let unknown_zone = LocalTime::of_environment(variable).unknown;
    terminal::Look {
        term: variable("TERM").unwrap_or_default(),
        look,
        unknown_zone,
        assumed: assumed_size(variable),
    }
}

fn version() -> String {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("skstore {}, {system} {machine}", env!("CARGO_PKG_VERSION"))
}

fn settings(sources: &Sources) -> Finding {
    let usual = sources.usual_file().filter(|path| path.exists());
    let found = match sources.file.clone().or(usual) {
        Some(path) => Said::from(path.display().to_string()),
        None => Text::DoctorBuiltIn.into(),
    };
    Finding::ok(Checked::Settings, found)
}

/// What is wrong with the keys that the settings choose for the dashboard.
fn dashboard_keys(config: &Config) -> Vec<Finding> {
    let wrong = Keymap::with(&config.keys).err().unwrap_or_default();
    let finding = |error: BadKeys| {
        let remedy = Text::DoctorCorrectSettings;
        Finding::wrong(Checked::Settings, error.to_string(), remedy)
    };
    wrong.into_iter().map(finding).collect()
}

/// Writes findings, and remembers how bad they are.
struct Report<W> {
    out: Output<W>,
    wrong: usize,
    is_unreachable: bool,
}

impl<W: std::io::Write> Report<W> {
    fn add(&mut self, findings: &[Finding]) -> Result<(), Failure> {
        for finding in findings {
            self.wrong += usize::from(finding.verdict != Verdict::Ok);
            self.is_unreachable |= finding.verdict == Verdict::Unreachable;
            self.out.one(&finding.to_json(), |language| finding.to_text(language))?;
        }
        Ok(())
    }

    fn verdict(self) -> Result<(), Failure> {
        let sentence = match self.wrong {
            0 => return Ok(()),
            1 => "one check found something wrong; what to do stands beside it".to_owned(),
            wrong => format!("{wrong} checks found something wrong; what to do stands beside each"),
        };
        Err(if self.is_unreachable { Failure::Unreachable(sentence) } else { Failure::Unwell(sentence) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_ends_with_the_worst_that_was_found() {
        let said = || "x".to_owned();
        let (ok, wrong, gone) = (
            Finding::ok(Checked::Data, said()),
            Finding::wrong(Checked::Data, said(), said()),
            Finding::unreachable(Checked::Bus, said(), said()),
        );
        for (findings, status) in
            [(vec![&ok], 0), (vec![&ok, &wrong], 1), (vec![&wrong, &gone], 3), (vec![&gone], 3)]
        {
            let out = Output::new(Vec::new(), false, Language::English);
            let mut report = Report { out, wrong: 0, is_unreachable: false };
            for finding in findings {
                report.add(std::slice::from_ref(finding)).unwrap();
            }
            assert_eq!(report.verdict().map_or_else(|failure| failure.status(), |()| 0), status);
        }
    }
}
