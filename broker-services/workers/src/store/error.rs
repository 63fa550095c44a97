//! Why a store does not work.

/// Why the store does not work. All of it is worth a retry with backoff, but for `Url` and `Schema`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It names no store that this program can use.
    #[error("the store URL '{url}' {cause}")]
    Url {
        /// Its scheme.
        url: String,
        /// Why it cannot be used, and what to write instead.
        cause: String,
    },
    /// It cannot be reached, is full, is locked, or failed: the text says which.
    #[error("the store {store} failed: {cause}")]
    Failed {
        /// Its URL, without credentials.
        store: String,
        /// What it said.
        cause: String,
    },
    /// It was written by another version.
    #[error("the store {store} has schema version {found}; this program knows {known}. {remedy}")]
    Schema {
        /// Its URL, without credentials.
        store: String,
        /// What it says.
        found: i64,
        /// What we know.
        known: i64,
        /// What to do.
        remedy: &'static str,
    },
    /// A decision that contradicts itself: a mistake of ours. Nothing was written.
    #[error("a decision on the store {store} contradicts itself: {cause}")]
    Contradiction {
        /// Its URL, without credentials.
        store: String,
        /// What it contradicts.
        cause: String,
    },
}
