//! Whether there is something in the log that this process has not put there.
//!
//! Who commits without relaying notifies all who listen. A notification may be lost with a connection, so the newest number
//! is asked for as well, seldom; and since numbers are without a gap, the own ones tell when others came in between.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// How long a notification that is lost can go unnoticed.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// What is known of others' commits.
#[derive(Debug)]
pub(super) struct News {
    /// By which the own notifications are known.
    own_name: String,
    /// Others may have committed something whose number is not known.
    has_come: Cell<bool>,
    /// The newest number that others have told, by the task of a connection.
    told_seq: Arc<AtomicI64>,
    /// The newest number that was seen.
    last_seq: Cell<Option<i64>>,
    asked_at: Cell<Option<Instant>>,
}

impl News {
    /// Nothing is known yet.
    pub(super) fn new() -> Self {
        Self {
            own_name: Uuid::now_v7().simple().to_string(),
            has_come: Cell::new(true),
            told_seq: Arc::default(),
            last_seq: Cell::default(),
            asked_at: Cell::default(),
        }
    }

    /// What the own notifications begin with; a blank and the newest number follow.
    pub(super) fn own_name(&self) -> &str {
        &self.own_name
    }

    /// What a connection does with a notification.
    pub(super) fn listener(&self) -> impl Fn(&str) + Send + 'static {
        let (own_name, told_seq) = (self.own_name.clone(), Arc::clone(&self.told_seq));
        move |said| {
            let (name, seq) = said.split_once(' ').unwrap_or((said, ""));
            if name != own_name {
                told_seq.fetch_max(seq.parse().unwrap_or(0), Ordering::Relaxed);
            }
        }
    }

    /// With a connection, what was told on it may be lost, and what was committed on it is not known.
    pub(super) fn begin_anew(&self) {
        self.has_come.set(true);
        self.told_seq.store(0, Ordering::Relaxed);
        self.last_seq.set(None);
    }

    /// Whether the newest number is to be asked for.
    pub(super) fn is_to_be_asked_for(&self) -> bool {
        self.last_seq.get().is_none() || self.asked_at.get().is_none_or(|at| at.elapsed() >= ASKED_EVERY)
    }

    /// It is `last_seq`, unless an own commit was faster than the answer.
    pub(super) fn asked(&self, last_seq: i64) {
        self.asked_at.set(Some(Instant::now()));
        if self.last_seq.get().is_none_or(|known| known < last_seq) {
            self.last_seq.set(Some(last_seq));
            self.has_come.set(true);
        }
    }

    /// The events of an own commit come right after all that was seen, or after others' as well.
    /// They are the numbers from `first` to `last`.
    pub(super) fn own_commit(&self, (first, last): (i64, i64)) {
        if self.last_seq.replace(Some(last)).is_none_or(|known| known + 1 != first) {
            self.has_come.set(true);
        }
    }

    /// Whether others may have committed since this was asked last.
    pub(super) fn take(&self) -> bool {
        let told = self.told_seq.load(Ordering::Relaxed);
        let is_told = self.last_seq.get().is_some_and(|known| known < told);
        if is_told {
            self.last_seq.set(Some(told));
        }
        self.has_come.take() || is_told
    }
}
