use std::time::Duration;

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use http::StatusCode;
use taa_core::certificate::{KeyStatus, WELL_KNOWN_PATH};
use taa_core::crypto::AwsLc;
use taa_core::legacy::Version;
use taa_store::model::Field;
use tokio::net::TcpListener;

use super::*;
use crate::testing::{Home, LEGACY, Listening, Peer, admin, id, older_peer};

fn setup(home: &Home) -> Setup {
    Setup::new(home.store.clone(), Arc::new(AwsLc)).unwrap()
}

fn what(base_url: &str) -> FetchWhat {
    FetchWhat { base_url: base_url.to_owned(), ..FetchWhat::default() }
}

async fn fetched(setup: &Setup, base_url: &Url) -> Fetched {
    setup.fetch(&what(base_url.as_str()), &admin()).await.unwrap()
}

/// Both, with what was suggested.
fn both(fetched: &Fetched) -> SaveWhat {
    SaveWhat { incoming: Some(fetched.suggested.clone()), outgoing: Some(OutgoingText::default()) }
}

#[tokio::test]
async fn a_peer_is_fetched_compared_and_saved() {
    let (home, peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home).suggested_never_as("admin".parse().into_iter().collect());
    let fetched = fetched(&setup, &peer.at.url).await;
    assert_eq!(fetched.pending.fingerprint(), peer.fingerprint());
    assert_eq!(fetched.remarks, []);
    let suggested = &fetched.suggested;
    assert_eq!(suggested.name, "Engineering wiki");
    assert_eq!(suggested.addresses.trim(), "127.0.0.1");
    assert_eq!((suggested.timeout.as_str(), suggested.min_protocol.as_str()), ("60000", "4"));
    assert_eq!(suggested.paths.split_whitespace().collect::<Vec<_>>(), ["/rest", "/sr"]);
    assert_eq!(suggested.never_as.trim(), "admin");
    assert!(home.store.snapshot().applications.is_empty(), "nothing is trusted yet");

    // Shown again, it is the same.
    let again = setup.fetched(&fetched.pending.id).await.unwrap();
    assert_eq!((&again.suggested, &again.remarks), (&fetched.suggested, &fetched.remarks));

    // A person types it as they like.
    let typed = format!(" {} ", peer.fingerprint().to_lowercase().replace(' ', "\t"));
    let saved = setup.save(&fetched.pending.id, &typed, &both(&fetched), &admin()).await.unwrap();
    assert_eq!(saved, id("wiki:1"));
    let snapshot = home.store.snapshot();
    let application = snapshot.application("wiki:1").unwrap();
    assert_eq!(application.base_url, peer.at.url);
    assert_eq!(application.rules.addresses.rules().len(), 1);
    assert_eq!(application.rules.never_as.patterns().len(), 1);
    let server = snapshot.server("wiki:1").unwrap();
    assert_eq!((server.name.as_str(), server.protocol), ("Engineering wiki", Protocol::V4));
    assert!(!server.insecure_allow_http, "this host is no other host");

    // What was saved does not wait any more.
    let twice = setup.save(&fetched.pending.id, &typed, &both(&fetched), &admin()).await.unwrap_err();
    assert!(matches!(twice, SaveError::Setup(SetupError::Store(StoreError::NotFound(_)))), "{twice}");
}

#[tokio::test]
async fn only_what_was_shown_is_saved() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home);
    let fetched = fetched(&setup, &peer.at.url).await;
    // The peer serves something else meanwhile: what waits is what was shown.
    let shown = peer.fingerprint();
    peer.say(|says| says.signing = vec![(1, KeyStatus::Current)]);
    for wrong in ["", "AAAA", peer.fingerprint().as_str(), "AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA"] {
        let error = setup.save(&fetched.pending.id, wrong, &both(&fetched), &admin()).await.unwrap_err();
        assert!(matches!(error, SaveError::Setup(SetupError::Fingerprint)), "{wrong}: {error}");
    }
    assert!(home.store.snapshot().application("wiki:1").is_none());
    setup.save(&fetched.pending.id, &shown, &both(&fetched), &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let certificate = snapshot.application("wiki:1").unwrap().keys.certificate.clone().unwrap();
    assert_eq!(certificate.fingerprint().to_string(), shown);
}

#[tokio::test]
async fn every_wrong_field_at_once() {
    let (home, peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home).greatest_timeout(GreatestTimeout::new(Duration::from_secs(10)).unwrap());
    let fetched = fetched(&setup, &peer.at.url).await;
    assert_eq!(fetched.suggested.timeout, "10000");
    let mut what = both(&fetched);
    let incoming = what.incoming.as_mut().unwrap();
    incoming.timeout = "10001".into();
    incoming.paths = "rest".into();
    what.outgoing = Some(OutgoingText { lifetime: "901".into(), ..OutgoingText::default() });
    let error = setup.save(&fetched.pending.id, &peer.fingerprint(), &what, &admin()).await.unwrap_err();
    let SaveError::Fields(errors) = error else { panic!("{error}") };
    let mut fields: Vec<Field> = errors.0.iter().map(|error| error.field).collect();
    fields.sort_by_key(|field| format!("{field:?}"));
    assert_eq!(fields, [Field::Lifetime, Field::Paths, Field::Timeout]);
    // It waits still, and neither of the two is nothing.
    let neither = SaveWhat::default();
    let error = setup.save(&fetched.pending.id, &peer.fingerprint(), &neither, &admin()).await.unwrap_err();
    assert!(matches!(error, SaveError::Setup(SetupError::Nothing)), "{error}");
    setup.give_up(&fetched.pending.id).await.unwrap();
    assert!(setup.fetched(&fetched.pending.id).await.is_err());
}

/// The sentence for somebody who typed this.
async fn complaint(setup: &Setup, base_url: &str) -> String {
    setup.fetch(&what(base_url), &admin()).await.map(|fetched| fetched.pending).unwrap_err().to_string()
}

#[tokio::test]
async fn what_goes_wrong_has_its_own_sentence() {
    let home = Home::new().await;
    let setup = setup(&home);
    let long_label = format!("https://{}.example/", "x".repeat(64));
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let answering = |router: Router| Listening::serve(router);
    let login = answering(Router::new().fallback(async || Html("<html>Log in</html>"))).await;
    let binary = answering(Router::new().fallback(async || vec![0xff_u8; 10])).await;
    let absent = answering(Router::new().fallback(async || StatusCode::NOT_FOUND)).await;
    let broken = answering(Router::new().fallback(async || StatusCode::INTERNAL_SERVER_ERROR)).await;
    let sends_away = Redirect::temporary("https://login.example/");
    let away = answering(Router::new().fallback(async move || sends_away.clone())).await;
    let long = answering(Router::new().fallback(async || "x".repeat(20_000))).await;
    let mut document = Peer::wiki().await.says.identity().certificate().document().to_owned();
    document.replace_range(document.len() - 8.., "AAAAAAAA");
    let forged = answering(Router::new().route(WELL_KNOWN_PATH, get(async move || document))).await;
    let no_tls = login.url.as_str().replace("http:", "https:");
    for (base_url, says) in [
        ("", "required"),
        ("wiki.example", "https://…"),
        (long_label.as_str(), "was not found"),
        (refused.as_str(), "refuses the connection"),
        (login.url.as_str(), "log-in page"),
        (binary.url.as_str(), "log-in page"),
        (absent.url.as_str(), "404"),
        (broken.url.as_str(), "status 500"),
        (away.url.as_str(), "sends elsewhere"),
        (long.url.as_str(), "16 KiB"),
        (forged.url.as_str(), "signature is wrong"),
        (no_tls.as_str(), "no connection"),
        ("http://192.0.2.1/", "plain http"),
        ("https://169.254.169.254/", "link-local"),
        ("https://[fe80::1]/", "link-local"),
    ] {
        let sentence = complaint(&setup, base_url).await;
        assert!(sentence.contains(says), "{base_url}: {sentence}");
    }
    let error = setup.fetch(&FetchWhat { older_versions: true, ..what(login.url.as_str()) }, &admin()).await;
    assert!(error.unwrap_err().to_string().contains("certificate page"));
}

#[tokio::test]
async fn its_own_id_is_not_its_peer() {
    let home = Home::new().await;
    let setup = setup(&home);
    let clone = Peer::with(3, "tracker:1", true).await;
    let fetched = fetched(&setup, &clone.at.url).await;
    assert_eq!(fetched.remarks, [Remark::OwnId]);
    assert!(fetched.remarks[0].prevents_saving() && fetched.remarks[0].text().contains("clone"));
    let error = setup.save(&fetched.pending.id, &clone.fingerprint(), &both(&fetched), &admin()).await;
    assert!(matches!(error, Err(SaveError::Setup(SetupError::OwnId))), "{error:?}");
}

#[tokio::test]
async fn one_key_under_two_ids_is_refused() {
    let (home, wiki) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home);
    let first = fetched(&setup, &wiki.at.url).await;
    setup.save(&first.pending.id, &wiki.fingerprint(), &both(&first), &admin()).await.unwrap();
    let copy = Peer::with(0, "wiki:2", false).await;
    let second = fetched(&setup, &copy.at.url).await;
    assert_eq!(second.remarks, [Remark::KeyInUse { other: "wiki:1".into() }, Remark::ClientOnly]);
    let trusted = SaveWhat { incoming: Some(second.suggested.clone()), outgoing: None };
    let error = setup.save(&second.pending.id, &copy.fingerprint(), &trusted, &admin()).await;
    assert!(
        matches!(error, Err(SaveError::Setup(SetupError::Store(StoreError::KeyInUse { .. })))),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_client_can_be_trusted_and_not_called() {
    let (home, peer) = (Home::new().await, Peer::with(0, "bot:1", false).await);
    let setup = setup(&home);
    let fetched = fetched(&setup, &peer.at.url).await;
    assert_eq!(fetched.remarks, [Remark::ClientOnly]);
    let save = async |what| setup.save(&fetched.pending.id, &peer.fingerprint(), &what, &admin()).await;
    let error = save(both(&fetched)).await.unwrap_err();
    assert!(matches!(error, SaveError::Setup(SetupError::ClientOnly)), "{error}");
    save(SaveWhat { incoming: Some(fetched.suggested.clone()), outgoing: None }).await.unwrap();
    assert!(home.store.snapshot().server("bot:1").is_none());
}

#[tokio::test]
async fn a_person_takes_keys_that_were_not_announced() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home);
    let first = fetched(&setup, &peer.at.url).await;
    let mut what = both(&first);
    what.incoming.as_mut().unwrap().paths = "/rest/api".into();
    setup.save(&first.pending.id, &peer.fingerprint(), &what, &admin()).await.unwrap();

    peer.say(|says| (says.seq, says.signing) = (2, vec![(1, KeyStatus::Current)]));
    let again = setup.fetch_again(&id("wiki:1"), &admin()).await.unwrap();
    let known = Remark::Known { incoming: true, outgoing: true, other_base_url: None };
    assert_eq!(again.remarks[0], known);
    assert!(matches!(again.remarks[1], Remark::Unannounced(_)), "{:?}", again.remarks);
    // What the person sees are the rules in force, and with nothing filled in they stay.
    assert_eq!(again.suggested.paths.trim(), "/rest/api");
    setup.save(&again.pending.id, &peer.fingerprint(), &SaveWhat::default(), &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let (application, server) = (snapshot.application("wiki:1").unwrap(), snapshot.server("wiki:1").unwrap());
    assert_eq!(application.rules.paths.rules()[0].to_string(), "/rest/api");
    for certificate in [&application.keys.certificate, &server.certificate] {
        assert_eq!(certificate.as_ref().unwrap().fingerprint().to_string(), peer.fingerprint());
    }
    let error = setup.fetch_again(&id("stranger"), &admin()).await.unwrap_err();
    assert!(matches!(error, SetupError::Store(StoreError::NotFound(_))), "{error}");
}

#[tokio::test]
async fn a_peer_that_moved_is_found_at_its_new_place() {
    let (home, peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home);
    let first = fetched(&setup, &peer.at.url).await;
    let what = SaveWhat { incoming: Some(first.suggested.clone()), outgoing: None };
    setup.save(&first.pending.id, &peer.fingerprint(), &what, &admin()).await.unwrap();
    let old = peer.at.url.to_string();
    let mut moved = Peer::wiki().await;
    moved.say(|says| says.seq = 2);
    let second = fetched(&setup, &moved.at.url).await;
    let known = Remark::Known { incoming: true, outgoing: false, other_base_url: Some(old) };
    assert_eq!(second.remarks[0], known);
    assert!(known.text().contains("clone"));
    // New rules for the one role, and the other role added.
    let mut what = both(&second);
    what.incoming.as_mut().unwrap().methods = "GET".into();
    setup.save(&second.pending.id, &moved.fingerprint(), &what, &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let application = snapshot.application("wiki:1").unwrap();
    assert_eq!(application.base_url, moved.at.url);
    assert_eq!(application.rules.methods.methods().len(), 1);
    assert_eq!(snapshot.server("wiki:1").unwrap().base_url, moved.at.url);
}

#[tokio::test]
async fn the_base_url_is_the_one_that_was_typed() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    peer.say(|says| says.base_url = "https://wiki.example/".into());
    let setup = setup(&home);
    let fetched = fetched(&setup, &peer.at.url).await;
    assert_eq!(fetched.remarks, [Remark::BaseUrlDiffers { named: "https://wiki.example/".into() }]);
    setup.save(&fetched.pending.id, &peer.fingerprint(), &both(&fetched), &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let application = snapshot.application("wiki:1").unwrap();
    assert_eq!(application.base_url, peer.at.url);
    let held = application.keys.certificate.as_ref().unwrap();
    assert_eq!(held.content().base_url.as_str(), "https://wiki.example/");
}

#[tokio::test]
async fn plain_http_from_another_host_is_remembered() {
    let (home, peer) = (Home::new().await, Peer::wiki().await);
    let setup = setup(&home);
    let certificate = peer.says.identity().certificate().clone();
    // As fetched from another host, which a test has none of.
    let pending = Pending {
        id: PendingId::from_bytes([7; 16]),
        base_url: "http://192.0.2.1/".parse().unwrap(),
        presented: Presented::Certificate(Box::new(certificate)),
        insecure_http: true,
        fetched: Stamp { at: home.store.clock().wall().unwrap(), by: admin() },
    };
    home.store.add_pending(pending.clone()).await.unwrap();
    let fetched = setup.fetched(&pending.id).await.unwrap();
    assert!(fetched.remarks.contains(&Remark::InsecureHttp));
    setup.save(&pending.id, &peer.fingerprint(), &both(&fetched), &admin()).await.unwrap();
    assert!(home.store.snapshot().server("wiki:1").unwrap().insecure_allow_http);
}

#[tokio::test]
async fn a_peer_of_the_older_versions() {
    let home = Home::new().await;
    let setup = setup(&home);
    let older = older_peer("confluence:1", 0, Version::V2).await;
    let fetch = |url: Url| {
        let what = FetchWhat { older_versions: true, ..what(url.as_str()) };
        let setup = &setup;
        async move { setup.fetch(&what, &admin()).await.unwrap() }
    };
    let first = fetch(older.url.clone()).await;
    assert_eq!(first.remarks, [Remark::OlderVersions]);
    assert_eq!(
        (first.suggested.name.as_str(), first.suggested.min_protocol.as_str()),
        (older.url.as_str(), "2")
    );
    let shown = LEGACY[0].thumbprint().to_string();
    assert_eq!(first.pending.fingerprint(), shown);
    // Letter case carries something here.
    let error = setup.save(&first.pending.id, &shown.to_lowercase(), &both(&first), &admin()).await;
    assert!(matches!(error, Err(SaveError::Setup(SetupError::Fingerprint))), "{error:?}");
    setup.save(&first.pending.id, &shown, &both(&first), &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let application = snapshot.application("confluence:1").unwrap();
    assert!(application.keys.certificate.is_none());
    assert_eq!(application.rules.min_protocol, Protocol::V2);
    assert_eq!(snapshot.server("confluence:1").unwrap().protocol, Protocol::V2);

    // Another key, which a person takes.
    let other = older_peer("confluence:1", 1, Version::V2).await;
    let second = fetch(other.url.clone()).await;
    assert!(second.remarks.contains(&Remark::OtherLegacyKey), "{:?}", second.remarks);
    let shown = second.pending.fingerprint();
    setup.save(&second.pending.id, &shown, &SaveWhat::default(), &admin()).await.unwrap();
    let snapshot = home.store.snapshot();
    let application = snapshot.application("confluence:1").unwrap();
    assert_eq!(application.keys.legacy.as_ref().unwrap().0.thumbprint(), LEGACY[1].thumbprint());
    assert_eq!(application.base_url, other.url);
}

#[test]
fn every_remark_says_something() {
    for remark in [
        Remark::OwnId,
        Remark::Known { incoming: true, outgoing: false, other_base_url: None },
        Remark::Unannounced(taa_core::certificate::SuccessionError::Signer),
        Remark::OtherLegacyKey,
        Remark::KeyInUse { other: "x".into() },
        Remark::InsecureHttp,
        Remark::ClientOnly,
        Remark::OlderVersions,
        Remark::BaseUrlDiffers { named: "https://x/".into() },
    ] {
        assert!(remark.text().ends_with('.'), "{remark:?}");
    }
}
