//! Finds what the bus has lost of the events that it confirmed, and asks for it by range.
//!
//! Each service tells in its heartbeats how far its log was sent; the view's checkpoints say what of it was applied. What
//! stays missing for [`GAP_AFTER`] is on its way no more, and is asked for page by page, one page of each log at a time. A log
//! that is not the one that was heard, or an older copy of it, is no gap: that part of the view is wrong, and it is rebuilt.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use skstore_domain::checkpoint::{Advance, Checkpoint, Lineage, LogHead};
use skstore_domain::events::Source;
use skstore_domain::signals::Beat;
use skstore_domain::time::Timestamp;
use tokio::time::Instant;

use super::pages::{ASK_AGAIN_AFTER, Page};
use crate::view::{View, ViewError};

/// How often it is looked for gaps: as often as heartbeats tell how far the logs go.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What was sent that long ago and was not applied is lost: many times what an event takes, and soon enough for a person.
const GAP_AFTER: Duration = Duration::from_secs(3);
/// Looks after which a log has told of all that it had when the first of them was made.
const TELLS_WITHIN_LOOKS: usize = 4;

/// What is known of the logs' gaps.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    logs: BTreeMap<Source, Watched>,
    /// When the last heartbeat was sent that each instance was heard by.
    heard: BTreeMap<String, Timestamp>,
    /// The last entries of each log that were applied at the looks before, the newest last.
    applied: BTreeMap<Source, VecDeque<i64>>,
    /// The incarnations that did not seem to be of the logs that are known, when they were heard last.
    suspects: BTreeMap<Source, String>,
}

/// One log.
#[derive(Debug, Default)]
struct Watched {
    /// How far it was to be applied, and since when.
    expected: Option<(i64, Instant)>,
    asked: Option<Gap>,
}

/// Entries that are missing, and when they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) from: i64,
    pub(super) to: i64,
    at: Instant,
}

/// What a look has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These pages are to be asked for.
    Gaps(Vec<(Source, Gap)>),
    /// A log is not the one that was heard; the sentence says which.
    OtherLog(String),
}

impl Gaps {
    /// Looks at what the services tell of their logs, and at what was applied of them.
    ///
    /// # Errors
    /// As [`View::advance`].
    pub(super) async fn look(&mut self, view: &View) -> Result<Found, ViewError> {
        let heads = self.fresh_heads(&view.health().await?.services);
        let checkpoints = view.checkpoints().await?;
        let mut told = Vec::new();
        for (source, heads) in heads {
            match self.judge(source, heads, checkpoints.get(&source)) {
                Ok(heads) => told.extend(heads.into_iter().map(|head| (source, Advance::Told(head)))),
                Err(why) => return Ok(Found::OtherLog(why)),
            }
        }
        view.advance(&told).await?;
        let now = Instant::now();
        let due =
            checkpoints.iter().filter_map(|(source, known)| Some((*source, self.due(*source, known, now)?)));
        Ok(Found::Gaps(due.collect()))
    }

    /// Those of `heads` that go on with what is known of a log. One that does not has to say so at two looks: what came late
    /// says it once.
    ///
    /// # Errors
    /// A sentence that says what the log is instead.
    fn judge(
        &mut self,
        source: Source,
        heads: Vec<LogHead>,
        known: Option<&Checkpoint>,
    ) -> Result<Vec<LogHead>, String> {
        let mut known = known.cloned().ok_or_else(|| format!("nothing is known of the log of {source}"))?;
        let suspected = self.suspects.remove(&source);
        let mut told = Vec::new();
        for head in heads {
            let lineage = known.lineage(&head);
            if lineage == Lineage::Same {
                known = Checkpoint::advanced(Some(&known), &Advance::Told(head.clone())).unwrap_or(known);
                told.push(head);
            } else if suspected.as_ref() == Some(&head.incarnation) {
                return Err(is_other(source, lineage, &head));
            } else {
                self.suspects.insert(source, head.incarnation);
            }
        }
        if let Some(head) = told.last()
            && self.is_beyond(source, &known, head)
        {
            return Err(format!("more is said to be applied of the log of {source} than there is of it"));
        }
        Ok(told)
    }

    /// Whether more was applied some looks ago than there is by now. What was applied since may have been told of meanwhile.
    fn is_beyond(&mut self, source: Source, known: &Checkpoint, head: &LogHead) -> bool {
        let before = self.applied.entry(source).or_default();
        before.push_back(known.applied.last().unwrap_or(0));
        let surplus = before.len().saturating_sub(TELLS_WITHIN_LOOKS);
        before.drain(..surplus);
        before.len() == TELLS_WITHIN_LOOKS && before.front().is_some_and(|applied| *applied > head.last_seq)
    }

    /// What was told of each log since the last look, in its order.
    fn fresh_heads(&mut self, beats: &[Beat]) -> BTreeMap<Source, Vec<LogHead>> {
        let mut fresh: Vec<&Beat> =
            beats.iter().filter(|beat| self.heard.get(&beat.instance) != Some(&beat.at)).collect();
        fresh.sort_by_key(|beat| beat.at);
        let mut heads: BTreeMap<Source, Vec<LogHead>> = BTreeMap::new();
        for beat in fresh {
            if let (Some(source), Some(head)) = (beat.service.source(), &beat.log) {
                heads.entry(source).or_default().push(head.clone());
            }
        }
        self.heard = beats.iter().map(|beat| (beat.instance.clone(), beat.at)).collect();
        heads
    }

    /// What is to be asked for of a log now, if anything is.
    fn due(&mut self, source: Source, known: &Checkpoint, now: Instant) -> Option<Gap> {
        let watched = self.logs.entry(source).or_default();
        if let Some(asked) = &mut watched.asked {
            let is_late = asked.at + ASK_AGAIN_AFTER <= now;
            return is_late.then(|| {
                asked.at = now;
                *asked
            });
        }
        let sent = known.head.as_ref()?.sent_seq;
        let (expected, since) = *watched.expected.get_or_insert((sent, now));
        match known.applied.first_missing(expected) {
            None => {
                watched.expected = Some((sent, now));
                None
            }
            Some((from, to)) if since + GAP_AFTER <= now => {
                tracing::info!(%source, from, to, "entries of a log did not come; they are asked for");
                watched.ask(from, to, now)
            }
            Some(_) => None,
        }
    }

    /// So much is on its way that nothing can be said to be missing.
    pub(super) fn wait(&mut self) {
        self.logs.values_mut().for_each(|log| log.expected = None);
    }

    /// What was asked for is no question any more.
    pub(super) fn forget(&mut self) {
        self.logs.clear();
        self.applied.clear();
    }

    /// The open question of a log.
    pub(super) fn open(&self, source: Source) -> Option<Gap> {
        self.logs.get(&source)?.asked
    }

    /// A page of `source` was applied. What is to be asked for next, if more of it is missing.
    pub(super) fn applied(&mut self, source: Source, page: &Page, known: Option<&Checkpoint>) -> Option<Gap> {
        let watched = self.logs.get_mut(&source)?;
        let asked = watched.asked.take()?;
        let now = Instant::now();
        if page.last < asked.to && page.goes_on {
            return watched.ask(page.last + 1, asked.to, now);
        }
        if page.newest < asked.to {
            // Whoever told of more was wrong.
            watched.expected = None;
        }
        let (expected, _) = watched.expected?;
        let (from, to) = known?.applied.first_missing(expected)?;
        // Where a page says nothing of what was asked for, asking at once would go round in a circle.
        if from <= asked.from {
            return None;
        }
        watched.ask(from, to, now)
    }
}

impl Watched {
    fn ask(&mut self, from: i64, to: i64, at: Instant) -> Option<Gap> {
        self.asked = Some(Gap { from, to, at });
        self.asked
    }
}

/// What a person is told of a log that is not the one that was heard.
fn is_other(source: Source, lineage: Lineage, head: &LogHead) -> String {
    match lineage {
        Lineage::Same | Lineage::Replaced => format!("{source} has another store than before"),
        Lineage::RolledBack => format!(
            "the store of {source} is an older copy of what it was: it goes on after entry {}, and more was heard of it before",
            head.since_seq - 1
        ),
    }
}
