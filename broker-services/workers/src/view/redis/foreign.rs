//! What somebody else wrote under the view's keys: found, named, and removed where that is asked for.
//!
//! A value of another type stops every script that comes across it, and Redis does not say under which key. So whatever
//! fails because of what it found is explained by looking at the types of all keys of the view, and at the values that
//! all others depend on.

use std::sync::LazyLock;

use redis::Script;
use tokio::time::Instant;

use super::link::{Failed, Link, script_call};
use crate::view::ViewError;

/// Keys looked at in one script: a millisecond or two.
const LOOK_AT_ONCE: usize = 1000;
/// How long is looked for what is in the way before it is told without its name: a caller waits for the sentence.
const EXPLAIN_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

static FOREIGN: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("pattern.lua"), include_str!("foreign.lua"))));

/// A key, what it holds, and what the view keeps there: types, or values in words.
type Foreign = (String, String, String);

/// Removes whatever the view does not keep under its keys. How many there were. Looks at all keys of the
/// database, in pieces.
pub(super) async fn clear(link: &Link, prefix: &str) -> Result<usize, ViewError> {
    let (mut cursor, mut cleared) = (String::new(), 0);
    while cursor != END {
        let found;
        (cursor, found) = look(link, prefix, &cursor, true).await?;
        for (key, is, must) in &found {
            tracing::warn!(key, is, must, "removed what somebody else wrote under a key of the view");
        }
        cleared += found.len();
    }
    Ok(cleared)
}

/// Says which key is in the way.
pub(super) async fn explain(link: &Link, prefix: &str, error: &str) -> ViewError {
    let place = link.server().place();
    let remedy = "`skstore view rebuild` replaces it";
    ViewError::Foreign(match first(link, prefix).await {
        Some((key, is, must)) => format!(
            "the key '{key}' in Redis at {place} holds {}, where the view keeps a {}: somebody else wrote it; {remedy}",
            is_in_words(&is),
            in_words(&must)
        ),
        None => format!("Redis at {place} holds what the view did not write ({error}); {remedy}"),
    })
}

async fn first(link: &Link, prefix: &str) -> Option<Foreign> {
    let (mut cursor, began) = (String::new(), Instant::now());
    while cursor != END && began.elapsed() < EXPLAIN_WITHIN {
        let found;
        (cursor, found) = look(link, prefix, &cursor, false).await.ok()?;
        if let Some(first) = found.into_iter().next() {
            return Some(first);
        }
    }
    None
}

/// Where a look goes on when all was looked at.
const END: &str = "0";

async fn look(
    link: &Link,
    prefix: &str,
    cursor: &str,
    remove: bool,
) -> Result<(String, Vec<Foreign>), ViewError> {
    let mut call = script_call(&FOREIGN, prefix);
    call.arg(cursor).arg(LOOK_AT_ONCE).arg(u8::from(remove));
    // Whatever is under the keys, their types can be asked for: an error here is one of the connection.
    link.run(&FOREIGN, &call).await.map_err(|failed| match failed {
        Failed::Lost(why) | Failed::Contents(why) => ViewError::Lost(why),
    })
}

/// A type with its article; a value stands in quotes.
fn is_in_words(is: &str) -> String {
    if is.starts_with('\'') { is.to_owned() } else { format!("a {}", in_words(is)) }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "zset" => "sorted set",
        other => other,
    }
}
