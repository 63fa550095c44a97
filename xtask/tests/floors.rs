//! The floors of the house: who may know whom, and what the rules may not do. What is allowed here is written down once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Rust files below `directory`, with what stands in them but for their tests.
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
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(found.len() > 2, "there is nothing in {directory}");
    found
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
    for (path, code) in sources("tui/src") {
        for module in behind(&code, "skstore_workers::") {
            assert_eq!(module, "desk", "{}: it comes through skstore_workers::desk", path.display());
        }
    }
}

#[test]
fn the_rules_know_no_clock_no_io_and_no_sentence_instead_of_an_error() {
    for (path, code) in sources("broker-services/domain/src") {
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

/// The modules that a crate's own `use crate::{…}` names. What it hands on by `pub use`, it does not need itself.
fn listed(code: &str) -> impl Iterator<Item = &str> {
    let uses = code.match_indices("use crate::{").filter(|(at, _)| !code[..*at].ends_with("pub "));
    uses.flat_map(|(at, start)| {
        let list = &code[at + start.len()..];
        let (mut depth, mut from, mut names) = (0, 0, Vec::new());
        for (here, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    names.extend(list[from..here].trim().split("::").next());
                    from = here + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
        names
    })
}

/// A module beside `lib.rs`, and the others there that its files name.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn modules(directory: &str) -> Graph {
    let mut graph = Graph::new();
    for (path, code) in sources(directory) {
        let inner = path.strip_prefix(root().join(directory)).unwrap();
        let first = inner.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        let named = behind(&code, "crate::").chain(listed(&code));
        let named: BTreeSet<String> =
            named.filter(|name| !name.is_empty() && *name != module).map(str::to_owned).collect();
        graph.entry(module).or_default().extend(named);
    }
    graph
}

/// The modules that lead to themselves.
fn circles(graph: &Graph) -> BTreeSet<&String> {
    let reaches_itself = |start: &&String| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![*start]);
        while let Some(at) = waiting.pop() {
            for next in graph.get(at).into_iter().flatten() {
                if next == *start {
                    return true;
                }
                if seen.insert(next) {
                    waiting.push(next);
                }
            }
        }
        false
    };
    graph.keys().filter(reaches_itself).collect()
}

#[test]
fn no_two_modules_of_a_crate_know_each_other() {
    for directory in ["broker-services/domain/src", "broker-services/workers/src", "tui/src", "xtask/src"] {
        let graph = modules(directory);
        let circles = circles(&graph);
        assert!(circles.is_empty(), "{directory}: these lead to themselves: {circles:?}, in {graph:#?}");
    }
}

#[test]
fn a_circle_is_found() {
    let of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let graph = Graph::from([
        ("a".into(), of(&["b"])),
        ("b".into(), of(&["c"])),
        ("c".into(), of(&["a"])),
        ("d".into(), of(&["a"])),
    ]);
    let found: Vec<&str> = circles(&graph).into_iter().map(String::as_str).collect();
    assert_eq!(found, ["a", "b", "c"]);
}
