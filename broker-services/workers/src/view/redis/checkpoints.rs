//! How much of each log was applied, in one hash. Several processes apply: each puts its own on what is there, unless somebody
//! was faster, so that what one of them says is in no other's way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use skstore_domain::checkpoint::{Advance, Checkpoint};
use skstore_domain::events::Source;

use super::link::script_call;
use super::{ADVANCE, RedisView};
use crate::view::{Checkpoints, ViewError};

/// Each checkpoint as it stands in Redis.
type Texts = BTreeMap<Source, String>;

impl RedisView {
    pub(in crate::view) async fn advance(&self, advances: &[(Source, Advance)]) -> Result<(), ViewError> {
        let mut known = self.last_known().clone();
        loop {
            let next = advanced(&known, advances);
            let mut call = script_call(&ADVANCE, &self.prefix);
            let named: BTreeSet<Source> = advances.iter().map(|(source, _)| *source).collect();
            // Also those that stay what they are: by what was known here, which may be old.
            for source in named {
                let before = known.get(&source).map_or("", String::as_str);
                call.arg(source.word()).arg(before).arg(next.get(&source).map_or(before, String::as_str));
            }
            let is_taken: Option<u8> = self.run(&ADVANCE, &call).await?;
            if is_taken.ok_or(ViewError::Empty)? > 0 {
                known.extend(next);
                *self.last_known() = known;
                return Ok(());
            }
            known = self.texts().await?;
        }
    }

    pub(in crate::view) async fn checkpoints(&self) -> Result<Checkpoints, ViewError> {
        let texts = self.texts().await?;
        let begun =
            |(source, text): (&Source, &String)| Some((*source, read(text).filter(Checkpoint::is_begun)?));
        Ok(texts.iter().filter_map(begun).collect())
    }

    async fn texts(&self) -> Result<Texts, ViewError> {
        let mut get = redis::cmd("HGETALL");
        get.arg(self.key("logs", ""));
        let texts: BTreeMap<String, String> = self.query(&get).await?;
        Ok(texts.into_iter().filter_map(|(word, text)| Some((Source::from_word(&word)?, text))).collect())
    }

    fn last_known(&self) -> MutexGuard<'_, Texts> {
        self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of those that advance.
fn advanced(known: &Texts, advances: &[(Source, Advance)]) -> Texts {
    let mut next = Checkpoints::new();
    for (source, by) in advances {
        let before = next.get(source).cloned().or_else(|| read(known.get(source)?));
        next.extend(Checkpoint::advanced(before.as_ref(), by).map(|next| (*source, next)));
    }
    let text = |(source, next)| Some((source, serde_json::to_string(&next).ok()?));
    next.into_iter().filter_map(text).collect()
}

/// One that cannot be read is none: a rebuild makes it anew.
fn read(text: &str) -> Option<Checkpoint> {
    serde_json::from_str(text).ok()
}
