//! What the tests have in common: stores in a folder that goes away, and peers that listen.

use std::sync::{Arc, LazyLock};

use axum::Router;
use http::StatusCode;
use taa_core::certificate::KeyStatus;
use taa_core::crypto::{AwsLc, Random, SystemRandom};
use taa_core::id::AppId;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::legacy::{CERTIFICATE_PATH, CertificatePage, LegacySigningKey, Version};
use taa_server::CertificateLayer;
use taa_store::model::{Actor, NewIdentity};
use taa_store::{OpenOptions, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Keys take long to make: four are enough for all tests.
pub(crate) static KEYS: LazyLock<[SigningKey; 4]> =
    LazyLock::new(|| std::array::from_fn(|_| SigningKey::generate(&AwsLc, KeySize::Rsa2048).unwrap()));
pub(crate) static DECRYPTION: LazyLock<DecryptingKey> =
    LazyLock::new(|| DecryptingKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
pub(crate) static LEGACY: LazyLock<[LegacySigningKey; 2]> = LazyLock::new(|| {
    std::array::from_fn(|_| LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out)).unwrap())
});

pub(crate) fn admin() -> Actor {
    Actor::new("admin")
}

pub(crate) fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

/// A store in a folder of its own.
pub(crate) struct Home {
    pub(crate) store: Store,
    _dir: tempfile::TempDir,
}

impl Home {
    /// A tracker that exists and knows nobody.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("taa.db").display()).parse().unwrap();
        let store = Store::open(OpenOptions::new(url, Arc::new(AwsLc))).await.unwrap();
        let identity = NewIdentity {
            id: id("tracker:1"),
            name: "Tracker".into(),
            base_url: "https://tracker.example/".parse().unwrap(),
            key_size: KeySize::Rsa2048,
        };
        store.init(identity, &admin()).await.unwrap();
        Self { store, _dir: dir }
    }
}

/// What a peer says of itself.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) id: &'static str,
    pub(crate) base_url: String,
    pub(crate) seq: u64,
    pub(crate) signing: Vec<(usize, KeyStatus)>,
    pub(crate) with_decryption: bool,
}

impl Says {
    pub(crate) fn identity(&self) -> Identity {
        let profile = Profile {
            id: id(self.id),
            name: "Engineering wiki".into(),
            base_url: self.base_url.parse().unwrap(),
            seq: self.seq,
            iat: self.seq,
            older_protocols: Vec::new(),
        };
        let own = |(key, status): &(usize, KeyStatus)| OwnKey {
            key: KEYS[*key].clone(),
            status: *status,
            exp: None,
        };
        let decryption = self.with_decryption.then(|| OwnKey::current(DECRYPTION.clone()));
        Identity::new(profile, self.signing.iter().map(own).collect(), decryption.into_iter().collect())
            .unwrap()
    }
}

/// Every path leads nowhere.
pub(crate) fn nothing() -> Router {
    Router::new().fallback(async || StatusCode::NOT_FOUND)
}

/// Serves the certificate page of the older versions.
pub(crate) async fn older_peer(app_id: &str, key: usize, version: Version) -> Listening {
    let page = CertificatePage::write(&id(app_id), LEGACY[key].verifying_key(), version);
    Listening::serve(Router::new().route(CERTIFICATE_PATH, axum::routing::get(async move || page))).await
}

/// Something that listens on loopback until it is dropped.
pub(crate) struct Listening {
    pub(crate) url: Url,
    task: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, task }
    }

    /// Takes connections and says nothing.
    pub(crate) async fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok(connection) = listener.accept().await {
                open.push(connection);
            }
        });
        Self { url, task }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A peer that serves its certificate.
pub(crate) struct Peer {
    pub(crate) says: Says,
    pub(crate) at: Listening,
    layer: CertificateLayer,
}

impl Peer {
    /// `wiki:1`, with the first key.
    pub(crate) async fn wiki() -> Self {
        Self::with(0, "wiki:1", true).await
    }

    pub(crate) async fn with(key: usize, id: &'static str, with_decryption: bool) -> Self {
        let mut says = Says {
            id,
            base_url: "https://elsewhere.example/".into(),
            seq: 1,
            signing: vec![(key, KeyStatus::Current)],
            with_decryption,
        };
        let layer = CertificateLayer::new(&says.identity());
        let at = Listening::serve(nothing().layer(layer.clone())).await;
        says.base_url = at.url.to_string();
        layer.replace(&says.identity());
        Self { says, at, layer }
    }

    /// Serves something else from now on.
    pub(crate) fn say(&mut self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says);
        self.layer.replace(&self.says.identity());
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.says.identity().certificate().fingerprint().to_string()
    }
}
