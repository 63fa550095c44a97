//! What a message about an order does that may have come before. Events are told again until their order is at rest:
//! who has recorded one says again what became of it, since that may be what was lost.

/// What becomes of such a message: a change `C`, or an event of kind `K` that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard<C, K> {
    /// It does something.
    Changes(C),
    /// It came before, and its order does not know yet what became of it: the newest event of this kind says so again.
    Again(K),
    /// It came before, and its order knows what became of it.
    Known,
}

impl<C, K> Heard<C, K> {
    /// What it changes.
    pub fn changes(self) -> Option<C> {
        match self {
            Self::Changes(change) => Some(change),
            Self::Again(_) | Self::Known => None,
        }
    }
}
