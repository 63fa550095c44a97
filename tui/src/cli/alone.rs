//! Commands that need no desk: they start no workers, and work while nothing else does.

use std::ffi::OsString;
use std::io::Write;

use clap::CommandFactory;
use skstore::text::Language;

use super::arguments::{Alone, Arguments, Global};
use super::doctor;
use super::failure::Failure;

/// What the program is called on the command line.
const PROGRAM: &str = "skstore";

/// Does `command` and writes what it gives on stdout.
///
/// # Errors
/// [`Failure`].
pub(crate) fn run(
    command: &Alone,
    global: &Global,
    environment: Vec<(OsString, OsString)>,
    language: Language,
) -> Result<(), Failure> {
    match command {
        Alone::Doctor => doctor::run(global, environment, language),
        Alone::Completions { shell } => write(&completions(*shell)),
        Alone::Man { command } => write(&man(command.as_deref())?),
    }
}

/// Completions are made in memory: their maker panics where it cannot write, which a reader that has seen enough
/// would bring about.
fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), PROGRAM, &mut script);
    script
}

/// The manual page of the program, or of one of its commands.
fn man(command: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut program = Arguments::command();
    // Gives each command its whole name and the options that all of them take.
    program.build();
    let page = match command {
        None => program,
        Some(name) => {
            let found = program.get_subcommands().find(|command| command.get_name() == name);
            let page = found.cloned().map(|command| command.display_name(format!("{PROGRAM}-{name}")));
            page.ok_or_else(|| {
                let names: Vec<_> = program.get_subcommands().map(clap::Command::get_name).collect();
                Failure::Usage(format!("there is no command '{name}'; there are: {}", names.join(", ")))
            })?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    Ok(text)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    fn commands() -> Vec<String> {
        Arguments::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
    }

    #[test]
    fn completions_of_every_shell_know_every_command() {
        for shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).unwrap();
            for command in commands() {
                assert!(script.contains(&command), "{shell} does not know '{command}'");
            }
        }
    }

    #[test]
    fn every_command_is_in_the_manual_and_has_a_page() {
        let program = String::from_utf8(man(None).unwrap()).unwrap();
        for command in commands() {
            assert!(program.contains(&command), "the manual does not name '{command}'");
            let page = String::from_utf8(man(Some(&command)).unwrap()).unwrap();
            assert!(page.contains("\\-\\-json"), "the page of '{command}' lacks the options that all take");
        }
        let unknown = man(Some("sell")).unwrap_err().to_string();
        assert!(unknown.contains("there is no command 'sell'") && unknown.contains("place"), "{unknown}");
    }
}
