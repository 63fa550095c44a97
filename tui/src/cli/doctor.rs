//! `skstore doctor`: is all there that the desk needs, and if not, what is to be done?
//!
//! Every check ends in a [`Finding`]. It starts no worker, makes no file that stays, and goes on after whatever it
//! finds wrong, so that one look tells all.

use std::ffi::OsString;

use serde_json::json;
use skstore::dashboard::DashboardOptions;
use skstore::dashboard::keys::Keymap;
use skstore::dashboard::keys::map::BadKeys;
use skstore::local_time::LocalTime;
use skstore::terminal::screen::assumed_size;
use skstore::text::fit::{Side, clean, fit, width};
use skstore::text::{Language, Text};
use skstore_workers::desk::config::{Config, Sources};

use super::arguments::Global;
use super::failure::Failure;
use super::output::Output;

mod broker;
mod data;
mod names;
mod servers;
mod terminal;

/// What is checked, in the order of the report. Their words are public: `--json` has them in `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Version,
    Terminal,
    Settings,
    Data,
    Log,
    Stores,
    Bus,
    View,
    Workers,
}

impl Checked {
    const ALL: &'static [Self] = &[
        Self::Version,
        Self::Terminal,
        Self::Settings,
        Self::Data,
        Self::Log,
        Self::Stores,
        Self::Bus,
        Self::View,
        Self::Workers,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Terminal => "terminal",
            Self::Settings => "settings",
            Self::Data => "data",
            Self::Log => "log",
            Self::Stores => "stores",
            Self::Bus => "bus",
            Self::View => "view",
            Self::Workers => "workers",
        }
    }

    const fn text(self) -> Text {
        match self {
            Self::Version => Text::DoctorVersion,
            Self::Terminal => Text::DoctorTerminal,
            Self::Settings => Text::DoctorSettings,
            Self::Data => Text::DoctorData,
            Self::Log => Text::DoctorLog,
            Self::Stores => Text::DoctorStores,
            Self::Bus => Text::DoctorBus,
            Self::View => Text::DoctorView,
            Self::Workers => Text::DoctorWorkers,
        }
    }
}

/// Something to say in whichever language: a text with its values, or what reads the same in every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A name, a path, a number, or what a system said.
    Plain(String),
    /// A text of ours.
    Text(Text, Vec<String>),
}

impl Said {
    fn plain(text: impl Into<String>) -> Self {
        Self::Plain(text.into())
    }

    fn text(text: Text, values: &[&dyn std::fmt::Display]) -> Self {
        Self::Text(text, values.iter().map(ToString::to_string).collect())
    }

    fn of(&self, language: Language) -> String {
        match self {
            Self::Plain(text) => clean(text).into_owned(),
            Self::Text(text, values) => {
                let values: Vec<&dyn std::fmt::Display> =
                    values.iter().map(|value| value as &dyn std::fmt::Display).collect();
                clean(&language.fill(*text, &values)).into_owned()
            }
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it must be.
    Ok,
    /// Not as it must be.
    Wrong,
    /// A part that is elsewhere cannot be reached.
    Unreachable,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    checked: Checked,
    verdict: Verdict,
    found: Said,
    remedy: Option<Said>,
}

impl Finding {
    fn ok(checked: Checked, found: Said) -> Self {
        Self { checked, verdict: Verdict::Ok, found, remedy: None }
    }

    /// As it must be, and still something to know.
    fn noted(checked: Checked, found: Said, advice: Said) -> Self {
        Self { checked, verdict: Verdict::Ok, found, remedy: Some(advice) }
    }

    fn wrong(checked: Checked, found: Said, remedy: Said) -> Self {
        Self { checked, verdict: Verdict::Wrong, found, remedy: Some(remedy) }
    }

    fn unreachable(checked: Checked, found: Said, remedy: Said) -> Self {
        Self { checked, verdict: Verdict::Unreachable, found, remedy: Some(remedy) }
    }

    /// `{"check","ok","found","remedy"?}`, in English whatever the language, since programs read it.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let mut object = json!({
            "check": self.checked.word(),
            "ok": self.verdict == Verdict::Ok,
            "found": self.found.of(Language::English),
        });
        if let Some(remedy) = &self.remedy {
            object["remedy"] = json!(remedy.of(Language::English));
        }
        object
    }

    /// A line, and another one with the remedy if there is one.
    pub(crate) fn to_text(&self, language: Language) -> String {
        let column = |texts: &mut dyn Iterator<Item = Text>| {
            texts.map(|text| width(language.get(text))).max().unwrap_or(0)
        };
        let verdicts = column(&mut [Text::DoctorOk, Text::DoctorWrong].into_iter());
        let names = column(&mut Checked::ALL.iter().map(|checked| checked.text()));
        let verdict = if self.verdict == Verdict::Ok { Text::DoctorOk } else { Text::DoctorWrong };
        let mut text = format!(
            "{}  {}  {}\n",
            fit(language.get(verdict), verdicts, Side::Left, ""),
            fit(language.get(self.checked.text()), names, Side::Left, ""),
            self.found.of(language),
        );
        if let Some(remedy) = &self.remedy {
            let indent = verdicts + 2 + names + 2;
            let remedy = language.fill(Text::DoctorRemedy, &[&remedy.of(language)]);
            text.push_str(&format!("{:indent$}{remedy}\n", ""));
        }
        text
    }
}

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
                report.add(&servers::view(config, bus.takes_messages).await)
            })?;
        }
        // Without settings it is not known where the rest would be.
        Err(error) => {
            let remedy = Said::text(Text::DoctorCorrectSettings, &[]);
            report.add(&[Finding::wrong(Checked::Settings, Said::plain(error.to_string()), remedy)])?;
        }
    }
    report.verdict()
}

/// How the dashboard would look here: by the settings if there are any.
fn look(config: Option<&Config>, sources: &Sources) -> terminal::Look {
    let variable = |name: &str| {
        let found = sources.environment.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    };
    let look = config.map(|config| DashboardOptions::look(config, variable, String::new()));
    let unknown_zone = LocalTime::of_environment(variable).unknown;
    terminal::Look {
        term: variable("TERM").unwrap_or_default(),
        look,
        unknown_zone,
        assumed: assumed_size(variable),
    }
}

fn version() -> Said {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    Said::plain(format!("skstore {}, {system} {machine}", env!("CARGO_PKG_VERSION")))
}

fn settings(sources: &Sources) -> Finding {
    let usual = sources.usual_file().filter(|path| path.exists());
    let found = match sources.file.clone().or(usual) {
        Some(path) => Said::plain(path.display().to_string()),
        None => Said::text(Text::DoctorBuiltIn, &[]),
    };
    Finding::ok(Checked::Settings, found)
}

/// What is wrong with the keys that the settings choose for the dashboard.
fn dashboard_keys(config: &Config) -> Vec<Finding> {
    let wrong = Keymap::with(&config.keys).err().unwrap_or_default();
    let finding = |error: BadKeys| {
        let remedy = Said::text(Text::DoctorCorrectSettings, &[]);
        Finding::wrong(Checked::Settings, Said::plain(error.to_string()), remedy)
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
            self.out.finding(finding)?;
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
    fn a_finding_says_what_is_wrong_and_what_to_do() {
        let finding = Finding::unreachable(
            Checked::Bus,
            Said::plain("amqp://h: refused\u{1b}[2J"),
            Said::text(Text::DoctorStartBroker, &[]),
        );
        let text = finding.to_text(Language::English);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("wrong  bus       amqp://h: refused[2J"), "{text}");
        assert!(lines.next().is_some_and(|line| line.trim_start().starts_with("do: ")), "{text}");
        let json = finding.to_json();
        assert_eq!((&json["check"], &json["ok"]), (&json!("bus"), &json!(false)), "{json}");
        assert!(json["remedy"].as_str().is_some_and(|remedy| remedy.contains("bus.url")), "{json}");
    }

    #[test]
    fn the_report_ends_with_the_worst_that_was_found() {
        let said = || Said::plain("x");
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
