//! Which stores were put back to an older copy of themselves: as they know it, or as the view remembers it. A store that was
//! is in order by itself; what the others know of it beyond that it has forgotten.

use std::collections::BTreeMap;

use skstore_domain::checkpoint::{Checkpoint, Former};
use skstore_domain::events::Source;

use super::report::AuditError;
use super::sources::Sources;
use super::tables::Stores;

/// What is known of each that was.
#[derive(Debug, Default)]
pub(super) struct Restored(BTreeMap<Source, String>);

impl Restored {
    /// What the stores say of themselves, and what the view has noticed.
    pub(super) async fn find(sources: &Sources, stores: &Stores) -> Result<Self, AuditError> {
        let checkpoints = match &sources.view {
            Some(view) => view.checkpoints().await?,
            None => BTreeMap::new(),
        };
        let mut found = BTreeMap::new();
        for source in Source::ALL {
            let tables = stores.of(*source);
            let copied_at = tables.meta("restored_from")?;
            let how = match (copied_at, checkpoints.get(source).and_then(|known| known.former.as_ref())) {
                (Some(copied_at), _) => {
                    let seq = tables.meta("restored_seq")?.unwrap_or_default();
                    Some(format!("{source}: put back to a copy of {copied_at}, up to its entry {seq}"))
                }
                (None, Some(former)) => Some(noticed(*source, former, checkpoints.get(source))),
                (None, None) => None,
            };
            found.extend(how.map(|how| (*source, how)));
        }
        Ok(Self(found))
    }

    /// Whether one of these was.
    pub(super) fn is_any_of(&self, sources: &[Source]) -> bool {
        sources.iter().any(|source| self.0.contains_key(source))
    }

    /// A sentence for each.
    pub(super) fn sentences(self) -> Vec<String> {
        self.0.into_values().collect()
    }
}

fn noticed(source: Source, former: &Former, known: Option<&Checkpoint>) -> String {
    let Former { store, last_seq, until_seq } = former;
    if known.is_some_and(|known| known.store != *store) {
        return format!("{source}: another store took the place of one with {last_seq} entries");
    }
    format!("{source}: put back to an older copy; its entries {until_seq} to {last_seq} are others now")
}
