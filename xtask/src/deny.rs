//! Holds the dependencies to `deny.toml` on every machine. cargo-deny reads the same file and knows more rules, but
//! takes over a minute to build: where it is installed, it is asked too.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::step;

/// Name, version, and the rest of what cargo knows of a crate.
type Package<'a> = (&'a str, &'a str, &'a Value);

/// Checks the dependencies as cargo resolves them, without a network.
///
/// # Errors
/// A sentence for each dependency that breaks a rule: which, and what to do.
pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    let file = step::root().join("deny.toml");
    println!("\n── dependencies: as deny.toml has them");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let rules = DeTable::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?.into_inner();
    let faults = faults(&rules, &metadata(&list(&rules, "graph", "targets"))?);
    if !faults.is_empty() {
        return Err(format!("The dependencies are not as deny.toml has them:\n  {}", faults.join("\n  ")));
    }
    println!("── dependencies: {:.1} s", started.elapsed().as_secs_f64());
    let asked = step::cargo(&["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if asked.is_ok_and(|status| status.success()) {
        let remedy =
            "It fetches advisories; without a network: cargo deny --offline check bans licenses sources.";
        return step::run("cargo-deny", &mut step::cargo(&["deny", "--locked", "check"]), remedy).map(drop);
    }
    println!("   advisories are left out: cargo-deny would check them, and is not installed");
    Ok(())
}

fn metadata(targets: &[&str]) -> Result<Value, String> {
    let mut command = step::cargo(&["metadata", "--format-version", "1", "--locked", "--offline"]);
    command.args(targets.iter().flat_map(|target| ["--filter-platform", *target])).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{} failed. Missing crates come with: cargo fetch --locked",
            step::shown(&command)
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo's metadata: {error}"))
}

fn faults(rules: &DeTable<'_>, metadata: &Value) -> Vec<String> {
    let all: Vec<Package<'_>> = metadata["packages"].as_array().into_iter().flatten().map(package).collect();
    let mut faults = duplicates(rules, &all);
    for (banned, reason) in reasons(rules, "deny") {
        faults.extend(all.iter().filter(|(name, ..)| *name == banned).map(|(name, version, _)| {
            format!("{name} {version} is banned: {reason}. {}", who_wants(name, version))
        }));
    }
    let licences = list(rules, "licenses", "allow");
    let registries = list(rules, "sources", "allow-registry");
    for (name, version, package) in all {
        let licence = package["license"].as_str().unwrap_or("none that cargo knows");
        if !is_allowed(licence, &licences) {
            faults.push(format!(
                "{name} {version} has the licence {licence}, which is not allowed. {}; or allow it in [licenses], if \
                 programs with it may be given away under this project's licence",
                who_wants(name, version)
            ));
        }
        let source = package["source"].as_str();
        let registry =
            |source: &str| source.strip_prefix("registry+").is_some_and(|url| registries.contains(&url));
        if let Some(source) = source.filter(|source| !registry(source)) {
            faults.push(format!(
                "{name} {version} comes from {source}, which [sources] does not allow. {}; or have it from crates.io",
                who_wants(name, version)
            ));
        }
    }
    faults
}

/// Every crate is there in one version, but for those that are skipped with a reason.
fn duplicates(rules: &DeTable<'_>, all: &[Package<'_>]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version, _) in all {
        versions.entry(name).or_default().insert(version);
    }
    let mut faults = Vec::new();
    let mut kept = versions.clone();
    for (skipped, reason) in reasons(rules, "skip") {
        let (name, version) = skipped.split_once('@').unwrap_or((skipped, ""));
        if reason.is_empty() {
            faults.push(format!("{skipped} is skipped without a reason: give one in [bans]"));
        }
        let is_twice = versions.get(name).is_some_and(|all| all.len() > 1);
        if !is_twice || !kept.get_mut(name).is_some_and(|kept| kept.remove(version)) {
            faults.push(format!(
                "{skipped} is skipped, but is not one of several versions: remove it from [bans] skip"
            ));
        }
    }
    faults.extend(kept.iter().filter(|(_, kept)| kept.len() > 1).map(|(name, kept)| {
        let kept: Vec<_> = kept.iter().copied().collect();
        format!(
            "{name} is there in versions {}. Bring them together ({} says who wants which); or skip one in [bans]: \
             {{ crate = \"{name}@{}\", reason = \"…\" }}",
            kept.join(" and "),
            "`cargo tree --workspace --duplicates`",
            kept[0]
        )
    }));
    faults
}

/// Whether an SPDX expression can be met by allowed licences alone. What cannot be read is not allowed.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    // `MIT/Apache-2.0` is how older crates say OR.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    matches!(either(&words, allowed), Some((true, [])))
}

/// Alternatives: whether one is allowed, and the words after them.
fn either<'a>(words: &'a [&'a str], allowed: &[&str]) -> Option<(bool, &'a [&'a str])> {
    match both(words, allowed)? {
        (one, ["OR", rest @ ..]) => either(rest, allowed).map(|(other, rest)| (one || other, rest)),
        all => Some(all),
    }
}

fn both<'a>(words: &'a [&'a str], allowed: &[&str]) -> Option<(bool, &'a [&'a str])> {
    let (one, rest) = match words {
        ["(", rest @ ..] => match either(rest, allowed)? {
            (one, [")", rest @ ..]) => (one, rest),
            _ => return None,
        },
        [id, "WITH", exception, rest @ ..] => {
            (allowed.contains(&format!("{id} WITH {exception}").as_str()), rest)
        }
        [id, rest @ ..] => (allowed.contains(id), rest),
        [] => return None,
    };
    match rest {
        ["AND", rest @ ..] => both(rest, allowed).map(|(other, rest)| (one && other, rest)),
        _ => Some((one, rest)),
    }
}

fn package(package: &Value) -> Package<'_> {
    let text = |field: &str| package[field].as_str().unwrap_or_default();
    (text("name"), text("version"), package)
}

fn list<'a>(rules: &'a DeTable<'_>, section: &str, key: &str) -> Vec<&'a str> {
    entries(rules, section, key).filter_map(DeValue::as_str).collect()
}

/// Crates and reasons of a list in `[bans]`.
fn reasons<'a>(rules: &'a DeTable<'_>, key: &str) -> Vec<(&'a str, &'a str)> {
    let text = |entry: &'a DeValue<'_>, field| entry.get(field).and_then(|text| text.get_ref().as_str());
    let pair = |entry| (text(entry, "crate").unwrap_or_default(), text(entry, "reason").unwrap_or_default());
    entries(rules, "bans", key).map(pair).collect()
}

fn entries<'a, 'b>(
    rules: &'a DeTable<'b>,
    section: &str,
    key: &str,
) -> impl Iterator<Item = &'a DeValue<'b>> {
    let list = rules.get(section).and_then(|section| section.get_ref().get(key));
    list.and_then(|list| list.get_ref().as_array()).into_iter().flatten().map(|entry| entry.get_ref())
}

fn who_wants(name: &str, version: &str) -> String {
    format!("Do without it (`cargo tree --workspace --invert {name}@{version}` says who wants it)")
}

#[cfg(test)]
mod tests;
