//! `skstore`: the dashboard, and the same desk for scripts.

use std::process::ExitCode;

mod cli;

/// As in `skstore-worker`: all of the desk may run in this process.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::main()
}
