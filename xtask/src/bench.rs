//! Runs benches in release and shows what they measured.
//!
//! A bench is any `benches/NAME.rs` or `benches/NAME/main.rs` of a crate of the workspace. It prints one flat JSON object a line for each
//! measurement, among whatever else it prints:
//! `{"name":"settled, 512 in flight","value":31000,"unit":"orders/s","at_least":15000,"aim":30000}`. `at_least` and
//! `at_most` are bounds: a measurement beyond one fails the run. `name`, `value` and `unit` are required; every other
//! member is shown as a note.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::{machine, step};

/// Where the workspace's crates are, with their package names.
const CRATES: &[(&str, &str)] = &[
    ("broker-services/domain", "skstore-domain"),
    ("broker-services/workers", "skstore-workers"),
    ("tui", "skstore"),
];

/// The longest a release build from nothing may take on two cores, in seconds.
const COLD_BUILD_SECONDS: f64 = 300.0;

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    bench: String,
    name: String,
    value: f64,
    unit: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
    notes: String,
}

impl Measured {
    fn read(bench: &str, line: &str) -> Option<Self> {
        let mut measured = Self {
            bench: bench.to_owned(),
            name: String::new(),
            value: f64::NAN,
            unit: String::new(),
            at_least: None,
            at_most: None,
            notes: String::new(),
        };
        let Ok(Value::Object(members)) = serde_json::from_str(line) else { return None };
        for (key, value) in members {
            match (key.as_str(), &value, value.as_f64()) {
                ("name", Value::String(text), _) => measured.name.clone_from(text),
                ("unit", Value::String(text), _) => measured.unit.clone_from(text),
                ("value", _, Some(number)) => measured.value = number,
                ("at_least", _, number @ Some(_)) => measured.at_least = number,
                ("at_most", _, number @ Some(_)) => measured.at_most = number,
                (_, Value::String(text), _) => measured.notes.push_str(&format!(" {key} {text}")),
                (_, _, Some(number)) => measured.notes.push_str(&format!(" {key} {}", shown(number))),
                (_, other, None) => measured.notes.push_str(&format!(" {key} {other}")),
            }
        }
        let complete = !measured.name.is_empty() && !measured.unit.is_empty() && measured.value.is_finite();
        complete.then_some(measured)
    }

    fn meets_its_bounds(&self) -> bool {
        self.at_least.is_none_or(|min| self.value >= min) && self.at_most.is_none_or(|max| self.value <= max)
    }

    fn bound(&self) -> String {
        let min = self.at_least.map(|min| format!("≥ {}", shown(min)));
        let max = self.at_most.map(|max| format!("≤ {}", shown(max)));
        [min, max].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Runs the benches that `options` ask for.
///
/// # Errors
/// A sentence: no such bench, a bench that failed, or a bound that was missed.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let cold_build = options.contains(&"--cold-build");
    let names: Vec<&str> = options.iter().copied().filter(|option| *option != "--cold-build").collect();
    if let Some(unknown) = names.iter().find(|name| name.starts_with('-')) {
        return Err(format!("cargo xtask bench knows no option '{unknown}', only --cold-build"));
    }
    let all = found(&step::root())?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|(_, bench)| bench == *name)) {
        let known: Vec<_> = all.iter().map(|(_, bench)| bench.as_str()).collect();
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        return Err(format!("there is no bench '{unknown}'; there are: {known}"));
    }
    let mut measured = Vec::new();
    if cold_build {
        measured.push(build_from_nothing()?);
    }
    for (package, bench) in &all {
        // `--cold-build` alone means the build alone.
        if names.contains(&bench.as_str()) || (names.is_empty() && !cold_build) {
            measured.extend(run_one(package, bench)?);
        }
    }
    report(&measured)
}

/// Packages and names of all benches.
fn found(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let mut all = Vec::new();
    for (path, package) in CRATES {
        let Ok(entries) = std::fs::read_dir(root.join(path).join("benches")) else { continue };
        for entry in entries {
            let file = entry.map_err(|error| format!("{path}/benches cannot be read: {error}"))?.path();
            if file.extension().is_some_and(|extension| extension == "rs") || file.join("main.rs").exists() {
                all.extend(
                    file.file_stem().and_then(|stem| stem.to_str()).map(|stem| (*package, stem.to_owned())),
                );
            }
        }
    }
    all.sort();
    Ok(all)
}

/// Runs one bench, showing its output as it comes.
fn run_one(package: &str, bench: &str) -> Result<Vec<Measured>, String> {
    let mut command = step::cargo(&["bench", "-p", package, "--bench", bench]);
    println!("\n── {bench}: {}", step::shown(&command));
    let failed = |why: String| format!("the bench {bench} failed: {why}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cargo cannot be started: {error}")))?;
    let mut measured = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| failed(error.to_string()))?;
            match Measured::read(bench, &line) {
                Some(one) => measured.push(one),
                None => println!("{line}"),
            }
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    match (status.success(), measured.is_empty()) {
        (false, _) => Err(failed(format!("repeat it with: cargo bench -p {package} --bench {bench}"))),
        (true, true) => Err(failed("it measured nothing".into())),
        (true, false) => Ok(measured),
    }
}

/// Times a release build of both programs into an empty directory; downloads are not counted.
fn build_from_nothing() -> Result<Measured, String> {
    step::run("fetch", &mut step::cargo(&["fetch", "--locked"]), "")?;
    let target = std::env::temp_dir().join(format!("skstore-cold-build-{}", std::process::id()));
    let mut build =
        step::cargo(&["build", "--release", "--locked", "--workspace", "--exclude", "xtask", "--bins"]);
    let built = step::run("cold build", build.env("CARGO_TARGET_DIR", &target), "");
    let removed = std::fs::remove_dir_all(&target);
    let took = built?;
    removed.map_err(|error| format!("{} cannot be removed: {error}", target.display()))?;
    Ok(Measured {
        bench: "build".into(),
        name: "release build from nothing".into(),
        value: took.as_secs_f64(),
        unit: "s".into(),
        at_least: None,
        at_most: Some(COLD_BUILD_SECONDS),
        notes: String::new(),
    })
}

fn report(measured: &[Measured]) -> Result<(), String> {
    println!("\n{}\n", machine::describe());
    print!("{}", table(measured));
    let missed: Vec<_> =
        measured.iter().filter(|one| !one.meets_its_bounds()).map(|one| one.name.as_str()).collect();
    if missed.is_empty() { Ok(()) } else { Err(format!("beyond their bounds: {}", missed.join("; "))) }
}

/// Aligned columns: bench, measurement, value, unit, bound, notes.
fn table(measured: &[Measured]) -> String {
    let mut rows = vec![["bench", "measurement", "value", "unit", "bound", "notes"].map(str::to_owned)];
    rows.extend(measured.iter().map(|one| {
        let verdict = if one.meets_its_bounds() { "" } else { " MISSED" };
        let bound = format!("{}{verdict}", one.bound());
        let notes = one.notes.trim().to_owned();
        [one.bench.clone(), one.name.clone(), shown(one.value), one.unit.clone(), bound, notes]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let [bench, name, value, unit, bound, notes] = row;
        let line = format!(
            "{bench:<0$}  {name:<1$}  {value:>2$}  {unit:<3$}  {bound:<4$}  {notes}",
            widths[0], widths[1], widths[2], widths[3], widths[4]
        );
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

/// About four digits: more would be noise.
fn shown(number: f64) -> String {
    match number.abs() {
        size if size >= 1000.0 || number.fract() == 0.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_beyond_its_bound_is_told() {
        let lines = [
            r#"{"name":"settled","value":31234.5,"unit":"orders/s","at_least":15000,"aim":30000}"#,
            r#"{"name":"frame","value":2.5,"unit":"ms","at_most":2}"#,
        ];
        let measured: Vec<_> = lines.iter().filter_map(|line| Measured::read("desk", line)).collect();
        let expected = "\
bench  measurement  value  unit      bound       notes
desk   settled      31234  orders/s  ≥ 15000     aim 30000
desk   frame         2.50  ms        ≤ 2 MISSED
";
        assert_eq!(table(&measured), expected);
        assert_eq!(report(&measured), Err("beyond their bounds: frame".into()));
        assert_eq!(report(&measured[..1]), Ok(()));
    }

    #[test]
    fn other_output_of_a_bench_is_no_measurement() {
        for line in ["running", "{}", r#"{"name":"a","unit":"s"}"#, r#"{"name":"a","value":"1","unit":"s"}"#]
        {
            assert_eq!(Measured::read("desk", line), None, "{line}");
        }
    }
}
