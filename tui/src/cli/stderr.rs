//! What people are told beside the output, on stderr. Programs need none of it.

use std::io::Write;
use std::time::Duration;

/// How long a terminal may take to take a sentence. One that takes nothing must not keep a process from ending.
const TOLD_WITHIN: Duration = Duration::from_millis(500);
/// After this long a person is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells a person something on stderr. Where nobody listens any more, there is nobody to tell that either, and a
/// terminal that takes nothing is not waited for.
pub(super) fn tell(text: &str) {
    let line = format!("{text}\n");
    let (done, told) = std::sync::mpsc::channel();
    let teller = std::thread::Builder::new().spawn(move || {
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = done.send(());
    });
    if teller.is_ok() {
        let _ = told.recv_timeout(TOLD_WITHIN);
    }
}

/// Waits for `done`, at most for `limit`, and tells people on stderr what for if it takes longer.
pub(super) async fn patiently<T>(limit: Duration, what: &str, done: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(done);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut done).await {
        return Some(done);
    }
    tell(&format!("skstore: waiting: {what} …"));
    tokio::time::timeout(limit.saturating_sub(PATIENCE), done).await.ok()
}
