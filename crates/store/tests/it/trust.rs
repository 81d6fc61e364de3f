//! Whom to trust, and whom to call.

use std::time::Duration;

use taa_core::directory::Directory;
use taa_core::envelope::Lifetime;
use taa_core::id::{AppId, UserName};
use taa_core::legacy::{LegacySigningKey, LegacyVerifyingKey};
use taa_core::policy::{AddressRules, GreatestTimeout, Protocol};
use taa_store::model::{
    ApplicationUpdate, AuditFilter, NewApplication, NewServer, PeerKeys, PeerLegacyKey, Row, Rules,
    ServerUpdate, Snapshot,
};
use taa_store::{Store, StoreError};

use crate::peers::{self, application, certificate, rules, server};
use crate::place::{Place, START, admin, id, provider};

on_both!(
    added_and_read_again,
    by_name,
    each_id_once,
    each_key_once,
    not_this_application,
    keys_become_free_again,
    both_or_neither,
    changed_by_one_person_at_a_time,
    no_change_is_none,
    switched_off_and_on,
    forgotten,
    a_revoked_key_is_never_used_again,
    the_floor_falls_only_when_a_person_sets_it,
    older_versions,
    servers_change_and_go,
    servers_change_their_version,
    users_that_nobody_may_name,
    rules_that_do_not_fit_this_server,
);

fn directory(snapshot: &Snapshot) -> Directory {
    let (directory, left_out) = snapshot.directory(&*provider(), GreatestTimeout::default());
    assert_eq!(left_out, []);
    directory
}

fn update(store: &Store, name: &str, rules: Rules) -> ApplicationUpdate {
    let version = store.snapshot().application(name).unwrap().version;
    ApplicationUpdate { version, name: format!("Peer {name}"), rules }
}

async fn last(store: &Store) -> (String, serde_json::Value) {
    let row = store.audit(&AuditFilter { limit: 1, ..AuditFilter::default() }).await.unwrap().remove(0);
    (row.action, row.detail)
}

async fn added_and_read_again(place: Place) {
    let store = place.initialised().await;
    let certificate = certificate("a:1", 7, 0);
    let snapshot = store.add_application(application(&certificate), &admin()).await.unwrap();
    let again = place.open().await;
    for snapshot in [snapshot, again.snapshot()] {
        let held = snapshot.application("a:1").unwrap();
        assert_eq!((held.id.as_str(), held.name.as_str()), ("a:1", "Peer a:1"));
        assert_eq!(held.keys.certificate.as_ref(), Some(&certificate));
        assert_eq!(held.rules, rules());
        assert!(held.enabled && !held.seen_v4 && held.last_used.is_none() && held.refreshed.is_none());
        assert_eq!((held.version, held.created.at, &held.updated.by), (snapshot.generation, START, &admin()));
        let directory = directory(&snapshot);
        let trusted = directory.application("a:1").unwrap();
        assert!(trusted.is_enabled() && trusted.key(peers::signing(0).id().short()).is_some());
        assert_eq!(trusted.policy().timeout().get(), Duration::from_secs(30));
    }
    let (action, detail) = last(&store).await;
    assert_eq!(action, "application.added");
    assert_eq!(detail["fingerprint"], certificate.fingerprint().to_string());
    assert_eq!(detail["rules"]["addresses"], serde_json::json!(["10.0.0.0/8"]));
}

async fn by_name(place: Place) {
    let store = place.open().await;
    for (name, number, shown) in [("c:1", 0, "beta"), ("a:1", 1, "Gamma"), ("b:1", 2, "Alpha")] {
        let new = NewApplication { name: shown.into(), ..application(&certificate(name, 1, number)) };
        store.add_application(new, &admin()).await.unwrap();
    }
    let snapshot = store.snapshot();
    let names: Vec<_> =
        snapshot.applications.iter().filter_map(Row::good).map(|held| held.name.as_str()).collect();
    assert_eq!(names, ["Alpha", "beta", "Gamma"]);
}

async fn each_id_once(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    store.add_server(server(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let twice = store.add_application(application(&certificate("a:1", 2, 1)), &admin()).await;
    assert!(matches!(twice, Err(StoreError::AlreadyThere(peer)) if peer == id("a:1")));
    let twice = store.add_server(server(&certificate("a:1", 2, 1)), &admin()).await;
    assert!(matches!(twice, Err(StoreError::AlreadyThere(_))));
    assert_eq!(place.count("taa_peer_keys").await, 2, "what was refused left nothing");
}

async fn each_key_once(place: Place) {
    let store = place.initialised().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let in_use = |outcome: Result<_, StoreError>| match outcome {
        Err(StoreError::KeyInUse { id, other }) => (id.to_string(), other),
        other => panic!("{other:?}"),
    };
    let other = store.add_application(application(&certificate("b:1", 1, 0)), &admin()).await;
    assert_eq!(in_use(other), ("b:1".into(), "a:1".into()));
    let other = store.add_server(server(&certificate("b:1", 1, 0)), &admin()).await;
    assert_eq!(in_use(other), ("b:1".into(), "a:1".into()));
    // A key of version 4 as one of the older versions, of the same application.
    let spki = peers::signing(1).public().to_spki_der();
    let legacy = PeerLegacyKey(LegacyVerifyingKey::from_spki_der(&spki).unwrap());
    let mut both = application(&certificate("b:1", 1, 1));
    both.keys.legacy = Some(legacy);
    let (peer, other) = in_use(store.add_application(both, &admin()).await);
    assert!(peer == "b:1" && other.contains("signing"), "{other}");
    // An own key.
    let own = store.snapshot().own.clone().unwrap();
    let text = store.export_key(own.keys[1].id, &admin()).await.unwrap();
    let signing = taa_core::key::SigningKey::from_pkcs8_pem(&*provider(), &text).unwrap();
    let clone = taa_core::identity::Identity::new(
        peers::profile("b:1", 1),
        vec![taa_core::identity::OwnKey::current(signing)],
        Vec::new(),
    );
    let clone = application(clone.unwrap().certificate());
    let (_, other) = in_use(store.add_application(clone, &admin()).await);
    assert!(other.contains("this application itself"), "{other}");
    assert_eq!(store.snapshot().applications.len(), 1);
}

async fn not_this_application(place: Place) {
    let store = place.initialised().await;
    let own = certificate("own:1", 1, 0);
    let error = store.add_application(application(&own), &admin()).await.unwrap_err();
    assert!(matches!(error, StoreError::OwnId(_)), "{error}");
    assert!(matches!(store.add_server(server(&own), &admin()).await, Err(StoreError::OwnId(_))));
    // A certificate of somebody else, or none at all.
    let mut wrong = application(&certificate("a:1", 1, 0));
    wrong.id = id("b:1");
    assert!(matches!(store.add_application(wrong, &admin()).await, Err(StoreError::Key(_))));
    let mut none = application(&certificate("a:1", 1, 0));
    none.keys = PeerKeys { certificate: None, legacy: None };
    assert!(matches!(store.add_application(none, &admin()).await, Err(StoreError::Key(_))));
    let mut none = server(&certificate("a:1", 1, 0));
    none.certificate = None;
    assert!(matches!(store.add_server(none, &admin()).await, Err(StoreError::Key(_))));
}

async fn keys_become_free_again(place: Place) {
    let store = place.open().await;
    store
        .add_both(application(&certificate("a:1", 1, 0)), server(&certificate("a:1", 1, 0)), &admin())
        .await
        .unwrap();
    store.remove_application("a:1", &admin()).await.unwrap();
    let held = store.add_application(application(&certificate("b:1", 1, 0)), &admin()).await;
    assert!(matches!(held, Err(StoreError::KeyInUse { .. })), "the server's record still has it");
    store.remove_server("a:1", &admin()).await.unwrap();
    assert_eq!(place.count("taa_peer_keys").await, 0);
    store.add_application(application(&certificate("b:1", 1, 0)), &admin()).await.unwrap();
}

async fn both_or_neither(place: Place) {
    let store = place.open().await;
    store.add_server(server(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let before = store.snapshot().generation;
    let both = store
        .add_both(application(&certificate("a:1", 1, 0)), server(&certificate("a:1", 1, 0)), &admin())
        .await;
    assert!(matches!(both, Err(StoreError::AlreadyThere(_))));
    let snapshot = store.poll().await.unwrap();
    assert!(snapshot.applications.is_empty() && snapshot.generation == before);
    store.remove_server("a:1", &admin()).await.unwrap();
    let both = store
        .add_both(application(&certificate("a:1", 1, 0)), server(&certificate("a:1", 1, 0)), &admin())
        .await;
    let snapshot = both.unwrap();
    assert!(snapshot.application("a:1").is_some() && snapshot.server("a:1").is_some());
    assert_eq!(snapshot.generation, before + 2, "one change");
    let trail = store.audit(&AuditFilter::default()).await.unwrap();
    assert_eq!((trail[0].action.as_str(), trail[1].action.as_str()), ("server.added", "application.added"));
    assert!(store.verify_audit().await.unwrap().problems.is_empty());
}

async fn changed_by_one_person_at_a_time(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let seen = update(&store, "a:1", Rules { timeout: Duration::from_secs(5), ..rules() });
    let also = ApplicationUpdate { name: "Other".into(), ..seen.clone() };
    place.advance(Duration::from_secs(1));
    let snapshot = store.update_application(&id("a:1"), seen, &admin()).await.unwrap();
    let held = snapshot.application("a:1").unwrap();
    assert_eq!((held.rules.timeout, held.version), (Duration::from_secs(5), snapshot.generation));
    assert_eq!((held.created.at, held.updated.at), (START, START.plus(Duration::from_secs(1))));
    let (action, detail) = last(&store).await;
    assert_eq!(action, "application.changed");
    assert_eq!(detail, serde_json::json!({ "timeout_ms": { "old": 30_000, "new": 5_000 } }));
    let late = store.update_application(&id("a:1"), also, &admin()).await;
    assert!(matches!(late, Err(StoreError::Changed)));
    assert_eq!(store.snapshot().application("a:1").unwrap().name, "Peer a:1");
    let nobody = ApplicationUpdate { version: 1, name: "x".into(), rules: rules() };
    let nobody = store.update_application(&id("z:1"), nobody, &admin()).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(_))));
}

async fn no_change_is_none(place: Place) {
    let store = place.open().await;
    let before = store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let same = update(&store, "a:1", rules());
    let after = store.update_application(&id("a:1"), same, &admin()).await.unwrap();
    let still = store.set_application_enabled(&id("a:1"), true, &admin()).await.unwrap();
    assert_eq!((before.generation, before.generation), (after.generation, still.generation));
    assert_eq!(place.count("taa_audit").await, 1);
}

async fn switched_off_and_on(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let off = store.set_application_enabled(&id("a:1"), false, &admin()).await.unwrap();
    assert!(!off.application("a:1").unwrap().enabled);
    assert!(!directory(&off).application("a:1").unwrap().is_enabled());
    assert_eq!(last(&store).await.0, "application.disabled");
    let on = store.set_application_enabled(&id("a:1"), true, &admin()).await.unwrap();
    assert!(directory(&on).application("a:1").unwrap().is_enabled());
    let nobody = store.set_application_enabled(&id("z:1"), true, &admin()).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(_))));
}

async fn forgotten(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    store.raise_mark(&id("a:1"), Protocol::V4, START).await.unwrap();
    let snapshot = store.remove_application("a:1", &admin()).await.unwrap();
    assert!(snapshot.applications.is_empty());
    assert_eq!(
        store.marks().await.unwrap().len(),
        1,
        "what it sent is not accepted again when it comes back"
    );
    assert!(matches!(store.remove_application("a:1", &admin()).await, Err(StoreError::NotFound(_))));
}

async fn a_revoked_key_is_never_used_again(place: Place) {
    let store = place.open().await;
    let announced = peers::announcing("a:1", 1, 0, 1);
    store.add_application(application(&announced), &admin()).await.unwrap();
    let (current, next) = (peers::signing(0).id(), peers::signing(1).id());
    let unknown = store.revoke_application_key(&id("a:1"), peers::signing(2).id(), &admin()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    let snapshot = store.revoke_application_key(&id("a:1"), current, &admin()).await.unwrap();
    assert_eq!(snapshot.application("a:1").unwrap().revoked_keys, [current]);
    let trusted = directory(&snapshot);
    let trusted = trusted.application("a:1").unwrap();
    assert!(trusted.key(current.short()).is_none() && trusted.key(next.short()).is_some());
    let twice = store.revoke_application_key(&id("a:1"), current, &admin()).await.unwrap();
    assert_eq!(twice.generation, snapshot.generation);
    // Nothing that it signs is taken over, with a person or without.
    for by_person in [false, true] {
        let signed = peers::announcing("a:1", 2, 0, 2);
        let error = store.replace_certificate(&signed, None, by_person, &admin()).await.unwrap_err();
        assert!(matches!(error, StoreError::Key(_)), "{error}");
    }
    // Nor after it was removed, nor under another id.
    store.remove_application("a:1", &admin()).await.unwrap();
    let back = store.add_application(application(&announced), &admin()).await;
    assert!(matches!(back, Err(StoreError::Key(_))));
    let elsewhere = store.add_application(application(&certificate("b:1", 1, 0)), &admin()).await;
    assert!(matches!(elsewhere, Err(StoreError::KeyInUse { .. })));
    let renewed =
        store.add_application(application(&peers::announcing("a:1", 3, 1, 0)), &admin()).await.unwrap();
    assert_eq!(renewed.application("a:1").unwrap().revoked_keys, [current]);
    assert!(directory(&renewed).application("a:1").unwrap().key(current.short()).is_none());
}

async fn the_floor_falls_only_when_a_person_sets_it(place: Place) {
    let store = place.open().await;
    let old = Rules { min_protocol: Protocol::V2, ..rules() };
    let new = NewApplication { rules: old.clone(), ..application(&certificate("a:1", 1, 0)) };
    store.add_application(new, &admin()).await.unwrap();
    assert!(directory(&store.snapshot()).application("a:1").unwrap().accepts(Protocol::V2));
    store.raise_floor(&id("a:1")).await.unwrap();
    store.raise_floor(&id("a:1")).await.unwrap();
    let snapshot = store.snapshot();
    assert!(snapshot.application("a:1").unwrap().seen_v4);
    assert!(!directory(&snapshot).application("a:1").unwrap().accepts(Protocol::V3));
    let filter =
        AuditFilter { action: Some(taa_store::model::Action::FloorRaised), ..AuditFilter::default() };
    assert_eq!(store.audit(&filter).await.unwrap().len(), 1, "written once");
    let step = |rules| {
        let store = &store;
        async move {
            let change = update(store, "a:1", rules);
            let snapshot = store.update_application(&id("a:1"), change, &admin()).await.unwrap();
            snapshot.application("a:1").unwrap().seen_v4
        }
    };
    // Another rule changes: it stays. The same version again: it stays.
    assert!(step(Rules { timeout: Duration::from_secs(5), ..old.clone() }).await);
    assert!(step(Rules { min_protocol: Protocol::V4, ..old.clone() }).await, "up is no way down");
    assert!(!step(Rules { min_protocol: Protocol::V3, ..old.clone() }).await);
    assert!(directory(&store.snapshot()).application("a:1").unwrap().accepts(Protocol::V3));
    assert!(matches!(store.raise_floor(&id("z:1")).await, Err(StoreError::NotFound(_))));
}

async fn older_versions(place: Place) {
    let store = place.open().await;
    let key = LegacySigningKey::generate(&mut |out: &mut [u8]| {
        taa_core::crypto::Random::fill(&taa_core::crypto::SystemRandom, out)
    })
    .unwrap();
    let legacy = Some(PeerLegacyKey(key.verifying_key().clone()));
    let new = NewApplication {
        keys: PeerKeys { certificate: None, legacy: legacy.clone() },
        rules: Rules { min_protocol: Protocol::V2, ..rules() },
        ..application(&certificate("old:1", 1, 0))
    };
    store.add_application(new.clone(), &admin()).await.unwrap();
    let snapshot = place.open().await.snapshot();
    let held = snapshot.application("old:1").unwrap();
    assert_eq!(held.keys.legacy.as_ref().unwrap().0, *key.verifying_key());
    assert!(directory(&snapshot).application("old:1").unwrap().legacy_key().is_some());
    let elsewhere = NewApplication { id: id("old:2"), ..new };
    assert!(matches!(store.add_application(elsewhere, &admin()).await, Err(StoreError::KeyInUse { .. })));
    let snapshot = store.revoke_application_key(&id("old:1"), key.thumbprint(), &admin()).await.unwrap();
    assert!(directory(&snapshot).application("old:1").unwrap().legacy_key().is_none());
    // A server without a certificate is one of the older versions.
    let mut old = server(&certificate("old:3", 1, 0));
    (old.certificate, old.protocol) = (None, Protocol::V3);
    let snapshot = store.add_server(old, &admin()).await.unwrap();
    assert_eq!(snapshot.server("old:3").unwrap().protocol, Protocol::V3);
}

async fn servers_change_and_go(place: Place) {
    let store = place.open().await;
    let snapshot = store.add_server(server(&certificate("s:1", 1, 0)), &admin()).await.unwrap();
    let held = snapshot.server("s:1").unwrap();
    assert!(held.enabled && held.lifetime == Lifetime::default() && held.protocol == Protocol::V4);
    let change = ServerUpdate {
        version: held.version,
        name: "Tracker".into(),
        base_url: "http://inner.example/tracker".parse().unwrap(),
        protocol: Protocol::V3,
        lifetime: Lifetime::from_secs(60).unwrap(),
        insecure_allow_http: true,
        require_content_digest: true,
        enabled: false,
    };
    let snapshot = store.update_server(&id("s:1"), change.clone(), &admin()).await.unwrap();
    let held = snapshot.server("s:1").unwrap();
    assert_eq!((held.name.as_str(), held.base_url.as_str()), ("Tracker", "http://inner.example/tracker"));
    assert!(held.insecure_allow_http && held.require_content_digest && !held.enabled);
    assert_eq!((held.lifetime.as_secs(), held.version), (60, snapshot.generation));
    assert_eq!(held.protocol, Protocol::V3);
    let (action, detail) = last(&store).await;
    assert_eq!(action, "server.changed");
    assert_eq!(detail["lifetime_s"], serde_json::json!({ "old": 300, "new": 60 }));
    assert!(matches!(store.update_server(&id("s:1"), change, &admin()).await, Err(StoreError::Changed)));
    store.remove_server("s:1", &admin()).await.unwrap();
    assert_eq!(last(&store).await.0, "server.removed");
    assert!(matches!(store.remove_server("s:1", &admin()).await, Err(StoreError::NotFound(_))));
    assert!(place.open().await.snapshot().servers.is_empty());
}

async fn servers_change_their_version(place: Place) {
    let store = place.open().await;
    let speak = async |name: &str, protocol: Protocol| {
        let snapshot = store.snapshot();
        let update = ServerUpdate { protocol, ..ServerUpdate::of(snapshot.server(name).unwrap()) };
        store.update_server(&id(name), update, &admin()).await
    };
    store.add_server(server(&certificate("s:1", 1, 0)), &admin()).await.unwrap();
    for (old, new) in
        [(Protocol::V4, Protocol::V3), (Protocol::V3, Protocol::V2), (Protocol::V2, Protocol::V4)]
    {
        speak("s:1", new).await.unwrap();
        let snapshot = place.open().await.snapshot();
        let held = snapshot.server("s:1").unwrap();
        assert_eq!((held.protocol, held.certificate.is_some()), (new, true), "its certificate stays");
        let detail = serde_json::json!({ "protocol": { "old": old.number(), "new": new.number() } });
        assert_eq!(last(&store).await, ("server.changed".to_owned(), detail));
    }
    let before = store.snapshot().generation;
    assert_eq!(speak("s:1", Protocol::V4).await.unwrap().generation, before, "no change is none");

    // Version 4 needs a certificate, from the first day on and later.
    let presented = certificate("old:1", 1, 1);
    let none = NewServer { certificate: None, ..server(&presented) };
    assert!(matches!(store.add_server(none.clone(), &admin()).await, Err(StoreError::Key(_))));
    store.add_server(NewServer { protocol: Protocol::V3, ..none }, &admin()).await.unwrap();
    assert!(matches!(speak("old:1", Protocol::V4).await, Err(StoreError::Key(_))));
    let snapshot = store.poll().await.unwrap();
    assert_eq!(snapshot.server("old:1").unwrap().protocol, Protocol::V3, "nothing has changed");
    speak("old:1", Protocol::V2).await.unwrap();
    let snapshot = store.replace_certificate(&presented, None, true, &admin()).await.unwrap();
    assert_eq!(snapshot.server("old:1").unwrap().protocol, Protocol::V2, "it never rises by itself");
    speak("old:1", Protocol::V4).await.unwrap();
}

async fn users_that_nobody_may_name(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let pattern: taa_core::policy::NamePattern = "contractor-*".parse().unwrap();
    let snapshot = store.revoke_user(pattern.clone(), &admin()).await.unwrap();
    let twice = store.revoke_user(pattern.clone(), &admin()).await.unwrap();
    assert_eq!(twice.generation, snapshot.generation);
    assert_eq!(snapshot.revoked_users.len(), 1);
    assert_eq!((snapshot.revoked_users[0].revoked.at, &snapshot.revoked_users[0].pattern), (START, &pattern));
    let user = UserName::parse("Contractor-7").unwrap();
    let judged = |snapshot: &Snapshot| {
        let directory = directory(snapshot);
        directory.may_name(directory.application("a:1").unwrap(), &user).is_ok()
    };
    assert!(!judged(&snapshot));
    let snapshot = store.restore_user(&pattern, &admin()).await.unwrap();
    assert!(judged(&snapshot) && snapshot.revoked_users.is_empty());
    assert!(matches!(store.restore_user(&pattern, &admin()).await, Err(StoreError::NotFound(_))));
}

async fn rules_that_do_not_fit_this_server(place: Place) {
    let store = place.open().await;
    store.add_application(application(&certificate("a:1", 1, 0)), &admin()).await.unwrap();
    let wide = Rules { timeout: Duration::from_secs(60), addresses: AddressRules::any(), ..rules() };
    let new = NewApplication { rules: wide, ..application(&certificate("b:1", 1, 1)) };
    store.add_application(new, &admin()).await.unwrap();
    let greatest = GreatestTimeout::new(Duration::from_secs(30)).unwrap();
    let (directory, left_out) = store.snapshot().directory(&*provider(), greatest);
    assert!(directory.application("a:1").is_some() && directory.application("b:1").is_none());
    let ids: Vec<AppId> = left_out.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [id("b:1")]);
}
