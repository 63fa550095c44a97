//! The environment of this process, as it was handed over.

use std::ffi::OsString;

/// The locale for messages, by the rules of POSIX: the first of these that is not empty.
pub(super) fn locale(environment: &[(OsString, OsString)]) -> String {
    let of = |name: &str| variable(environment, name).filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(of).unwrap_or_default()
}

/// A variable of the environment, as text.
pub(super) fn variable(environment: &[(OsString, OsString)], name: &str) -> Option<String> {
    let found = environment.iter().find(|(variable, _)| variable == name);
    found.map(|(_, value)| value.to_string_lossy().into_owned())
}
