//! Schemathesis, which asks the gateway all that its description lets one think of. It is in Python, and of Debian's packages
//! none: pip gets it, into the target directory.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::step;

/// The test target that asks for it.
pub(crate) const WANTED_BY: &str = "http";
/// What tells that where it is.
const FOUND_AT: &str = "SKSTORE_TEST_SCHEMATHESIS";
/// Which version: another one finds other things, and nobody's change is to blame.
const VERSION: &str = "4.32.5";
/// Debian's Python, which its pip belongs to.
const PYTHON: &str = "/usr/bin/python3";

/// The variable that says where it is, and that; it is installed if need be.
///
/// # Errors
/// A sentence that says what failed, and how to repeat it.
pub(crate) fn found_at() -> Result<(&'static str, PathBuf), String> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| step::root().join("target"), PathBuf::from);
    let place = target.join(format!("schemathesis-{VERSION}"));
    if place.exists() {
        return Ok((FOUND_AT, place));
    }
    println!("\n── schemathesis: getting it for the tests of the gateway");
    // Beside it first: what was begun and not finished is not taken for it.
    let beside = place.with_extension("new");
    let mut pip = Command::new(PYTHON);
    pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--upgrade", "--target"])
        .arg(&beside)
        .arg(format!("schemathesis=={VERSION}"))
        .stdin(Stdio::null());
    let why = match pip.status() {
        Ok(status) if status.success() => match std::fs::rename(&beside, &place) {
            Ok(()) => return Ok((FOUND_AT, place)),
            Err(error) => error.to_string(),
        },
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Err(format!("schemathesis cannot be installed: {why}; repeat it with: {pip:?}"))
}
