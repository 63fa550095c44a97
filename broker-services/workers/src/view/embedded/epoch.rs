//! Which rebuild has told an object, and what is removed for want of that.

/// Rebuilds begun since the view was made. What carries the number of the current one was told since.
pub(super) type Epoch = u32;

/// Beside the number of a rebuild: only older revisions than the object's own were told in it. The object's own is told by
/// the end of a log, unless nobody ever told it. No view sees two billion rebuilds.
const DISPUTED: Epoch = 1 << 31;

/// A revision older than the object's own was told, which carries `named`.
pub(super) const fn dispute(named: &mut Epoch, epoch: Epoch, rebuilding: bool) {
    if rebuilding && *named != epoch {
        *named = epoch | DISPUTED;
    }
}

/// What a sweep has removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) any: bool,
    /// Whether it kept out what a log has.
    pub(super) disputed: bool,
}

impl Removed {
    /// An object that carries `named`.
    pub(super) fn add(&mut self, named: Epoch, epoch: Epoch) {
        self.any = true;
        self.disputed |= named == epoch | DISPUTED;
    }
}
