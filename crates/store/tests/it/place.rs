//! A database for one test, gone with it, and what tests do to it behind the store's back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::any::{AnyRow, install_default_drivers};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::id::AppId;
use taa_core::key::KeySize;
use taa_core::time::{Clock, ManualClock, UnixMillis};
use taa_store::model::{Actor, NewIdentity};
use taa_store::seal::SealKey;
use taa_store::{OpenOptions, Store, StoreError};

/// When tests begin.
pub(crate) const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// A database, a clock that stands, and a way to open stores on it.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) clock: Arc<ManualClock>,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "dropping it drops the schema"))]
    held: Held,
}

enum Held {
    #[cfg(feature = "sqlite")]
    Folder(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    #[allow(dead_code, reason = "dropping it drops the schema")]
    Schema(Schema),
}

impl Place {
    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a store?#%.db").display());
        Self {
            url: url.replace('?', "-"),
            clock: Arc::new(ManualClock::new(START)),
            held: Held::Folder(folder),
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var_os("TAA_TEST_POSTGRES").map(|url| url.into_string().unwrap());
        let server = server.unwrap_or_else(|| "postgres://root@127.0.0.1:5432/test".into());
        let schema = Schema { name: format!("taa_test_{}", unique()), server };
        run(&schema.server, &format!("CREATE SCHEMA {}", schema.name)).await.unwrap();
        let separator = if schema.server.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}options=-csearch_path%3D{}", schema.server, schema.name);
        Self { url, clock: Arc::new(ManualClock::new(START)), held: Held::Schema(schema) }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The folder of the file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        match &self.held {
            Held::Folder(folder) => Some(folder.path()),
            #[cfg(feature = "postgres")]
            Held::Schema(_) => None,
        }
    }

    pub(crate) fn options(&self) -> OpenOptions {
        let clock: Arc<dyn Clock> = self.clock.clone();
        OpenOptions::new(self.url.parse().unwrap(), provider()).clock(clock)
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.options()).await.unwrap()
    }

    pub(crate) async fn open_sealed(&self, seal: SealKey) -> Result<Store, StoreError> {
        Store::open(self.options().seal(seal)).await
    }

    /// A store with an identity, `own:1`.
    pub(crate) async fn initialised(&self) -> Store {
        let store = self.open().await;
        store.init(own_identity(), &admin()).await.unwrap();
        store
    }

    /// Statements of somebody who goes past the store.
    pub(crate) async fn sql(&self, statements: &str) {
        run(&self.driver_url(), statements).await.unwrap();
    }

    /// What an attacker with the database's password does first.
    pub(crate) async fn drop_triggers(&self) {
        let table = if self.is_sqlite() { "" } else { " ON taa_audit" };
        for trigger in ["taa_audit_keeps", "taa_audit_stays"] {
            self.sql(&format!("DROP TRIGGER IF EXISTS {trigger}{table}")).await;
        }
    }

    /// Makes a copy of everything in the store.
    pub(crate) async fn copy(&self) {
        for table in TABLES {
            self.sql(&format!("CREATE TABLE copy_{table} AS SELECT * FROM {table}")).await;
        }
    }

    /// Puts the copy in the store's place, as whoever restores a backup, or makes a replica that is behind the primary.
    pub(crate) async fn put_back(&self) {
        self.drop_triggers().await;
        let tables: String = TABLES
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM copy_{table}; "))
            .concat();
        self.sql(&format!("BEGIN; {tables} COMMIT")).await;
    }

    pub(crate) async fn try_sql(&self, statements: &str) -> Result<(), sqlx::Error> {
        run(&self.driver_url(), statements).await
    }

    pub(crate) async fn rows(&self, query: &str) -> Vec<AnyRow> {
        let mut connection = self.connect().await;
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        use sqlx::Row;
        self.rows(&format!("SELECT count(*) AS n FROM {table}")).await[0].get("n")
    }

    pub(crate) async fn connect(&self) -> AnyConnection {
        install_default_drivers();
        AnyConnection::connect(&self.driver_url()).await.unwrap()
    }

    /// The driver takes the path for escaped.
    fn driver_url(&self) -> String {
        if !self.is_sqlite() {
            return self.url.clone();
        }
        format!("{}?mode=rwc", self.url.replace('%', "%25").replace('#', "%23"))
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.wall().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

const TABLES: [&str; 10] = [
    "taa_state",
    "taa_own",
    "taa_own_keys",
    "taa_applications",
    "taa_servers",
    "taa_peer_keys",
    "taa_revoked_keys",
    "taa_revoked_users",
    "taa_marks",
    "taa_audit",
];

#[cfg(feature = "postgres")]
struct Schema {
    name: String,
    server: String,
}

#[cfg(feature = "postgres")]
impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let server = self.server.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, &drop))
        });
        if !std::thread::panicking() {
            dropped.join().unwrap().unwrap();
        }
    }
}

async fn run(url: &str, statements: &str) -> Result<(), sqlx::Error> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    let outcome = connection.execute(AssertSqlSafe(statements)).await.map(drop);
    connection.close().await?;
    outcome
}

/// Different for each call and for each process.
#[allow(dead_code, reason = "for PostgreSQL")]
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn provider() -> Arc<dyn CryptoProvider> {
    Arc::new(AwsLc)
}

pub(crate) fn admin() -> Actor {
    Actor::new("admin")
}

pub(crate) fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

pub(crate) fn own_identity() -> NewIdentity {
    NewIdentity {
        id: id("own:1"),
        name: "Own".into(),
        base_url: "https://own.example/app".parse().unwrap(),
        key_size: KeySize::Rsa2048,
    }
}
