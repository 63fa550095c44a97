//! The engines under test.

use std::path::PathBuf;

use skstore_workers::config::StoreUrl;
use skstore_workers::store::Store;
use skstore_workers::store::sqlite::SqliteStore;
use tempfile::TempDir;

/// A store of its own for one test, empty at first.
pub(crate) trait Engine {
    /// Opens it, again if it was open already.
    async fn open(&self) -> Store;
}

/// An engine whose stores can be opened by several processes.
pub(crate) trait Shared: Engine {
    /// For `Store::open`.
    fn url(&self) -> String;

    /// The same.
    fn place(&self) -> StoreUrl {
        StoreUrl::try_from(self.url()).expect("a URL")
    }

    /// Runs `sql` in it, as somebody else would.
    async fn spoil(&self, sql: &str);

    /// Makes the closed store look as if a program with this schema version had written it.
    async fn pretend_schema_version(&self, version: i64);
}

/// Runs a test on a thread of its own, as a service does.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

pub(crate) struct SqliteMemory(Store);

impl SqliteMemory {
    pub(crate) fn start() -> Self {
        Self(Store::Sqlite(SqliteStore::in_memory().unwrap()))
    }
}

impl Engine for SqliteMemory {
    async fn open(&self) -> Store {
        self.0.clone()
    }
}

pub(crate) struct SqliteFile(TempDir);

impl SqliteFile {
    pub(crate) fn start() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("new directory/and another/order.db")
    }
}

impl Engine for SqliteFile {
    async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }
}

impl Shared for SqliteFile {
    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    async fn spoil(&self, sql: &str) {
        rusqlite::Connection::open(self.path()).unwrap().execute_batch(sql).expect(sql);
    }

    async fn pretend_schema_version(&self, version: i64) {
        let file = rusqlite::Connection::open(self.path()).unwrap();
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'schema_version'";
        assert_eq!(file.execute(sql, [version.to_string()]).unwrap(), 1, "meta names no schema version");
    }
}

/// A schema of its own in the PostgreSQL that `SKSTORE_TEST_POSTGRES_URL` names.
#[cfg(feature = "servers")]
pub(crate) struct Postgres {
    url: String,
    schema: String,
}

#[cfg(feature = "servers")]
impl Postgres {
    pub(crate) fn start() -> Self {
        let server = std::env::var("SKSTORE_TEST_POSTGRES_URL").expect(
            "SKSTORE_TEST_POSTGRES_URL must name a PostgreSQL for tests, such as \
             postgres://desk:desk@127.0.0.1:5432/postgres; `cargo xtask test` starts one",
        );
        // Every run finds the schemas of those before it.
        // It may be a word of SQL, and begins as one.
        let schema = format!("order_{}", uuid::Uuid::now_v7().simple());
        Self { url: format!("{server}?schema={schema}"), schema }
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// Its host and port.
    pub(crate) fn server(&self) -> String {
        let (_, rest) = self.url.split_once('@').expect("a user");
        rest.split_once('/').expect("a database").0.to_owned()
    }

    /// The same store, by another port of this machine.
    pub(crate) fn url_at(&self, port: u16) -> String {
        self.url.replace(&self.server(), &format!("127.0.0.1:{port}"))
    }

    /// Makes a database that takes no writes; its name.
    pub(crate) fn a_read_only_database(&self) -> String {
        let name = format!("ro_{}", self.schema);
        block_on(async {
            self.spoil(&format!("CREATE DATABASE {name}")).await;
            self.spoil(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
        });
        name
    }
}

#[cfg(feature = "servers")]
impl Engine for Postgres {
    async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }
}

#[cfg(feature = "servers")]
impl Shared for Postgres {
    fn url(&self) -> String {
        self.url.clone()
    }

    async fn spoil(&self, sql: &str) {
        let (server, _) = self.url.split_once('?').expect("a schema");
        let (client, connection) =
            tokio_postgres::connect(server, tokio_postgres::NoTls).await.expect("a PostgreSQL");
        let driven = tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {}", self.schema)).await.expect("a schema");
        client.batch_execute(sql).await.expect(sql);
        drop(client);
        driven.await.expect("a connection").expect("a good end of it");
    }

    async fn pretend_schema_version(&self, version: i64) {
        self.spoil(&format!("UPDATE meta SET value = '{version}' WHERE key = 'schema_version'")).await;
    }
}
