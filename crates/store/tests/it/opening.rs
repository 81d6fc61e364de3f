//! Databases that are new, of another version, damaged, or not there.

use std::time::{Duration, Instant};

use taa_store::{OpenOptions, Store, StoreError};

use crate::place::{Place, admin, provider};

on_both!(
    made_and_opened_again,
    by_many_at_once,
    made_by_a_newer_version,
    tables_that_are_not_ours,
    beside_tables_of_the_service,
    closed_for_all,
);

async fn made_and_opened_again(place: Place) {
    let store = place.open().await;
    assert_eq!(store.snapshot().generation, 0);
    assert_eq!(store.is_shared(), !place.is_sqlite());
    assert!(!store.is_sealed());
    store.revoke_user("x".parse().unwrap(), &admin()).await.unwrap();
    drop(store);
    assert_eq!(place.open().await.snapshot().revoked_users.len(), 1);
}

async fn by_many_at_once(place: Place) {
    let opened = (0..8).map(|_| tokio::spawn(Store::open(place.options()))).collect::<Vec<_>>();
    for store in opened {
        store.await.unwrap().unwrap();
    }
    assert_eq!(place.count("taa_state").await, 1);
}

async fn made_by_a_newer_version(place: Place) {
    drop(place.open().await);
    let (description, checksum) = if place.is_sqlite() { ("'x'", "x'00'") } else { ("'x'", "'\\x00'") };
    let newer = format!(
        "INSERT INTO taa_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, {description}, true, {checksum}, 1)"
    );
    place.sql(&newer).await;
    let error = Store::open(place.options()).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer(99)), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");
    place.sql("DELETE FROM taa_migrations WHERE version = 99").await;
    assert!(Store::open(place.options()).await.is_ok());
}

async fn tables_that_are_not_ours(place: Place) {
    place.sql("CREATE TABLE taa_state (id TEXT)").await;
    let error = Store::open(place.options()).await.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)), "{error}");
    place.sql("DROP TABLE taa_state").await;
    drop(place.open().await);
    let checksum = if place.is_sqlite() { "x'00'" } else { "'\\x00'" };
    place.sql(&format!("UPDATE taa_migrations SET checksum = {checksum}")).await;
    let error = Store::open(place.options()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
}

async fn beside_tables_of_the_service(place: Place) {
    place
        .sql("CREATE TABLE _sqlx_migrations (version BIGINT); INSERT INTO _sqlx_migrations VALUES (7)")
        .await;
    place.sql("CREATE TABLE users (name TEXT)").await;
    assert!(Store::open(place.options()).await.is_ok());
    assert_eq!(place.count("_sqlx_migrations").await, 1);
}

async fn closed_for_all(place: Place) {
    let store = place.initialised().await;
    let clone = store.clone();
    store.close().await;
    assert!(matches!(clone.poll().await, Err(StoreError::Database(_))));
    let change = clone.revoke_user("x".parse().unwrap(), &admin()).await;
    assert!(matches!(change, Err(StoreError::Database(_))));
    assert!(matches!(clone.marks().await, Err(StoreError::Database(_))));
    assert!(matches!(clone.verify_audit().await, Err(StoreError::Database(_))));
    assert!(clone.snapshot().own.is_some(), "what was read stays");
}

#[cfg(feature = "sqlite")]
mod sqlite_files {
    use super::*;

    fn options(path: &std::path::Path) -> OpenOptions {
        OpenOptions::new(format!("sqlite:{}", path.display()).parse().unwrap(), provider())
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::sqlite();
        let store = place.initialised().await;
        let files: Vec<_> = std::fs::read_dir(place.folder().unwrap()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 3, "the database, its log and the log's index");
        for file in files {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.path().display());
        }
        drop(store);
    }

    #[tokio::test]
    async fn what_survives_a_power_cut() {
        use sqlx::Row;
        let place = Place::sqlite();
        drop(place.open().await);
        let mode: String = place.rows("PRAGMA journal_mode").await[0].get(0);
        assert_eq!(mode, "wal");
    }

    #[tokio::test]
    async fn relative_paths_and_odd_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a b.db", "100%.db", "x#y.db", "%41.db", "ä.db", "a&b=c.db", ".db"] {
            let path = folder.path().join(name);
            Store::open(options(&path)).await.unwrap().close().await;
            assert!(path.is_file(), "{name}");
        }
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        Store::open(options(&inner.join("../up.db"))).await.unwrap().close().await;
        assert!(folder.path().join("up.db").is_file());
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 9, "and nothing else");
    }

    #[tokio::test]
    async fn what_is_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        std::fs::write(
            &text,
            "This is a text, and long enough to be looked at as the head of a file.".repeat(20),
        )
        .unwrap();
        let deep = folder.path().join("not/there.db");
        for (path, why) in [
            (text.as_path(), "file is not a database"),
            (deep.as_path(), "No such file or directory"),
            (folder.path(), "unable to open database file"),
        ] {
            let error = Store::open(options(path)).await.unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(matches!(error, StoreError::Database(_)) && source.contains(why), "{source}");
        }
    }

    #[tokio::test]
    async fn a_torn_file() {
        let place = Place::sqlite();
        let store = place.initialised().await;
        store.close().await;
        let path = std::fs::read_dir(place.folder().unwrap()).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        for keep in [whole.len() / 2, 4096, 5000] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            assert!(Store::open(place.options()).await.is_err(), "{keep}");
        }
        let mut noise = whole.clone();
        noise[4096..].iter_mut().step_by(7).for_each(|byte| *byte = !*byte);
        std::fs::write(&path, &noise).unwrap();
        assert!(Store::open(place.options()).await.is_err());
        std::fs::write(&path, &whole).unwrap();
        assert!(Store::open(place.options()).await.is_ok());
    }

    #[tokio::test]
    async fn somebody_holds_the_lock() {
        use sqlx::{Connection, Executor};
        let place = Place::sqlite();
        let store = place.initialised().await;
        let mut other = place.connect().await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let error = store.revoke_user("x".parse().unwrap(), &admin()).await.unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
        assert!(store.poll().await.is_ok(), "reading goes on");
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
        assert!(store.revoke_user("x".parse().unwrap(), &admin()).await.is_ok());
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_server_that_is_not_there_fails_fast() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
    let begun = Instant::now();
    // One that takes connections and says nothing, and one that takes none.
    for port in [port, 1] {
        let url = format!("postgres://taa:hunter2@127.0.0.1:{port}/trust").parse().unwrap();
        let error = Store::open(OpenOptions::new(url, provider())).await.unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn a_kind_that_was_not_compiled_in() {
    let url = "postgres://db.example/trust".parse().unwrap();
    let error = Store::open(OpenOptions::new(url, provider())).await.unwrap_err();
    assert!(matches!(error, StoreError::Feature("postgres")), "{error}");
    assert!(error.to_string().contains("`postgres`"), "{error}");
    let _: (Option<Instant>, Option<Duration>) = (None, None);
}

#[cfg(not(feature = "sqlite"))]
#[tokio::test]
async fn a_file_without_the_feature() {
    let error = Store::open(OpenOptions::new("sqlite:x.db".parse().unwrap(), provider())).await.unwrap_err();
    assert!(matches!(error, StoreError::Feature("sqlite")), "{error}");
    assert!(!std::path::Path::new("x.db").exists());
}
