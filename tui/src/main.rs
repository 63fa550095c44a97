//! `skstore`: the dashboard, and the same desk for scripts.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::main()
}
