//! `cargo xtask show`: the demonstrations of an order desk under trouble, each one command and one page of what was seen.

use crate::build::Build;
use crate::machine;
use crate::page::Page;
use crate::step;
use length::Length;
use stage::Stage;

mod breaker;
mod heal;
mod length;
mod rolling;
mod stage;

/// A demonstration.
type Show = fn(Length, Stage) -> Result<Page, String>;

/// The demonstrations.
const SHOWS: [(&str, Show); 3] = [("breaker", breaker::run), ("rolling", rolling::run), ("heal", heal::run)];
/// Where the pages of the last whole run stand.
const PAGES: &str = "docs/shows.md";

/// What is asked for.
struct Wish<'a> {
    name: &'a str,
    is_short: bool,
    is_written: bool,
    engine: &'a str,
}

impl<'a> Wish<'a> {
    fn read(words: &[&'a str]) -> Option<Self> {
        let mut wish = Self { name: "", is_short: false, is_written: false, engine: "auto" };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--short" => wish.is_short = true,
                "--write" => wish.is_written = true,
                "--engine" => wish.engine = words.next()?,
                name if wish.name.is_empty() => wish.name = name,
                _ => return None,
            }
        }
        let is_known = wish.name == "all" || SHOWS.iter().any(|(name, _)| *name == wish.name);
        is_known.then_some(wish)
    }
}

/// Runs what `words` ask for: a name or `all`, with `--short` on the build of the tests, with `--write` into the documents, with
/// `--engine` on processes, on containers, or (`auto`) on containers if their images are there.
///
/// # Errors
/// A sentence that says what did not hold.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let known: Vec<&str> = SHOWS.iter().map(|(name, _)| *name).collect();
    let usage = || {
        let names = known.join("|");
        format!("Usage: cargo xtask show {names}|all [--engine auto|compose|processes] [--short] [--write]")
    };
    let wish = Wish::read(words).ok_or_else(usage)?;
    let (length, build) =
        if wish.is_short { (Length::Short, Build::Test) } else { (Length::Whole, Build::Release) };
    let stage = Stage::named(wish.engine, build).ok_or_else(usage)?;
    stage.prepare()?;
    // Before a page is written, which changes the checkout.
    let machine = machine::describe();
    let mut broken = Vec::new();
    for (name, show) in SHOWS.iter().filter(|(name, _)| wish.name == "all" || wish.name == *name) {
        println!("\n── show {name}");
        let page = show(length, stage).map_err(|why| format!("show {name}: {why}"))?;
        println!("\n{}", page.to_markdown(&machine));
        broken.extend(page.broken().map(|promise| format!("{name}: {promise}")));
        if wish.is_written {
            page.write(&machine, &step::root().join(PAGES))?;
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("What did not hold:\n  {}", broken.join("\n  "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_one_name_and_options_anywhere_around_it() {
        let wish = Wish::read(&["--engine", "compose", "heal", "--write"]).expect("a wish");
        assert_eq!(
            (wish.name, wish.engine, wish.is_short, wish.is_written),
            ("heal", "compose", false, true)
        );
        let wish = Wish::read(&["all", "--short"]).expect("a wish");
        assert_eq!((wish.name, wish.engine, wish.is_short), ("all", "auto", true));
        for wrong in
            [&["--short"][..], &["heal", "rolling"], &["heal", "--engine"], &["dance"], &["heal", "--shrt"]]
        {
            assert!(Wish::read(wrong).is_none(), "{wrong:?}");
        }
    }
}
