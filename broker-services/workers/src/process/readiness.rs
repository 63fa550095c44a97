//! Whether the workers of a process take work, and its view is complete.

use std::sync::Arc;
use std::time::Duration;

use crate::context::WorkerStatus;

/// How often it is looked whether all workers are up. Nothing depends on it but how soon that is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Whether all is ready. Clones look at the same workers.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    workers: Vec<Arc<WorkerStatus>>,
    has_stopped: bool,
}

impl Readiness {
    /// Of `workers`; `has_stopped` says that some are told not to work, so that the view may never be complete.
    pub(super) const fn of(workers: Vec<Arc<WorkerStatus>>, has_stopped: bool) -> Self {
        Self { workers, has_stopped }
    }

    /// Waits until all workers take work, and the view is complete: as far as it can be, where a worker is told
    /// not to work.
    pub(crate) async fn ready(&self) {
        let is_complete = |status: &WorkerStatus| self.has_stopped || status.rebuilding().is_none();
        let is_ready = |status: &Arc<WorkerStatus>| status.is_serving() && is_complete(status);
        let mut look = tokio::time::interval(LOOK_EVERY);
        while !self.workers.iter().all(is_ready) {
            look.tick().await;
        }
    }
}
