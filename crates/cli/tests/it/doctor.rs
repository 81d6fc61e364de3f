//! `doctor`.

use crate::home::Home;

fn level(report: &serde_json::Value, about: &str) -> Option<String> {
    let mut findings = report["findings"].as_array().unwrap().iter();
    let finding = findings.find(|finding| finding["about"] == about)?;
    Some(finding["level"].as_str().unwrap().to_owned())
}

#[test]
fn all_is_well() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--both", "--never-as", "admin"]);
    let report = tracker.taa(&["doctor", "--json"]).fine().json();
    assert_eq!(report["bad"], 0, "{report:#}");
    for about in [
        "store file",
        "store",
        "own identity",
        "own signing key",
        "own decryption key",
        "own certificate as served",
        "application wiki:1",
        "server wiki:1",
        "certificate of wiki:1",
        "clock of wiki:1",
        "nodes",
        "audit trail",
    ] {
        assert_eq!(level(&report, about).as_deref(), Some("ok"), "{about}: {report:#}");
    }
    assert_eq!(level(&report, "private keys").as_deref(), Some("warn"));
    tracker.taa(&["doctor"]).fine().says(&[
        "ok    own identity",
        "warn  private keys",
        "taa key reseal",
        "0 bad",
    ]);
}

#[test]
fn what_is_wrong() {
    let home = Home::empty();
    let report = home.taa(&["doctor", "--json"]).ends(3).json();
    assert_eq!(level(&report, "store").as_deref(), Some("bad"));
    assert!(!home.path("taa.db").exists());

    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--both"]);
    wiki.taa(&["key", "rotate", "--purpose", "signing"]).fine();
    wiki.serve();
    let report = tracker.taa(&["doctor", "--json"]).fine().json();
    assert_eq!(level(&report, "certificate of wiki:1").as_deref(), Some("warn"), "{report:#}");
    assert_eq!(level(&report, "application wiki:1").as_deref(), Some("warn"), "as every user");

    let key = wiki.key("signing", "current").unwrap();
    wiki.taa(&["key", "revoke", &key, "--yes"]).fine();
    tracker.taa(&["trust", "set", "wiki:1", "--never-as", "admin"]).fine();
    let gone = wiki.key("signing", "current").unwrap();
    wiki.taa(&["key", "revoke", &gone, "--yes"]).fine();
    wiki.serve();
    let report = tracker.taa(&["doctor", "--json"]).ends(3).json();
    assert_eq!(level(&report, "certificate of wiki:1").as_deref(), Some("bad"), "{report:#}");
    tracker.taa(&["doctor"]).ends(3).says(&["bad   certificate of wiki:1", "--compare"]);

    wiki.serve_document(None);
    let report = tracker.taa(&["doctor", "--json"]).fine().json();
    assert_eq!(level(&report, "certificate of wiki:1").as_deref(), Some("warn"));
    let report = tracker.taa(&["doctor", "--offline", "--json"]).fine().json();
    assert_eq!(level(&report, "certificate of wiki:1"), None);

    tracker.serve_document(Some(&wiki.taa(&["certificate", "show", "--document"]).fine().stdout));
    let report = tracker.taa(&["doctor", "--json"]).ends(3).json();
    assert_eq!(level(&report, "own certificate as served").as_deref(), Some("bad"));
    let nothing = tracker.taa(&["doctor", "--offline", "--json", "--nonces", "redis://127.0.0.1:1/"]).ends(3);
    assert_eq!(level(&nothing.json(), "nonces in Redis").as_deref(), Some("bad"));
    let secret = tracker.taa(&["doctor", "--offline", "--nonces", "redis://:secret@127.0.0.1:1:1/"]).ends(3);
    assert!(!secret.stdout.contains("secret") && !secret.stderr.contains("secret"), "{secret:?}");
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::of("wiki:1");
    std::fs::set_permissions(home.path("taa.db"), PermissionsExt::from_mode(0o644)).unwrap();
    let report = home.taa(&["doctor", "--offline", "--json"]).fine().json();
    assert_eq!(level(&report, "store file").as_deref(), Some("warn"));
}

#[cfg(feature = "redis")]
#[test]
#[ignore = "needs Redis"]
fn nonces_in_redis() {
    let id = format!("wiki:{}", std::process::id());
    let home = Home::of(&id);
    let url = std::env::var_os("TAA_TEST_REDIS")
        .map_or_else(|| "redis://127.0.0.1:6379/".to_owned(), |url| url.into_string().unwrap());
    let look = || {
        let report = home.taa(&["doctor", "--offline", "--json", "--nonces", &url]).json();
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|found| found["about"] == "nonces in Redis").unwrap();
        let found = found["found"].as_str().unwrap();
        assert!(found.contains("noeviction") || found.contains("maxmemory-policy"), "{found}");
        level(&report, "memory of Redis")
    };
    assert_eq!(look().as_deref(), Some("warn"), "no node has used it");

    // As a node does when it is the first.
    let store = format!("sqlite:{}", home.path("taa.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use taa_store::redis::{RedisNonces, RedisOptions};
        let options =
            taa_store::OpenOptions::new(store.parse().unwrap(), std::sync::Arc::new(taa_core::crypto::AwsLc));
        let store = taa_store::Store::open(options).await.unwrap();
        let own = taa_core::id::AppId::parse(&id).unwrap();
        let nonces = RedisNonces::connect(&url, &own, None, RedisOptions::default()).await.unwrap();
        store.set_nonce_epoch(&nonces.epoch().unwrap()).await.unwrap();
        store.close().await;
    });
    assert_eq!(look().as_deref(), Some("ok"));
    let client = redis::Client::open(&*url).unwrap();
    let mut connection = client.get_connection().unwrap();
    redis::cmd("DEL").arg(format!("taa:{{{id}}}:epoch")).query::<i64>(&mut connection).unwrap();
    assert_eq!(look().as_deref(), Some("warn"));
    assert_eq!(look().as_deref(), Some("warn"), "to look begins no new one");
}

/// A schema of its own, in which every connection of a store works; dropped at the end.
#[cfg(feature = "postgres")]
struct Schema {
    server: String,
    name: String,
}

#[cfg(feature = "postgres")]
impl Schema {
    fn new() -> Self {
        let server = std::env::var_os("TAA_TEST_POSTGRES").map_or_else(
            || "postgres://root@127.0.0.1:5432/test".to_owned(),
            |url| url.into_string().unwrap(),
        );
        let schema = Self { server, name: format!("taa_cli_{}", std::process::id()) };
        schema.run(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    fn store(&self) -> String {
        let join = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{join}options=-c%20search_path%3D{}", self.server, self.name)
    }

    fn run(&self, statement: &str) {
        use sqlx::{Connection, PgConnection};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.server).await.unwrap();
            let statement = sqlx::AssertSqlSafe(statement.to_owned());
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }
}

#[cfg(feature = "postgres")]
impl Drop for Schema {
    fn drop(&mut self) {
        self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL"]
fn a_store_in_postgresql() {
    let (schema, home) = (Schema::new(), Home::empty());
    let store = schema.store();
    let taa = |args: &[&str]| home.taa(&[&["--store", &store], args].concat());
    let init = ["init", "--id", "wiki:1", "--name", "W", "--base-url", home.base_url(), "--bits", "2048"];
    taa(&init).fine();
    taa(&["key", "list"]).fine().says(&["signing"]);
    taa(&[&init[..], &["--new-key-file", "seal.key"]].concat()).ends(1).remarks(&["has an identity already"]);
    assert!(!home.path("seal.key").exists(), "nothing was sealed on the way");
    let report = taa(&["doctor", "--offline", "--json"]).fine().json();
    assert_eq!(level(&report, "clock of the database").as_deref(), Some("ok"), "{report:#}");
    assert_eq!(level(&report, "private keys").as_deref(), Some("warn"));
}
