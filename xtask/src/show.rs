//! `cargo xtask show`: the demonstrations of an order desk under trouble, each one command and one page of what was seen.

use crate::desk::Build;
use crate::machine;
use crate::step;
use length::Length;

mod breaker;
mod chart;
mod clock;
mod heal;
mod length;
mod page;
mod rolling;
mod traffic;

/// A demonstration.
type Show = fn(Length, Build) -> Result<page::Page, String>;

/// The demonstrations.
const SHOWS: [(&str, Show); 3] = [("breaker", breaker::run), ("rolling", rolling::run), ("heal", heal::run)];
/// Where the pages of the last whole run stand.
const PAGES: &str = "docs/shows.md";

/// Runs what `words` ask for: a name or `all`, with `--short` on the build of the tests, with `--write` into the documents.
///
/// # Errors
/// A sentence that says what did not hold.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("--"));
    let unknown = options.iter().find(|option| !["--short", "--write"].contains(option));
    let known: Vec<&str> = SHOWS.iter().map(|(name, _)| *name).collect();
    let usage = || format!("Usage: cargo xtask show {}|all [--short] [--write]", known.join("|"));
    let [wanted] = names.as_slice() else { return Err(usage()) };
    if unknown.is_some() || !(*wanted == "all" || known.contains(wanted)) {
        return Err(usage());
    }
    let (length, build) = if options.contains(&"--short") {
        (Length::Short, Build::Test)
    } else {
        (Length::Whole, Build::Release)
    };
    build.make()?;
    // Before a page is written, which changes the checkout.
    let machine = machine::describe();
    let mut broken = Vec::new();
    for (name, show) in SHOWS.iter().filter(|(name, _)| *wanted == "all" || wanted == name) {
        println!("\n── show {name}");
        let page = show(length, build).map_err(|why| format!("show {name}: {why}"))?;
        println!("\n{}", page.to_markdown(&machine));
        broken.extend(page.broken().map(|promise| format!("{name}: {promise}")));
        if options.contains(&"--write") {
            page.write(&machine, &step::root().join(PAGES))?;
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("What did not hold:\n  {}", broken.join("\n  "))) }
}
