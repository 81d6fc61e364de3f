//! The audit trail: whole, or it tells where it is not.

use std::time::Duration;

use sqlx::Row;
use taa_store::Store;
use taa_store::model::{Action, Actor, AuditFilter};

use crate::peers::{application, certificate};
use crate::place::{Place, START, admin, id};

on_both!(
    a_whole_trail,
    only_ever_added_to,
    changed_rows_are_found,
    missing_rows_are_found,
    missing_last_rows_are_found,
    rows_that_were_added_are_found,
    rows_that_cannot_be_read_are_named,
    long_trails_are_read_in_pages,
    filters_and_pages,
    what_fails_leaves_nothing,
    texts_of_every_kind,
);

/// A trail of ten rows.
async fn trail(place: &Place) -> Store {
    let store = place.open().await;
    for number in 0..10 {
        store.revoke_user(format!("user-{number}").parse().unwrap(), &admin()).await.unwrap();
    }
    store
}

async fn problems(store: &Store) -> Vec<String> {
    store.verify_audit().await.unwrap().problems
}

async fn a_whole_trail(place: Place) {
    let store = place.open().await;
    let report = store.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.head, report.problems), (0, None, vec![]));
    let store = trail(&place).await;
    let report = store.verify_audit().await.unwrap();
    let newest = store.audit(&AuditFilter::default()).await.unwrap().remove(0);
    assert_eq!(report.head, Some((10, newest.hash)));
    assert_eq!((report.rows, report.problems), (10, vec![]));
    assert_eq!((newest.seq, newest.at, newest.generation), (10, START, store.snapshot().generation));
    // Another process goes on where this one ended.
    place.open().await.revoke_user("x".parse().unwrap(), &admin()).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap().rows, 11);
    assert!(problems(&store).await.is_empty());
}

async fn only_ever_added_to(place: Place) {
    let store = trail(&place).await;
    let mut statements =
        vec!["UPDATE taa_audit SET actor = 'nobody' WHERE seq = 3", "DELETE FROM taa_audit WHERE seq = 3"];
    if !place.is_sqlite() {
        statements.push("TRUNCATE taa_audit");
    }
    for statement in statements {
        let error = place.try_sql(statement).await.unwrap_err().to_string();
        assert!(error.contains("the audit trail is only ever added to"), "{error}");
    }
    assert!(problems(&store).await.is_empty());
}

async fn changed_rows_are_found(place: Place) {
    let store = trail(&place).await;
    place.drop_triggers().await;
    let columns = [
        ("at", "at + 1"),
        ("actor", "'nobody'"),
        ("actor", "' admin'"),
        ("action", "'user.restored'"),
        ("subject", "'user-9'"),
        ("detail", "'{ }'"),
        ("generation", "generation + 1"),
        ("hash", "'00'"),
    ];
    for (seq, (column, value)) in (2..).zip(columns) {
        let before = problems(&store).await.len();
        let old = place
            .rows(&format!("SELECT CAST({column} AS TEXT) AS old FROM taa_audit WHERE seq = {seq}"))
            .await;
        let old: String = old[0].get("old");
        place.sql(&format!("UPDATE taa_audit SET {column} = {value} WHERE seq = {seq}")).await;
        let after = problems(&store).await;
        assert!(after.len() > before, "{column}");
        assert!(
            after.iter().any(|problem| problem.starts_with(&format!("row {seq} "))),
            "{column}: {after:?}"
        );
        let old = if matches!(column, "at" | "generation") { old } else { format!("'{old}'") };
        place.sql(&format!("UPDATE taa_audit SET {column} = {old} WHERE seq = {seq}")).await;
        assert_eq!(problems(&store).await, Vec::<String>::new(), "{column}");
    }
}

async fn missing_rows_are_found(place: Place) {
    let store = trail(&place).await;
    place.drop_triggers().await;
    place.sql("DELETE FROM taa_audit WHERE seq = 3").await;
    assert_eq!(problems(&store).await, ["row 3 is missing"]);
    place.sql("DELETE FROM taa_audit WHERE seq IN (4, 5, 8)").await;
    assert_eq!(problems(&store).await, ["rows 3 to 5 are missing", "row 8 is missing"]);
    place.sql("DELETE FROM taa_audit WHERE seq < 3").await;
    assert_eq!(problems(&store).await, ["rows 1 to 5 are missing", "row 8 is missing"]);
    // Closing the gap does not help.
    place.sql("UPDATE taa_audit SET seq = seq - 5 WHERE seq IN (6, 7)").await;
    assert!(!problems(&store).await.is_empty());
}

async fn missing_last_rows_are_found(place: Place) {
    let store = trail(&place).await;
    place.drop_triggers().await;
    place.sql("DELETE FROM taa_audit WHERE seq >= 9").await;
    assert_eq!(problems(&store).await, ["the trail ends too early: rows 9 to 10 are missing"]);
    place.sql("DELETE FROM taa_audit").await;
    assert_eq!(problems(&store).await, ["the trail ends too early: rows 1 to 10 are missing"]);
    // The next row does not hide it.
    store.revoke_user("x".parse().unwrap(), &admin()).await.unwrap();
    assert_eq!(problems(&store).await, ["rows 1 to 10 are missing"]);
}

async fn rows_that_were_added_are_found(place: Place) {
    let store = trail(&place).await;
    let forged = |seq: i64| {
        format!(
            "INSERT INTO taa_audit (seq, at, actor, action, subject, detail, generation, hash) \
             VALUES ({seq}, 1, 'admin', 'user.revoked', 'x', '{{}}', 1, 'ab')"
        )
    };
    place.sql(&forged(11)).await;
    let found = problems(&store).await;
    assert!(found.iter().any(|problem| problem.contains("row 11 ")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("the store knows of 10 only")), "{found:?}");
    place.sql(&forged(0)).await;
    place.sql(&forged(-7)).await;
    assert!(problems(&store).await.contains(&"2 rows stand before the first".to_owned()));
}

async fn rows_that_cannot_be_read_are_named(place: Place) {
    let store = trail(&place).await;
    place.drop_triggers().await;
    place.sql("UPDATE taa_audit SET at = -1 WHERE seq = 4").await;
    place.sql("UPDATE taa_audit SET detail = 'no json' WHERE seq = 6").await;
    if place.is_sqlite() {
        place.sql("UPDATE taa_audit SET actor = CAST(x'ff' AS TEXT) WHERE seq = 8").await;
    }
    let found = problems(&store).await;
    for seq in if place.is_sqlite() { vec![4, 6, 8] } else { vec![4, 6] } {
        assert!(found.iter().any(|problem| problem.contains(&format!("row {seq} "))), "{found:?}");
    }
    let shown =
        store.audit(&AuditFilter { subject: Some("user-5".into()), ..AuditFilter::default() }).await.unwrap();
    assert_eq!(shown[0].detail, serde_json::Value::String("no json".into()));
}

async fn long_trails_are_read_in_pages(place: Place) {
    let store = place.open().await;
    let user: taa_core::policy::NamePattern = "u".parse().unwrap();
    for _ in 0..255 {
        store.revoke_user(user.clone(), &admin()).await.unwrap();
        store.restore_user(&user, &admin()).await.unwrap();
    }
    let report = store.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.problems), (510, vec![]));
    place.drop_triggers().await;
    place.sql("UPDATE taa_audit SET actor = 'x'").await;
    assert_eq!(problems(&store).await.len(), 100, "the first hundred");
}

async fn filters_and_pages(place: Place) {
    let store = place.open().await;
    for (number, who) in [(0, "ann"), (1, "bob"), (2, "ann"), (3, "ann"), (4, "bob")] {
        store.revoke_user(format!("user-{number}").parse().unwrap(), &Actor::new(who)).await.unwrap();
        place.advance(Duration::from_secs(1));
    }
    store.restore_user(&"user-0".parse().unwrap(), &Actor::new("bob")).await.unwrap();
    let seqs = async |filter: AuditFilter| {
        let rows = store.audit(&filter).await.unwrap();
        rows.into_iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    let all = AuditFilter::default();
    assert_eq!(seqs(all.clone()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(seqs(AuditFilter { actor: Some("ann".into()), ..all.clone() }).await, [4, 3, 1]);
    assert_eq!(seqs(AuditFilter { action: Some(Action::UserRestored), ..all.clone() }).await, [6]);
    assert_eq!(seqs(AuditFilter { subject: Some("user-0".into()), ..all.clone() }).await, [6, 1]);
    let second = START.plus(Duration::from_secs(1));
    let fourth = START.plus(Duration::from_secs(3));
    let between = AuditFilter { since: Some(second), until: Some(fourth), ..all.clone() };
    assert_eq!(seqs(between).await, [3, 2], "from the one, before the other");
    let page = AuditFilter { limit: 2, ..all.clone() };
    assert_eq!(seqs(page.clone()).await, [6, 5]);
    assert_eq!(seqs(AuditFilter { before_seq: Some(5), ..page.clone() }).await, [4, 3]);
    let both = AuditFilter { before_seq: Some(3), actor: Some("ann".into()), ..page };
    assert_eq!(seqs(both).await, [1]);
    assert!(seqs(AuditFilter { before_seq: Some(0), ..all.clone() }).await.is_empty());
    assert_eq!(seqs(AuditFilter { limit: u32::MAX, ..all }).await.len(), 6);
}

async fn what_fails_leaves_nothing(place: Place) {
    let store = trail(&place).await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let (rows, generation) = (place.count("taa_audit").await, store.snapshot().generation);
    store.add_application(application(&certificate("a:1", 1, 1)), &admin()).await.unwrap_err();
    store.remove_application("z:1", &admin()).await.unwrap_err();
    store.restore_user(&"nobody".parse().unwrap(), &admin()).await.unwrap_err();
    store.raise_floor(&id("z:1")).await.unwrap_err();
    store.export_key(taa_core::id::KeyId::from_bytes([0; 32]), &admin()).await.unwrap_err();
    assert_eq!(place.count("taa_audit").await, rows);
    assert_eq!(store.poll().await.unwrap().generation, generation);
    assert!(problems(&store).await.is_empty());
}

async fn texts_of_every_kind(place: Place) {
    let store = place.open().await;
    let actor = Actor::new("Änne O'Brien\n2027 root; DROP TABLE taa_audit --\u{1F600}");
    for user in ["a'b\"c", "日本", "a\\u0000b", "%_*"] {
        store.revoke_user(user.parse().unwrap(), &actor).await.unwrap();
    }
    let rows =
        store.audit(&AuditFilter { actor: Some(actor.to_string()), ..AuditFilter::default() }).await.unwrap();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.actor == actor && !row.actor.as_str().contains('\n')));
    assert!(problems(&store).await.is_empty());
}
