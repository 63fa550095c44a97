//! The headers of ours: which entries of a log a message of events carries, and what a message is parked with beside those
//! that it came with.

/// The header that says from whose store events are, as [`LogHead::store`](skstore_domain::checkpoint::LogHead) has it.
pub(crate) const STORE: &str = "store";
/// The header that says which incarnation of it has sent them.
pub(crate) const INCARNATION: &str = "incarnation";
/// The header that says which entries of that store's log a message of events stands for, as
/// [`Seqs`](skstore_domain::checkpoint::Seqs) writes them.
pub(crate) const SEQS: &str = "seqs";

/// The header that says that the events of a message are told again because their orders wait, and for how many times. One
/// that only comes again, or that answers such a one, has none.
pub(crate) const TOLD_AGAIN: &str = "told_again";

/// The header that names a parked message.
pub(crate) const PARKED_ID: &str = "parked_id";
/// The header that says after how many bytes the body of a message was cut off: it is longer than any in its queue may be,
/// and no more of it was read.
pub(crate) const BODY_CUT_AT: &str = "body_cut_at";
/// The header that says when a message was parked, RFC 3339 with milliseconds, in UTC: as text, it sorts by time.
pub(crate) const PARKED_AT: &str = "at";
/// The header that says within how many milliseconds the message was to be delivered: parked, it must not expire.
pub(crate) const SENT_EXPIRATION: &str = "sent_expiration_ms";
/// The header that says with which priority it was sent: parked, it waits in its turn.
pub(crate) const SENT_PRIORITY: &str = "sent_priority";
/// The header that says what is known of the effects of a parked message.
pub(crate) const PARKED_CODE: &str = "parked_code";
