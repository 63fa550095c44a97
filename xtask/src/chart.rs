//! Charts in text: time from left to right, a line for each thing, as wide as a terminal.

use std::fmt::Write as _;

/// Columns of the names on the left.
const NAME: usize = 16;
/// Most columns of time: a terminal of 80 has room for them, the names and the greatest value.
const COLUMNS: usize = 48;
/// Heights of a bar.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Lines over the same time.
#[derive(Debug)]
pub(crate) struct Chart {
    /// From 0 to here.
    seconds: usize,
    lines: Vec<String>,
}

impl Chart {
    /// Of so many seconds.
    pub(crate) fn new(seconds: usize) -> Self {
        let seconds = seconds.max(1);
        let mut chart = Self { seconds, lines: Vec::new() };
        chart.lines.push(chart.axis());
        chart
    }

    /// Seconds of a column.
    fn step(&self) -> usize {
        self.seconds.div_ceil(COLUMNS)
    }

    fn columns(&self) -> usize {
        self.seconds.div_ceil(self.step())
    }

    fn axis(&self) -> String {
        const EVERY: usize = 10;
        let mut axis = String::new();
        for column in (0..self.columns()).step_by(EVERY) {
            let _ = write!(axis, "{:<EVERY$}", column * self.step());
        }
        format!("{:NAME$} {}", "seconds", axis.trim_end())
    }

    /// Bars of `value(second)`, of which the greatest of a column's is shown, and the greatest of all.
    pub(crate) fn bars(&mut self, name: &str, unit: &str, value: impl Fn(usize) -> u64) {
        let column = |at: usize| (at * self.step()..(at + 1) * self.step()).map(&value).max().unwrap_or(0);
        let values: Vec<u64> = (0..self.columns()).map(column).collect();
        let most = values.iter().copied().max().unwrap_or(0);
        let top = BARS.len() as u64 - 1;
        let bar = |value: &u64| {
            let height = (value * top).div_ceil(most.max(1));
            BARS[usize::try_from(height).unwrap_or(0)]
        };
        let line: String = values.iter().map(bar).collect();
        self.lines.push(format!("{name:NAME$} {line} {most}{unit}"));
    }

    /// A mark for each second that has one; of a column's the one is shown that there is least of.
    pub(crate) fn marks(&mut self, name: &str, legend: &str, mark: impl Fn(usize) -> char) {
        let count = |wanted: char| (0..self.seconds).filter(|second| mark(*second) == wanted).count();
        let column = |at: usize| {
            let of_column = (at * self.step()..(at + 1) * self.step()).map(&mark);
            of_column.filter(|mark| *mark != ' ').min_by_key(|mark| count(*mark)).unwrap_or(' ')
        };
        let line: String = (0..self.columns()).map(column).collect();
        self.lines.push(format!("{name:NAME$} {line} {legend}").trim_end().to_owned());
    }

    /// The chart.
    pub(crate) fn text(self) -> String {
        self.lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_has_the_highest_bar_and_anything_at_all_has_one() {
        let mut chart = Chart::new(4);
        chart.bars("ok", "/s", |second| [0, 1, 500, 1000][second]);
        assert_eq!(chart.text().lines().nth(1), Some("ok                ▁▄█ 1000/s"));
    }

    #[test]
    fn a_long_time_has_several_seconds_a_column_and_hides_no_peak() {
        let mut chart = Chart::new(96);
        chart.bars("p99", " ms", |second| u64::from(second == 95));
        chart.marks("replaced", "", |second| if second == 2 { 'o' } else { ' ' });
        let text = chart.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("█ 1 ms") && text.contains(" o"), "{text}");
    }
}
