//! Other applications, which listen on loopback.

use std::sync::LazyLock;

use axum::Router;
use http::StatusCode;
use taa_core::certificate::KeyStatus;
use taa_core::crypto::{AwsLc, Random, SystemRandom};
use taa_core::id::AppId;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::legacy::{CERTIFICATE_PATH, CertificatePage, LegacySigningKey, Version};
use taa_server::CertificateLayer;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Keys take long to make: a few are enough for all tests.
static SIGNING: LazyLock<[SigningKey; 4]> =
    LazyLock::new(|| std::array::from_fn(|_| SigningKey::generate(&AwsLc, KeySize::Rsa2048).unwrap()));
static DECRYPTION: LazyLock<[DecryptingKey; 2]> =
    LazyLock::new(|| std::array::from_fn(|_| DecryptingKey::generate(&AwsLc, KeySize::Rsa2048).unwrap()));
static LEGACY: LazyLock<LegacySigningKey> =
    LazyLock::new(|| LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out)).unwrap());

/// What a peer says of itself.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) seq: u64,
    /// Which of the keys, where it stands, and when it ends.
    pub(crate) signing: Vec<(usize, KeyStatus, Option<u64>)>,
    pub(crate) decryption: Option<usize>,
}

impl Says {
    fn identity(&self) -> Identity {
        let profile = Profile {
            id: AppId::parse(&self.id).unwrap(),
            name: self.name.clone(),
            base_url: self.base_url.parse().unwrap(),
            seq: self.seq,
            iat: 1_780_000_000 + self.seq,
            older_protocols: Vec::new(),
        };
        let signing = self.signing.iter().map(|(key, status, exp)| OwnKey {
            key: SIGNING[*key].clone(),
            status: *status,
            exp: *exp,
        });
        let decryption = self.decryption.map(|key| OwnKey::current(DECRYPTION[key].clone()));
        Identity::new(profile, signing.collect(), decryption.into_iter().collect()).unwrap()
    }
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

    /// Shows the certificate page of the older versions.
    pub(crate) async fn older(id: &str) -> Self {
        let page = CertificatePage::write(&AppId::parse(id).unwrap(), LEGACY.verifying_key(), Version::V2);
        Self::serve(Router::new().route(CERTIFICATE_PATH, axum::routing::get(async move || page))).await
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
    /// `wiki:1`, with the first keys.
    pub(crate) async fn wiki() -> Self {
        Self::new("wiki:1", "Engineering wiki", 0).await
    }

    /// A peer with the signing key of this number.
    pub(crate) async fn new(id: &str, name: &str, key: usize) -> Self {
        let mut says = Says {
            id: id.to_owned(),
            name: name.to_owned(),
            base_url: "https://elsewhere.example/".into(),
            seq: 1,
            signing: vec![(key, KeyStatus::Current, None)],
            decryption: (key < 2).then_some(key),
        };
        let layer = CertificateLayer::new(&says.identity());
        let at =
            Listening::serve(Router::new().fallback(async || StatusCode::NOT_FOUND).layer(layer.clone()))
                .await;
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

    pub(crate) fn url(&self) -> &str {
        self.at.url.as_str()
    }
}
