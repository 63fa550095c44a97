//! The floors of the house: who may know whom, and what the rules may not do. What is allowed here is written down once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use imports::Crate;

mod imports;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below `directory` but for tests, and what stands in them.
fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let (mut found, mut waiting) = (Vec::new(), vec![root().join(directory)]);
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                waiting.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 2, "there is nothing in {directory}");
    found
}

/// What stands in a file above its tests.
fn above_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// The words that stand behind `prefix` in the code, lines of comments left out.
fn behind<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(move |line| line.split(prefix).skip(1)).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn the_dashboard_and_the_command_line_know_of_the_workers_the_desk_alone() {
    for (path, text) in sources("tui/src") {
        for module in behind(above_tests(&text), "skstore_workers::") {
            assert_eq!(module, "desk", "{}: it comes through skstore_workers::desk", path.display());
        }
    }
}

#[test]
fn the_rules_know_no_clock_no_io_and_no_sentence_instead_of_an_error() {
    for (path, text) in sources("broker-services/domain/src") {
        let code = above_tests(&text);
        for crate_name in ["tokio::", "std::fs", "std::net", "std::env", "SystemTime", "Instant::now"] {
            assert!(!code.contains(crate_name), "{} uses {crate_name}", path.display());
        }
        for sentence in ["#[error(\"{0}\")]", ", String> {"] {
            assert!(
                !code.contains(sentence),
                "{}: an error is an enum with fields: {sentence}",
                path.display()
            );
        }
    }
}

const CRATES: [&str; 4] =
    ["broker-services/domain/src", "broker-services/workers/src", "tui/src", "xtask/src"];

fn files_of(directory: &str) -> Crate {
    let mut files = Crate::default();
    for (path, text) in sources(directory) {
        files.add(&path.strip_prefix(root().join(directory)).unwrap().to_string_lossy(), &text);
    }
    files
}

#[test]
fn no_file_leads_back_to_itself() {
    for directory in CRATES {
        let circle = files_of(directory).circle(Some);
        assert!(circle.is_none(), "{directory}:\n{}", circle.unwrap_or_default().join("\n"));
    }
}

#[test]
fn no_two_modules_of_a_crate_know_each_other() {
    for directory in CRATES {
        let files = files_of(directory);
        let circle =
            files.circle(|file| file.split(['/', '.']).next().filter(|name| !["lib", "main"].contains(name)));
        assert!(circle.is_none(), "{directory}:\n{}", circle.unwrap_or_default().join("\n"));
    }
}

/// The shortest circle of a made-up crate.
fn circle_of(sources: &[(&str, &str)]) -> Option<Vec<String>> {
    let mut files = Crate::default();
    sources.iter().for_each(|(file, text)| files.add(file, text));
    files.circle(Some)
}

#[test]
fn a_circle_is_found_also_where_what_is_needed_is_handed_on() {
    let circle = circle_of(&[
        ("lib.rs", "mod a; mod facade; pub use facade::Handle as Way;"),
        ("a.rs", "fn make() -> Vec<crate::Way> { vec![crate::facade::inner::THING] }  pub struct Other;"),
        ("facade.rs", "mod inner; mod more; pub use inner::*; pub use more::*;"),
        ("facade/inner.rs", "use super::More; pub struct Handle; pub const THING: u8 = 0;"),
        ("facade/more.rs", "use crate::{a as renamed}; pub struct More(renamed::Other);"),
    ]);
    let expected = [
        "a.rs -> facade/inner.rs by crate::facade::inner::THING",
        "facade/inner.rs -> facade/more.rs by super::More",
        "facade/more.rs -> a.rs by renamed::Other",
    ];
    assert_eq!(circle.unwrap(), expected);
}

#[test]
fn none_is_found_in_a_diamond_nor_in_what_tests_need() {
    let circle = circle_of(&[
        ("top.rs", "use crate::{left, right}; pub(in crate::left) fn f() { left::f(); right::f() }"),
        ("left.rs", "pub use crate::top::f as g; pub fn f() { crate::base::f() }"),
        ("right.rs", "pub fn f() { crate::base::f() } #[cfg(test)] mod tests { use crate::top::f; }"),
        ("base.rs", "pub fn f() { println!(\"crate::top\") } #[cfg(test)] fn t() { crate::top::f() }"),
    ]);
    assert_eq!(circle, None);
}
