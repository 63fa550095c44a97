//! From the start of the program to its first frame, on a real pseudo-terminal and a data directory that is
//! there already. Prints one JSON line.

#![expect(clippy::print_stdout, reason = "its figure goes there")]

use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Starts that are measured, after one that makes the data directory.
const STARTS: usize = 11;
/// What the first frame has at any size.
const HEADER: &[u8] = b"orders";
const SIZE: PtySize = PtySize { rows: 36, cols: 120, pixel_width: 0, pixel_height: 0 };

fn main() -> Result<(), Box<dyn Error>> {
    let home = tempfile::tempdir()?;
    start(home.path())?;
    let mut times = (0..STARTS).map(|_| start(home.path())).collect::<Result<Vec<_>, _>>()?;
    times.sort();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{{\"name\":\"start to first frame, median of {STARTS}\",\"value\":{:.1},\"unit\":\"ms\",\"at_most\":150,\
         \"slowest_ms\":{:.1}}}",
        millis(times[STARTS / 2]),
        millis(times[STARTS - 1]),
    );
    Ok(())
}

fn start(home: &Path) -> Result<Duration, Box<dyn Error>> {
    let pty = native_pty_system().openpty(SIZE)?;
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_skstore"));
    command.env_clear();
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    let started = Instant::now();
    let mut program = pty.slave.spawn_command(command)?;
    drop(pty.slave);
    let mut output = pty.master.try_clone_reader()?;
    let (mut seen, mut bytes) = (Vec::new(), [0; 8192]);
    while !seen.windows(HEADER.len()).any(|part| part == HEADER) {
        let count = output.read(&mut bytes)?;
        if count == 0 {
            return Err("it ended before its first frame".into());
        }
        seen.extend_from_slice(&bytes[..count]);
    }
    let took = started.elapsed();
    pty.master.take_writer()?.write_all(b"q")?;
    // Its terminal must be read, or it could not end.
    while output.read(&mut bytes).is_ok_and(|count| count > 0) {}
    program.wait()?;
    Ok(took)
}
