//! `skstore load` beside what is done to a desk, and its report.

use std::process::Child;

use serde_json::Value;

use crate::chart::Chart;
use crate::clock::Moment;
use crate::desk::{Desk, objects};
use crate::page::Page;

/// Orders that are being placed.
#[derive(Debug)]
pub(crate) struct Traffic {
    line: String,
    load: Child,
}

/// What came of them.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) report: Value,
}

impl Traffic {
    /// Begins to place orders on `desk`.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn begin(desk: &dyn Desk, line: &str) -> Result<Self, String> {
        Ok(Self { line: line.to_owned(), load: desk.begin(line)? })
    }

    /// Whether no more orders are placed, for whatever reason.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.load.try_wait(), Ok(None))
    }

    /// Waits for the report, which knows what became of every order.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn end(self) -> Result<Seen, String> {
        let output =
            self.load.wait_with_output().map_err(|error| format!("skstore {}: {error}", self.line))?;
        let report = objects(&self.line, &output.stdout)?.into_iter().next();
        let report = report.ok_or_else(|| format!("skstore {}: no report", self.line))?;
        if report["seconds"].is_array() {
            Ok(Seen { report })
        } else {
            Err(format!("skstore {}: {report}", self.line))
        }
    }
}

impl Seen {
    /// When the first order was placed.
    ///
    /// # Errors
    /// A sentence where the report does not say.
    pub(crate) fn began(&self) -> Result<Moment, String> {
        let told = self.report["began_at"].as_str().and_then(Moment::read);
        told.ok_or_else(|| "the report of the load does not say when it began".to_owned())
    }

    /// A number of the report, 0 where there is none: `latency_us.ok.p99`.
    pub(crate) fn number(&self, path: &str) -> u64 {
        path.split('.').fold(&self.report, |at, name| &at[name]).as_u64().unwrap_or(0)
    }

    /// A time of the report, in milliseconds to two digits.
    pub(crate) fn ms(&self, path: &str) -> String {
        let us = self.number(path);
        format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
    }

    /// What the report has of a second, from 0.
    pub(crate) fn second(&self, second: usize, name: &str) -> u64 {
        self.report["seconds"][second][name].as_u64().unwrap_or(0)
    }

    /// Lines of how it went.
    pub(crate) fn draw(&self, chart: &mut Chart) {
        chart.bars("accepted", "/s", |second| self.second(second, "ok"));
        chart.bars("refused", "/s", |second| self.second(second, "refused"));
        chart.bars("not answered", "/s", |second| self.second(second, "failed"));
        chart.bars("slowest answer", " ms", |second| self.second(second, "max_us").div_ceil(1000));
    }

    /// Figures, and what always has to hold: every order is known to have ended, and the books are right.
    ///
    /// # Errors
    /// A sentence where the audit says nothing.
    pub(crate) fn tell(&self, desk: &dyn Desk, page: &mut Page) -> Result<(), String> {
        let n = |path: &str| self.number(path);
        page.figure("orders sent, a second", &format!("{}, {}", n("sent"), self.report["per_second"]));
        page.figure(
            "accepted, refused, not answered",
            &format!("{}, {}, {}", n("ok"), n("refused"), n("failed")),
        );
        page.figure("refused as", &self.report["refusals"].to_string().replace('"', ""));
        page.figure(
            "answer p50, p99, slowest",
            &format!(
                "{}, {}, {}",
                self.ms("latency_us.all.p50"),
                self.ms("latency_us.all.p99"),
                self.ms("latency_us.all.max")
            ),
        );
        page.figure("became", &self.report["became"].to_string().replace('"', ""));
        page.promise(
            "no order is lost: every one has ended",
            &format!("open {}", n("became.open")),
            n("became.open") == 0,
        );
        let audited = desk.ask("audit")?;
        let audited = audited.last().map_or(Value::Null, |last| last["audited"].clone());
        let summary = format!("{} orders, {} violations", audited["orders"], audited["violations"]);
        page.promise("`skstore audit` is clean", &summary, audited["violations"] == 0);
        Ok(())
    }
}
