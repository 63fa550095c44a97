//! Why a URL of a broker, a Redis, a PostgreSQL or a management API cannot be used, and the bounds that it may break.

/// Most hosts of one broker: a cluster has three, five or seven.
pub(super) const MAX_HOSTS: usize = 16;
/// Longest name of a user or of a virtual host, in bytes: an AMQP short string.
pub(in crate::config) const MAX_NAME_BYTES: usize = 255;

/// Why a URL is none that can be used. Each is a sentence that goes on after the name of the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with something else.
    #[error("must begin with {0}")]
    Scheme(&'static str),
    /// It cannot be told where the user, the password and the host end.
    #[error(
        "cannot be read: user, password and virtual host must be percent-encoded in it ('%' as %25, '@' as %40, \
         ':' as %3A, '/' as %2F, '?' as %3F, '#' as %23, '[' as %5B, ']' as %5D, a blank as %20)"
    )]
    Unencoded,
    /// Bytes that are no text.
    #[error("has a user, a password or a virtual host that is no UTF-8 text once it is percent-decoded")]
    NoText,
    /// A user or a virtual host that no protocol can carry.
    #[error("has a user or a virtual host of more than {MAX_NAME_BYTES} bytes")]
    TooLong,
    /// A user without a password.
    #[error("names a user without a password; write USER:PASSWORD@, or leave out both")]
    NoPassword,
    /// No host where one has to be.
    #[error("names no host, or one that is no name and no address; write HOST:PORT")]
    NoHost,
    /// An address of version 6 without brackets, or with brackets that hold something else.
    #[error("has an IPv6 address that must be in brackets, like [2001:db8::1]:PORT, without a zone")]
    Brackets,
    /// No port.
    #[error("has a port that is no number from 1 to 65535")]
    Port,
    /// More than one Redis.
    #[error(
        "names several hosts, but a view is in one Redis; name the one that takes writes, or Sentinels that know which \
         one it is (redis+sentinel://HOST,HOST/NAME)"
    )]
    SeveralHosts,
    /// Sentinels that are not told whom they are asked for.
    #[error("does not say by which name the Sentinels know the Redis; write redis+sentinel://HOST,HOST/NAME")]
    NoSentinelName,
    /// More hosts than any cluster has.
    #[error("names more than {MAX_HOSTS} hosts")]
    TooManyHosts,
    /// A path that is no database.
    #[error("has a path that is no number of a database; write /0, or leave it out")]
    Database,
    /// A PostgreSQL without a database.
    #[error("names no database; write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    NoDatabase,
    /// A parameter behind `?` that there is not.
    #[error("has {0} that is not known here; {1}")]
    Parameter(String, &'static str),
    /// A parameter behind `?` that is none of the words it can be.
    #[error("has a parameter '{name}' that must be given once, as {takes}")]
    Word {
        /// The part of the query.
        name: &'static str,
        /// What it can be.
        takes: &'static str,
    },
    /// A parameter behind `?` with another value than it can have.
    #[error("has a parameter '{name}' that must be given once, as a number from {min} to {max}")]
    Value {
        /// The part of the query.
        name: &'static str,
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
}
