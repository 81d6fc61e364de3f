//! A database that somebody changed by other means.

use sqlx::{Connection, SqliteConnection};

use crate::home::Home;

fn sql(home: &Home, statements: &[&str]) {
    let url = format!("sqlite:{}", home.path("taa.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        for statement in statements {
            let statement = sqlx::AssertSqlSafe((*statement).to_owned());
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}

#[test]
fn the_audit_trail() {
    let home = Home::of("wiki:1");
    home.taa(&["certificate", "set", "--name", "New"]).fine();
    let head = home.taa(&["audit", "verify", "--json"]).fine().json()["head"].as_str().unwrap().to_owned();
    sql(&home, &["DROP TRIGGER taa_audit_keeps", "UPDATE taa_audit SET actor = 'nobody' WHERE seq = 1"]);
    let report = home.taa(&["audit", "verify", "--json"]).ends(3).json();
    assert_eq!(report["whole"], false);
    assert!(!report["problems"].as_array().unwrap().is_empty());
    home.taa(&["audit", "verify"]).ends(3).says(&["tampered with or damaged"]);
    home.taa(&["doctor", "--offline"]).ends(3).says(&["bad   audit trail"]);

    // What was cut off at the end is only seen by who wrote the head down.
    let home = Home::of("wiki:1");
    home.taa(&["certificate", "set", "--name", "New"]).fine();
    sql(&home, &["DROP TRIGGER taa_audit_stays", "DELETE FROM taa_audit WHERE seq = 2"]);
    home.taa(&["audit", "verify", "--expect", &head]).ends(3).says(&["row 2 is not there"]);
}

#[test]
fn a_broken_record() {
    let (tracker, wiki) = (Home::of("tracker:1"), Home::of("wiki:1"));
    tracker.trust(&wiki, &["--both"]);
    sql(
        &tracker,
        &["UPDATE taa_applications SET rules = '{}'", "UPDATE taa_servers SET base_url = 'nowhere'"],
    );
    for what in ["trust", "server"] {
        let listed = tracker.taa(&[what, "list", "--json"]).fine().json();
        assert!(listed[0]["broken"].as_str().is_some(), "{listed:#}");
        tracker.taa(&[what, "list"]).fine().says(&["wiki:1", "broken"]);
        tracker.taa(&[what, "show", "wiki:1"]).ends(1).remarks(&["cannot be used"]);
    }
    tracker.taa(&["doctor", "--offline"]).ends(3).says(&[
        "bad   application wiki:1",
        "bad   server wiki:1",
        "taa trust remove",
        "taa server remove",
    ]);
    for what in ["trust", "server"] {
        tracker.taa(&[what, "remove", "wiki:1", "--yes"]).fine();
    }
    tracker.taa(&["doctor", "--offline"]).fine();
}
