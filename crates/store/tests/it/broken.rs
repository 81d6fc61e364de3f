//! A record that somebody damaged breaks no other, and trusts nobody.

use taa_core::policy::GreatestTimeout;
use taa_store::model::{Row, Snapshot};
use taa_store::{Store, StoreError};

use crate::peers::{application, certificate, server};
use crate::place::{Place, admin, id, own_identity, provider};

on_both!(
    damaged_applications,
    damaged_servers,
    one_key_under_two_ids,
    one_key_for_two_purposes,
    the_own_key_under_a_peer,
    bytes_that_are_no_text,
    a_damaged_identity_is_an_error,
    a_damaged_revocation_is_an_error,
    a_lost_state_is_an_error,
    an_ended_key_is_no_damage,
);

/// A store with `a:1` and `b:1`, both trusted and called.
async fn two(place: &Place) -> Store {
    let store = place.open().await;
    for (name, number) in [("a:1", 0), ("b:1", 1)] {
        let held = certificate(name, 1, number);
        store.add_both(application(&held), server(&held), &admin()).await.unwrap();
    }
    store
}

/// Makes every process read again.
async fn touched(place: &Place, store: &Store, statement: &str) -> std::sync::Arc<Snapshot> {
    place.sql(statement).await;
    place.sql("UPDATE taa_state SET generation = generation + 1").await;
    store.poll().await.unwrap()
}

fn broken<T>(rows: &[Row<T>]) -> Vec<(&str, &str, &str)> {
    rows.iter()
        .filter_map(|row| match row {
            Row::Broken { id, name, problem } => Some((id.as_str(), name.as_str(), problem.as_str())),
            Row::Good(_) => None,
        })
        .collect()
}

async fn damaged_applications(place: Place) {
    let store = two(&place).await;
    for (damage, mend) in [
        ("certificate = 'x.y.z'", "certificate"),
        ("certificate = NULL", "certificate"),
        ("certificate = (SELECT certificate FROM taa_servers WHERE app_id = 'b:1')", "certificate"),
        ("rules = '{}'", "rules"),
        ("rules = 'any'", "rules"),
        ("base_url = 'nowhere'", "base_url"),
        ("enabled = 7", "enabled"),
        ("seen_v4 = -1", "seen_v4"),
        ("version = -1", "version"),
        ("created_at = -5", "created_at"),
        ("refreshed_at = 1, refreshed_other_url = '::'", "refreshed_at"),
    ] {
        place.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM taa_applications").await;
        let snapshot =
            touched(&place, &store, &format!("UPDATE taa_applications SET {damage} WHERE app_id = 'a:1'"))
                .await;
        let found = broken(&snapshot.applications);
        assert_eq!(found.len(), 1, "{damage}");
        assert_eq!((found[0].0, found[0].1), ("a:1", "Peer a:1"));
        assert!(!found[0].2.is_empty(), "{damage}");
        assert!(snapshot.application("a:1").is_none() && snapshot.application("b:1").is_some());
        assert!(snapshot.server("a:1").is_some(), "its other record is as it was");
        let (directory, left_out) = snapshot.directory(&*provider(), GreatestTimeout::default());
        assert!(directory.application("a:1").is_none() && directory.application("b:1").is_some());
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].0, id("a:1"));
        // Opening is no different.
        assert_eq!(broken(&place.open().await.snapshot().applications).len(), 1);
        // It cannot be edited, and it can be removed. Then it is put back for the next damage.
        assert!(store.raise_floor(&id("a:1")).await.is_ok() || mend == "seen_v4");
        let gone = store.remove_application("a:1", &admin()).await.unwrap();
        assert_eq!(gone.applications.len(), 1);
        touched(&place, &store, "INSERT INTO taa_applications SELECT * FROM kept WHERE app_id = 'a:1'").await;
        assert!(store.snapshot().application("a:1").is_some(), "{damage}");
    }
    // An id that is none.
    let snapshot =
        touched(&place, &store, "UPDATE taa_applications SET app_id = 'a b' WHERE app_id = 'a:1'").await;
    assert_eq!(broken(&snapshot.applications)[0].0, "a b");
    assert!(snapshot.directory(&*provider(), GreatestTimeout::default()).1.is_empty());
    store.remove_application("a b", &admin()).await.unwrap();
    assert!(store.verify_audit().await.unwrap().problems.is_empty());
}

async fn damaged_servers(place: Place) {
    let store = two(&place).await;
    for damage in [
        "certificate = 'x.y.z'",
        "certificate = NULL",
        "protocol = 1",
        "protocol = 400",
        "lifetime_seconds = 0",
        "lifetime_seconds = 901",
        "insecure_http = 2",
        "base_url = ''",
    ] {
        place.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM taa_servers").await;
        let snapshot =
            touched(&place, &store, &format!("UPDATE taa_servers SET {damage} WHERE app_id = 'a:1'")).await;
        let found = broken(&snapshot.servers);
        assert_eq!((found.len(), found[0].0), (1, "a:1"), "{damage}");
        assert!(snapshot.server("a:1").is_none() && snapshot.server("b:1").is_some());
        assert_eq!(broken(&snapshot.applications), []);
        store.remove_server("a:1", &admin()).await.unwrap();
        touched(&place, &store, "INSERT INTO taa_servers SELECT * FROM kept WHERE app_id = 'a:1'").await;
    }
}

async fn one_key_under_two_ids(place: Place) {
    let store = two(&place).await;
    let stolen = certificate("b:1", 2, 0);
    let snapshot = touched(
        &place,
        &store,
        &format!("UPDATE taa_applications SET certificate = '{}' WHERE app_id = 'b:1'", stolen.document()),
    )
    .await;
    let found = broken(&snapshot.applications);
    assert_eq!(found.len(), 2, "whoever has the key could be either");
    assert!(found[0].2.contains("b:1") && found[1].2.contains("a:1"), "{found:?}");
    let (directory, _) = snapshot.directory(&*provider(), GreatestTimeout::default());
    assert_eq!(directory.applications().count(), 0);
}

async fn one_key_for_two_purposes(place: Place) {
    let store = two(&place).await;
    let spki = crate::peers::signing(0).public().to_spki_der();
    let hex: String = spki.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = if place.is_sqlite() { format!("x'{hex}'") } else { format!("'\\x{hex}'") };
    let damage = format!("UPDATE taa_applications SET legacy_key = {bytes} WHERE app_id = 'a:1'");
    let snapshot = touched(&place, &store, &damage).await;
    let found = broken(&snapshot.applications);
    assert_eq!(found.len(), 1);
    assert!(found[0].2.contains("two purposes"), "{found:?}");
    // A key that is none.
    let bytes = if place.is_sqlite() { "x'00'" } else { "'\\x00'" };
    let damage = format!("UPDATE taa_applications SET legacy_key = {bytes} WHERE app_id = 'a:1'");
    assert_eq!(broken(&touched(&place, &store, &damage).await.applications).len(), 1);
}

async fn the_own_key_under_a_peer(place: Place) {
    let store = two(&place).await;
    store.init(own_identity(), &admin()).await.unwrap();
    let own = store.snapshot().own.clone().unwrap();
    let text = store.export_key(own.keys[1].id, &admin()).await.unwrap();
    let signing = taa_core::key::SigningKey::from_pkcs8_pem(&*provider(), &text).unwrap();
    let keys = vec![taa_core::identity::OwnKey::current(signing)];
    let forged =
        taa_core::identity::Identity::new(crate::peers::profile("a:1", 2), keys, Vec::new()).unwrap();
    let document = forged.certificate().document().to_owned();
    let damage = format!("UPDATE taa_applications SET certificate = '{document}' WHERE app_id = 'a:1'");
    let snapshot = touched(&place, &store, &damage).await;
    assert_eq!(broken(&snapshot.applications).len(), 1);
    assert!(snapshot.own.is_some(), "the own identity stands");
    // And the own id under a peer.
    let damage = "UPDATE taa_own SET app_id = 'b:1'";
    place.sql(damage).await;
    place.sql("UPDATE taa_state SET generation = generation + 1, own_generation = generation + 1").await;
    assert!(
        matches!(store.poll().await, Err(StoreError::Unreadable(_))),
        "and the certificate names another"
    );
}

async fn bytes_that_are_no_text(place: Place) {
    if !place.is_sqlite() {
        // PostgreSQL takes no such bytes.
        assert!(place.try_sql("SELECT convert_from('\\xff', 'UTF8')").await.is_err());
        return;
    }
    let store = two(&place).await;
    let bytes = "UPDATE taa_applications SET name = CAST(x'50ff' AS TEXT) WHERE app_id = 'a:1'";
    let snapshot = touched(&place, &store, bytes).await;
    assert_eq!(
        broken(&snapshot.applications),
        [("a:1", "P\u{fffd}", "the row holds bytes that are no text")]
    );
    assert!(snapshot.application("b:1").is_some() && snapshot.server("a:1").is_some());
    let bytes = "UPDATE taa_servers SET base_url = CAST(x'ff' AS TEXT) WHERE app_id = 'b:1'";
    let snapshot = touched(&place, &store, bytes).await;
    assert_eq!(broken(&snapshot.servers)[0].0, "b:1");
    store.remove_application("a:1", &admin()).await.unwrap();
    let snapshot = store.remove_server("b:1", &admin()).await.unwrap();
    assert!(broken(&snapshot.applications).is_empty() && broken(&snapshot.servers).is_empty());
    assert!(snapshot.application("b:1").is_some() && snapshot.server("a:1").is_some());
}

async fn a_damaged_identity_is_an_error(place: Place) {
    let store = place.initialised().await;
    let before = store.snapshot();
    for damage in [
        "UPDATE taa_own SET certificate = 'x'",
        "UPDATE taa_own SET app_id = ''",
        "UPDATE taa_own_keys SET purpose = 'any'",
        "UPDATE taa_own_keys SET status = 'old'",
        "UPDATE taa_own_keys SET key_id = 'x' || key_id",
        "DELETE FROM taa_own_keys WHERE purpose = 'decryption'",
        "UPDATE taa_own_keys SET sealed = 1",
    ] {
        place.sql("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM taa_own_keys").await;
        place.sql("DROP TABLE IF EXISTS was; CREATE TABLE was AS SELECT * FROM taa_own").await;
        place.sql(damage).await;
        place.sql("UPDATE taa_state SET generation = generation + 1, own_generation = generation + 1").await;
        let fresh = Store::open(place.options()).await;
        assert!(matches!(fresh, Err(StoreError::Unreadable(_) | StoreError::Seal(_))), "{damage}");
        assert_eq!(store.snapshot().generation, before.generation, "what was read stays");
        place.sql("DELETE FROM taa_own; DELETE FROM taa_own_keys").await;
        place.sql("INSERT INTO taa_own SELECT * FROM was; INSERT INTO taa_own_keys SELECT * FROM kept").await;
    }
    assert!(Store::open(place.options()).await.is_ok());
}

async fn a_damaged_revocation_is_an_error(place: Place) {
    let store = two(&place).await;
    store.revoke_user("x".parse().unwrap(), &admin()).await.unwrap();
    // To go on without it would let in whom a person has kept out.
    place.sql("UPDATE taa_revoked_users SET pattern = ' '").await;
    place.sql("UPDATE taa_state SET generation = generation + 1").await;
    assert!(matches!(store.poll().await, Err(StoreError::Unreadable(_))));
    place.sql("DELETE FROM taa_revoked_users").await;
    assert!(store.poll().await.is_ok());
    store.revoke_application_key(&id("a:1"), crate::peers::signing(0).id(), &admin()).await.unwrap();
    place
        .sql("UPDATE taa_revoked_keys SET key_id = 'x'; UPDATE taa_state SET generation = generation + 1")
        .await;
    assert!(matches!(store.poll().await, Err(StoreError::Unreadable(_))));
}

async fn a_lost_state_is_an_error(place: Place) {
    let store = two(&place).await;
    place.sql("DELETE FROM taa_state").await;
    assert!(matches!(store.poll().await, Err(StoreError::Unreadable(_))));
    let change = store.revoke_user("x".parse().unwrap(), &admin()).await;
    assert!(matches!(change, Err(StoreError::Unreadable(_))));
    assert!(matches!(Store::open(place.options()).await, Err(StoreError::Unreadable(_))));
    assert_eq!(store.verify_audit().await.unwrap().problems.len(), 1);
}

async fn an_ended_key_is_no_damage(place: Place) {
    use taa_core::certificate::KeyStatus;
    use taa_core::identity::{Identity, OwnKey};
    let store = place.open().await;
    let soon = place.now().seconds() + 60;
    let keys = vec![OwnKey { key: crate::peers::signing(0), status: KeyStatus::Current, exp: Some(soon) }];
    let held = Identity::new(crate::peers::profile("a:1", 1), keys, Vec::new()).unwrap();
    store.add_application(application(held.certificate()), &admin()).await.unwrap();
    place.advance(std::time::Duration::from_secs(3600));
    let snapshot = place.open().await.snapshot();
    assert!(snapshot.application("a:1").is_some());
    let (directory, _) = snapshot.directory(&*provider(), GreatestTimeout::default());
    let key =
        directory.application("a:1").unwrap().key(crate::peers::signing(0).id().short()).unwrap().clone();
    assert!(!key.usable_at(place.now()), "that is looked at when it is used");
}
