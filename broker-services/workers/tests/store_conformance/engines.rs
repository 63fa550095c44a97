//! The engines under test.

use std::path::PathBuf;

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

    async fn pretend_schema_version(&self, version: i64) {
        let file = rusqlite::Connection::open(self.path()).unwrap();
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'schema_version'";
        assert_eq!(file.execute(sql, [version.to_string()]).unwrap(), 1, "meta names no schema version");
    }
}
