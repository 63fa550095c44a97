//! Where a PostgreSQL is, and which schema of which database a store has there.

use std::fmt;

use super::encoding::{decode, encode};
use super::error::{MAX_HOSTS, MAX_NAME_BYTES};
use super::parts::{Endpoints, split};
use super::{AddressError, Endpoint, Login};

/// What the URL of a store in PostgreSQL begins with.
pub(in crate::config) const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];
/// Its port.
const PORT: u16 = 5432;
/// The schema that every database has.
const DEFAULT_SCHEMA: &str = "public";
/// Longest name of a schema, in bytes: as long as PostgreSQL has names, with room for a prefix.
const MAX_SCHEMA_BYTES: usize = 48;

/// `postgres://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/DATABASE[?schema=NAME&sslmode=disable|verify-full]`. Of several
/// hosts, the one that takes writes is meant. Shown without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    login: Option<Login>,
    endpoints: Vec<Endpoint>,
    database: String,
    schema: String,
    is_encrypted: bool,
}

impl PostgresAddress {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`AddressError`], which repeats nothing of it.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let parts = split(url)?;
        parts.is_encrypted(POSTGRES).ok_or(AddressError::Scheme("postgres://"))?;
        let endpoints = parts.endpoints(PORT)?;
        if endpoints.len() > MAX_HOSTS {
            return Err(AddressError::TooManyHosts);
        }
        let database = decode(parts.path)?;
        if database.is_empty() {
            return Err(AddressError::NoDatabase);
        }
        let login = parts.login()?;
        let user_bytes = login.as_ref().map_or(0, |login| login.user.len());
        if database.len().max(user_bytes) > MAX_NAME_BYTES {
            return Err(AddressError::TooLong);
        }
        let [schema, sslmode] =
            parts.words(&["schema", "sslmode"], "there are schema, and sslmode (disable or verify-full)")?;
        let schema = match schema[..] {
            [] => DEFAULT_SCHEMA,
            [name] if is_schema(name) => name,
            _ => {
                let takes = "a name of up to 48 of the letters a-z, digits and _, that begins with a letter";
                return Err(AddressError::Word { name: "schema", takes });
            }
        };
        let is_encrypted = match sslmode[..] {
            [] | ["disable"] => false,
            ["verify-full"] => true,
            // The other modes of PostgreSQL's own library encrypt for whoever pretends to be the server.
            _ => return Err(AddressError::Word { name: "sslmode", takes: "disable or verify-full" }),
        };
        Ok(Self { login, endpoints, database, schema: schema.to_owned(), is_encrypted })
    }

    /// As whom to log in, if not as the user of this process.
    #[must_use]
    pub const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The same place, as somebody else.
    pub(in crate::config) fn log_in(&mut self, login: Login) {
        self.login = Some(login);
    }

    /// Where it is: at least one host, of which one takes writes.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The schema in it: a name that has no quotes in it, and may be a word of SQL, like `order`.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Whether the connection is encrypted, and the server's certificate checked.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether both are the same tables, whoever goes there.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |of: &Self| (of.database.clone(), of.schema.clone());
        place(self) == place(other)
            && self.endpoints.iter().any(|endpoint| other.endpoints.contains(endpoint))
    }
}

fn is_schema(name: &str) -> bool {
    name.len() <= MAX_SCHEMA_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(POSTGRES[0])?;
        if let Some(login) = &self.login {
            write!(f, "{login}")?;
        }
        write!(f, "{}/{}", Endpoints(&self.endpoints), encode(&self.database))?;
        let schema = (self.schema != DEFAULT_SCHEMA).then(|| format!("schema={}", self.schema));
        let sslmode = self.is_encrypted.then(|| "sslmode=verify-full".to_owned());
        let parameters: Vec<String> = [schema, sslmode].into_iter().flatten().collect();
        if parameters.is_empty() { Ok(()) } else { write!(f, "?{}", parameters.join("&")) }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}
