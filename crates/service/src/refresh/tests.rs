use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use taa_core::certificate::KeyStatus;
use taa_core::crypto::AwsLc;
use taa_core::legacy::Version;
use taa_core::policy::{AddressRules, MethodRules, NeverAs, PathRules, Protocol};
use taa_store::model::{NewApplication, NewServer, PeerKeys, PeerLegacyKey, Rules, ServerUpdate};

use super::*;
use crate::testing::{Home, LEGACY, Listening, Peer, admin, id, nothing, older_peer};

fn refresher(home: &Home) -> Refresher {
    Refresher::new(home.store.clone(), Arc::new(AwsLc)).unwrap()
}

fn rules(min_protocol: Protocol) -> Rules {
    Rules {
        addresses: AddressRules::parse_list("127.0.0.1").unwrap(),
        paths: PathRules::parse_list("/rest").unwrap(),
        methods: MethodRules::read_only(),
        never_as: NeverAs::default(),
        timeout: Duration::from_secs(60),
        min_protocol,
        allow_repeats: false,
    }
}

/// Trusts and calls a peer, as it says of itself now.
async fn know(home: &Home, peer: &Peer) {
    know_at(home, peer, &peer.at.url).await;
}

async fn know_at(home: &Home, peer: &Peer, base_url: &Url) {
    let certificate = peer.says.identity().certificate().clone();
    let application = NewApplication {
        id: id(peer.says.id),
        name: "Wiki".into(),
        base_url: base_url.clone(),
        keys: PeerKeys { certificate: Some(certificate.clone()), legacy: None },
        rules: rules(Protocol::V4),
    };
    if !peer.says.with_decryption {
        home.store.add_application(application, &admin()).await.unwrap();
        return;
    }
    let server = NewServer {
        id: id(peer.says.id),
        name: "Wiki".into(),
        base_url: base_url.clone(),
        certificate: Some(certificate),
        protocol: Protocol::V4,
        lifetime: taa_core::envelope::Lifetime::default(),
        insecure_allow_http: false,
        require_content_digest: false,
    };
    home.store.add_both(application, server, &admin()).await.unwrap();
}

/// Number of the certificate held and what the record says of the last refresh, which is the same in both roles.
fn held(home: &Home) -> (u64, Option<String>, Option<Url>) {
    let snapshot = home.store.snapshot();
    let (application, server) = (snapshot.application("wiki:1").unwrap(), snapshot.server("wiki:1").unwrap());
    let number = application.keys.certificate.as_ref().unwrap().content().seq;
    assert_eq!(server.certificate.as_ref().unwrap().content().seq, number);
    assert_eq!(application.refreshed, server.refreshed);
    let refreshed = application.refreshed.clone().unwrap();
    (number, refreshed.problem, refreshed.other_base_url)
}

#[tokio::test]
async fn what_was_announced_is_taken_over() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    let refresher = refresher(&home);
    know(&home, &peer).await;
    let refresh = async || refresher.refresh(&id("wiki:1"), &admin()).await;
    assert_eq!(refresh().await.unwrap(), Outcome::Same);
    assert_eq!(held(&home), (1, None, None));

    use KeyStatus::{Current, Next};
    peer.say(|says| (says.seq, says.signing) = (2, vec![(0, Current), (1, Next)]));
    assert_eq!(refresh().await.unwrap(), Outcome::Taken);
    peer.say(|says| (says.seq, says.signing) = (3, vec![(1, Current)]));
    assert_eq!(refresh().await.unwrap(), Outcome::Taken);
    assert_eq!(refresh().await.unwrap(), Outcome::Same);
    assert_eq!(held(&home), (3, None, None));

    // The key that was rotated away does not come back.
    peer.say(|says| (says.seq, says.signing) = (4, vec![(0, Current)]));
    let Outcome::Kept(why) = refresh().await.unwrap() else { panic!("it was taken") };
    assert!(why.contains("not announced"), "{why}");
    assert_eq!(held(&home), (3, Some(why), None));

    // Once it goes well again nothing is left of that.
    peer.say(|says| (says.seq, says.signing) = (5, vec![(1, Current)]));
    assert_eq!(refresh().await.unwrap(), Outcome::Taken);
    assert_eq!(held(&home), (5, None, None));
}

#[tokio::test]
async fn the_last_good_one_is_kept() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    peer.say(|says| says.seq = 5);
    know(&home, &peer).await;
    let (refresher, wiki) = (refresher(&home), id("wiki:1"));
    type Change = fn(&mut crate::testing::Says);
    let cases: [(Change, &str, bool); 4] = [
        (|says| says.seq = 4, "older certificate", false),
        (|says| says.with_decryption = false, "number of the one held", false),
        (|says| says.id = "wiki:2", "Another application answers there: wiki:2", false),
        (|says| (says.seq, says.base_url) = (6, "https://new.example/".into()), "https://new.example/", true),
    ];
    for (change, says, elsewhere) in cases {
        let before = peer.says.clone();
        peer.say(change);
        let outcome = refresher.refresh(&wiki, &admin()).await.unwrap();
        let Outcome::Kept(why) = outcome else { panic!("{outcome:?}") };
        assert!(why.contains(says), "{why}");
        let (number, problem, other) = held(&home);
        assert_eq!((number, problem), (5, Some(why)));
        assert_eq!(other.map(|url| url.to_string()), elsewhere.then(|| "https://new.example/".into()));
        peer.say(|says| *says = before);
    }
    assert_eq!(refresher.refresh(&wiki, &admin()).await.unwrap(), Outcome::Same);
    assert_eq!(held(&home), (5, None, None));

    drop(peer);
    let Outcome::Kept(why) = refresher.refresh(&wiki, &admin()).await.unwrap() else {
        panic!("nobody is there")
    };
    assert!(why.contains("connection"), "{why}");
    let error = refresher.refresh(&id("stranger"), &admin()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound(_)), "{error}");
}

#[tokio::test]
async fn a_server_may_have_a_place_of_its_own() {
    // The address the certificate was fetched from is gone; the one requests go to is there.
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    let gone = Listening::serve(nothing()).await;
    know_at(&home, &peer, &gone.url).await;
    let snapshot = home.store.snapshot();
    let server = snapshot.server("wiki:1").unwrap();
    let update = ServerUpdate { base_url: peer.at.url.clone(), ..ServerUpdate::of(server) };
    home.store.update_server(&server.id, update, &admin()).await.unwrap();
    peer.say(|says| says.seq = 2);
    assert_eq!(refresher(&home).refresh(&id("wiki:1"), &admin()).await.unwrap(), Outcome::Taken);
}

#[tokio::test]
async fn pages_of_the_older_versions_are_compared() {
    let home = Home::new().await;
    let (refresher, peer_id) = (refresher(&home), id("confluence:1"));
    let peer = older_peer("confluence:1", 0, Version::V2).await;
    let trusting = |key: usize| NewApplication {
        id: peer_id.clone(),
        name: "Wiki".into(),
        base_url: peer.url.clone(),
        keys: PeerKeys {
            certificate: None,
            legacy: Some(PeerLegacyKey(LEGACY[key].verifying_key().clone())),
        },
        rules: rules(Protocol::V2),
    };
    home.store.add_application(trusting(0), &admin()).await.unwrap();
    assert_eq!(refresher.refresh(&peer_id, &admin()).await.unwrap(), Outcome::Same);
    home.store.remove_application("confluence:1", &admin()).await.unwrap();
    home.store.add_application(trusting(1), &admin()).await.unwrap();
    let Outcome::Kept(why) = refresher.refresh(&peer_id, &admin()).await.unwrap() else {
        panic!("another key")
    };
    assert!(why.contains("person"), "{why}");
}

/// Waits for something that happens in the background.
async fn until(what: impl AsyncFn() -> bool) {
    let waiting = async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
}

#[tokio::test]
async fn in_the_background_and_nobody_holds_up_the_others() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    // Peers that take connections and say nothing: each is waited for 5 s.
    let silent = [Listening::silent().await, Listening::silent().await];
    for (key, listening) in silent.iter().enumerate() {
        let other = Peer::with(key + 1, ["slow:1", "slow:2"][key], false).await;
        know_at(&home, &other, &listening.url).await;
    }
    know(&home, &peer).await;
    let refresher = refresher(&home).at_least_every(Duration::from_millis(400));
    let running = tokio::spawn({
        let refresher = refresher.clone();
        async move { refresher.run().await }
    });
    for seq in 2..5 {
        peer.say(|says| says.seq = seq);
        until(async || {
            home.store
                .poll()
                .await
                .unwrap()
                .application("wiki:1")
                .is_some_and(|known| known.keys.certificate.as_ref().unwrap().content().seq == seq)
        })
        .await;
    }
    // A peer that comes later is found.
    let mut late = Peer::with(3, "late:1", false).await;
    know(&home, &late).await;
    late.say(|says| says.seq = 2);
    until(async || {
        home.store
            .poll()
            .await
            .unwrap()
            .application("late:1")
            .is_some_and(|known| known.keys.certificate.as_ref().unwrap().content().seq == 2)
    })
    .await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn what_is_under_way_ends_with_it() {
    let home = Home::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let answered = Arc::clone(&asked);
    let slow = Listening::serve(Router::new().fallback(async move || {
        answered.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }))
    .await;
    let peer = Peer::with(1, "slow:1", false).await;
    know_at(&home, &peer, &slow.url).await;
    let refresher = refresher(&home).at_least_every(Duration::from_millis(80));
    {
        let running = std::pin::pin!(refresher.run());
        tokio::select! {
            () = running => panic!("it ends never"),
            () = until(async || asked.load(Ordering::SeqCst) == 1) => {}
        }
    }
    // It was dropped while it waited: nothing is noted afterwards, and nobody asks again.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(home.store.poll().await.unwrap().application("slow:1").unwrap().refreshed.is_none());
}

#[tokio::test]
async fn a_client_brings_it_forward_and_not_too_often() {
    let (home, mut peer) = (Home::new().await, Peer::wiki().await);
    let refresher = refresher(&home);
    assert!(!refresher.nudge(&id("wiki:1")), "nobody knows it");
    know(&home, &peer).await;
    peer.say(|says| says.seq = 2);
    assert!(refresher.nudge(&id("wiki:1")));
    assert!(!refresher.nudge(&id("wiki:1")));
    // Within the spread of the first round nothing else would ask at once.
    let running = refresher.run();
    tokio::select! {
        () = running => panic!("it ends never"),
        () = until(async || home.store.poll().await.unwrap().server("wiki:1").is_some_and(|known| {
            known.certificate.as_ref().unwrap().content().seq == 2
        })) => {}
    }
}
