//! Programs that are waited for, but never for longer than is said.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked whether one has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How much of its complaint is passed on.
const LINES: usize = 6;

/// Runs `command` to its end, and gives what it printed.
///
/// # Errors
/// A sentence that names the command: it cannot be started, failed, or took longer than `within`.
pub(crate) fn said(command: &mut Command, within: Duration) -> Result<String, String> {
    let name = shown(command);
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(failed)?;
    let (output, complaint) = (collected(child.stdout.take()), collected(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if begun.elapsed() > within {
            end(child);
            return Err(format!("{name}: it took longer than {} s", within.as_secs()));
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let (output, complaint) = (text(output), text(complaint));
    if status.success() {
        return Ok(output);
    }
    let lines: Vec<&str> = output.lines().chain(complaint.lines()).collect();
    Err(format!("{name}: {status}\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n")))
}

/// Reads along, or a full pipe would hold the program up.
fn collected(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read until then is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn text(collected: JoinHandle<Vec<u8>>) -> String {
    String::from_utf8_lossy(&collected.join().unwrap_or_default()).into_owned()
}

fn end(mut child: Child) {
    // It may have ended by now.
    let _ = child.kill();
    let _ = child.wait();
}

fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    command.get_args().fold(program.into_owned(), |line, word| format!("{line} {}", word.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn sh(script: &str, within: Duration) -> Result<String, String> {
        said(Command::new("sh").args(["-c", script]), within)
    }

    #[test]
    fn what_a_program_printed_is_handed_on_also_where_it_is_more_than_a_pipe_holds() {
        let much = sh("head -c 300000 /dev/zero | tr '\\0' x; echo y >&2", SOON).expect("it works");
        assert_eq!(much.len(), 300_000);
    }

    #[test]
    fn one_that_fails_is_named_with_what_it_said() {
        let why = sh("echo that is why >&2; exit 3", SOON).expect_err("it fails");
        assert!(why.starts_with("sh -c echo") && why.ends_with("that is why"), "{why}");
    }

    #[test]
    fn one_that_hangs_is_waited_for_no_longer_than_was_said() {
        let why = sh("exec sleep 600", Duration::from_secs(1)).expect_err("it hangs");
        assert!(why.ends_with("it took longer than 1 s"), "{why}");
    }
}
