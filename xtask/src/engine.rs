//! `cargo xtask engine compose`: the whole desk on a container engine, from its images on, and a page of what it went through.

use std::time::Instant;

use crate::desk::composed::Composed;
use crate::machine;
use crate::page::Page;
use crate::step;
use checks::CHECKS;

mod absence;
mod checks;
mod http;
mod images;
mod orders;
mod outside;
mod replacing;
mod terminal;
mod troubles;

/// Where the page of the last whole run stands.
const PAGE: &str = "docs/operations.md";
const USAGE: &str = "Usage: cargo xtask engine compose [--built] [--write] [CHECK…]";

/// Makes what images are missing, starts docker-compose.yml, and runs the checks of the names in `words`, or all of them;
/// `--built`: with the image `skstore` that is there; `--write`: into the documents.
///
/// # Errors
/// A sentence that says what is missing here, or what did not hold.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (options, names): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with("--"));
    let known: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    let usage = || format!("{USAGE}\nCHECK is one of: {}", known.join(", "));
    let ["compose", wanted @ ..] = names.as_slice() else { return Err(usage()) };
    let strange = options.iter().any(|option| !["--built", "--write"].contains(option));
    if strange || !wanted.iter().all(|name| known.contains(name)) {
        return Err(usage());
    }
    // Before a page is written, which changes the checkout.
    let machine = machine::describe();
    if options.contains(&"--built") {
        images::find()?;
    } else {
        images::make_missing()?;
        images::build()?;
    }
    let page = seen(wanted)?;
    println!("\n{}", page.to_markdown(&machine));
    if options.contains(&"--write") {
        page.write(&machine, &step::root().join(PAGE))?;
    }
    let broken: Vec<String> = page.broken().collect();
    if broken.is_empty() { Ok(()) } else { Err(format!("What did not hold:\n  {}", broken.join("\n  "))) }
}

/// Starts everything and runs the checks that are wanted, each whatever became of those before.
fn seen(wanted: &[&str]) -> Result<Page, String> {
    let story = format!(
        "docker-compose.yml as it is, under a name and at ports of its own, {}. Each check has orders placed beside it where it \
         is about what they go through, 20 a second.",
        images::described()
    );
    let mut page = Page::new("compose", "cargo xtask engine compose".to_owned(), story, String::new());
    println!("\n── starting everything");
    let begun = Instant::now();
    let mut desk = Composed::start(&[])?;
    page.promise(
        "`up -d`: every container is well, every worker takes work",
        &format!("after {} s", begun.elapsed().as_secs()),
        true,
    );
    for (name, check) in CHECKS.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        println!("── {name}");
        let begun = Instant::now();
        if let Err(why) = check(&mut desk, &mut page) {
            step::tell(&format!("{name}: {why}"));
            // A page has a line for each.
            page.promise(&format!("{name} can be done to its end"), &why.replace('\n', " "), false);
        }
        println!("── {name}: {} s", begun.elapsed().as_secs());
    }
    Ok(page)
}
