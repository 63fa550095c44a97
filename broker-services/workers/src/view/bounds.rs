//! How much a view keeps, and how far it looks at once: the same in every adapter.

use std::time::Duration;

/// Events that the feed keeps.
pub const FEED_ENTRIES: usize = 10_000;
/// Orders that a filter without an index looks at in one go, newest first.
pub const SCAN_ORDERS: usize = 10_000;
/// Breaker changes kept for each instance.
pub const BREAKER_HISTORY: usize = 100;

/// Steps kept of one order, the latest. The rules allow it about a dozen; only a broken sender has more.
pub(super) const STEPS_PER_ORDER: usize = 64;

/// Order ids whose payment or steps came before their order. Order goes on taking orders until 100,000 of its
/// events are unsent, so as many may be told of by others first.
pub(super) const WAITING_ORDERS: usize = 100_000;

/// Forgotten orders that are remembered by id, so that a late repetition does not bring them back: more than
/// the messages a consumer has in hand, which is what a lost connection repeats.
pub(super) const FORGOTTEN_IDS: usize = 10_000;

/// An instance that says nothing while the others go on for so long is gone: a minute, 60 beats.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(60);

/// Instances kept, of workers and of breakers each; then the longest silent is forgotten. Far more than run at
/// once; a worker that crashes every second leaves 60 in [`SILENT_FOR`].
pub(super) const INSTANCES: usize = 256;
