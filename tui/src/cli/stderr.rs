//! What people are told beside the output, on stderr. Programs need none of it.

use std::sync::LazyLock;
use std::time::Duration;

use skstore::terminal::outlet::Outlet;

/// How long a terminal may take to take a sentence. One that takes nothing must not keep a process from ending.
const TOLD_WITHIN: Duration = Duration::from_millis(500);
/// Most bytes that wait for one that takes nothing: some hundred sentences.
const MAX_WAITING_BYTES: usize = 64 * 1024;
/// After this long a person is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way to stderr, if there is a thread for it.
static STDERR: LazyLock<Option<Outlet>> =
    LazyLock::new(|| Outlet::to(std::io::stderr(), "stderr", MAX_WAITING_BYTES).ok());

/// Tells a person something on stderr. Where nobody listens any more, there is nobody to tell that either, and a
/// terminal that takes nothing is not waited for.
pub(super) fn tell(text: &str) {
    if let Some(stderr) = &*STDERR
        && stderr.hand_over(format!("{text}\n").as_bytes()).is_ok()
    {
        stderr.idle_within(TOLD_WITHIN);
    }
}

/// Writes a line that the next one takes the place of, for those who look at a terminal. It is waited for nothing.
pub(super) fn write_over(text: &str) {
    if let Some(stderr) = &*STDERR
        && stderr.is_idle()
    {
        // Where it cannot be written, the next one says more.
        let _ = stderr.hand_over(format!("\r\u{1b}[K{text}").as_bytes());
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
