//! What a check found, in whichever language: a verdict, a sentence, and what to do about it.

use serde::Serialize;
use serde_json::json;
use skstore::text::fit::{Side, clean, fit, width};
use skstore::text::{Language, Text};

/// What is checked, in the order of the report. Their words are public: `--json` has them in `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Checked {
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
pub(super) enum Said {
    /// A name, a path, a number, or what a system said.
    Plain(String),
    /// A text of ours.
    Text(Text, Vec<String>),
    /// A sentence whose values are words of that language too.
    Sentence { korean: String, english: String },
}

impl Said {
    pub(super) fn text(text: Text, values: &[&dyn std::fmt::Display]) -> Self {
        Self::Text(text, values.iter().map(ToString::to_string).collect())
    }

    pub(super) fn sentence(in_language: impl Fn(Language) -> String) -> Self {
        Self::Sentence { korean: in_language(Language::Korean), english: in_language(Language::English) }
    }

    fn of(&self, language: Language) -> String {
        match self {
            Self::Sentence { korean, english } => {
                let text = match language {
                    Language::Korean => korean,
                    Language::English => english,
                };
                clean(text).into_owned()
            }
            Self::Plain(text) => clean(text).into_owned(),
            Self::Text(text, values) => {
                let values: Vec<&dyn std::fmt::Display> =
                    values.iter().map(|value| value as &dyn std::fmt::Display).collect();
                clean(&language.fill(*text, &values)).into_owned()
            }
        }
    }
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self::text(text, &[])
    }
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it must be.
    Ok,
    /// Not as it must be.
    Wrong,
    /// A part that is elsewhere cannot be reached.
    Unreachable,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    checked: Checked,
    pub(super) verdict: Verdict,
    found: Said,
    remedy: Option<Said>,
}

impl Finding {
    pub(super) fn ok(checked: Checked, found: impl Into<Said>) -> Self {
        Self { checked, verdict: Verdict::Ok, found: found.into(), remedy: None }
    }

    /// As it must be, and still something to know.
    pub(super) fn noted(checked: Checked, found: impl Into<Said>, advice: impl Into<Said>) -> Self {
        Self { checked, verdict: Verdict::Ok, found: found.into(), remedy: Some(advice.into()) }
    }

    pub(super) fn wrong(checked: Checked, found: impl Into<Said>, remedy: impl Into<Said>) -> Self {
        Self { checked, verdict: Verdict::Wrong, found: found.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn unreachable(checked: Checked, found: impl Into<Said>, remedy: impl Into<Said>) -> Self {
        Self { checked, verdict: Verdict::Unreachable, found: found.into(), remedy: Some(remedy.into()) }
    }

    /// `{"check","ok","found","remedy"?}`, in English whatever the language, since programs read it.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let mut object = json!({
            "check": self.checked,
            "ok": self.verdict == Verdict::Ok,
            "found": self.found.of(Language::English),
        });
        if let Some(remedy) = &self.remedy {
            object["remedy"] = json!(remedy.of(Language::English));
        }
        object
    }

    /// A line, and another one with the remedy if there is one.
    pub(super) fn to_text(&self, language: Language) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_is_wrong_and_what_to_do() {
        let finding = Finding::unreachable(
            Checked::Bus,
            "amqp://h: refused\u{1b}[2J".to_owned(),
            Text::DoctorStartBroker,
        );
        let text = finding.to_text(Language::English);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("wrong  bus       amqp://h: refused[2J"), "{text}");
        assert!(lines.next().is_some_and(|line| line.trim_start().starts_with("do: ")), "{text}");
        let json = finding.to_json();
        assert_eq!((&json["check"], &json["ok"]), (&json!("bus"), &json!(false)), "{json}");
        assert!(json["remedy"].as_str().is_some_and(|remedy| remedy.contains("bus.url")), "{json}");
    }
}
