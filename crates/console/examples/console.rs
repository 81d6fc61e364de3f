//! Run with `cargo run -p taa-console --example console -- 127.0.0.1:8099`, then open <http://127.0.0.1:8099/admin/trust>
//!
//! The console over a temporary store with sample data. Whoever reaches the address is an administrator, so it only
//! listens on loopback. Three peers listen beside it, so that certificates can be fetched.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use http::StatusCode;
use http::request::Parts;
use taa_console::{Access, AdminCheck, AdminCheckError, Administrator, Console};
use taa_core::certificate::KeyStatus;
use taa_core::crypto::AwsLc;
use taa_core::id::{AppId, KeyId};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::time::UnixMillis;
use taa_server::CertificateLayer;
use taa_server::resolver::{NameTransform, StaticUsers};
use taa_service::refresh::Refresher;
use taa_service::{FetchWhat, OutgoingText, SaveWhat, Setup};
use taa_store::model::{Actor, ApplicationUpdate, KeyPurpose, NewIdentity, Node, Refreshed};
use taa_store::{OpenOptions, Store};
use tokio::net::TcpListener;
use url::Url;

/// FOR TRYING OUT ONLY: everybody who reaches this address is an administrator, in one and the same session.
struct InsecureEverybodyIsAdministrator;

impl AdminCheck for InsecureEverybodyIsAdministrator {
    async fn check(&self, _: &Parts) -> Result<Access, AdminCheckError> {
        Ok(Access::Administrator(Administrator::new("anna (trying out)", *b"everybody is in this session")))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8099".to_owned());
    let address: SocketAddr = address.parse().context("the address is IP:PORT")?;
    ensure!(
        address.ip().is_loopback(),
        "only loopback: everybody who reaches this console is an administrator"
    );

    let folder = tempfile::tempdir()?;
    let place = format!("sqlite:{}", folder.path().join("trust.db").display()).parse()?;
    let store = Store::open(OpenOptions::new(place, Arc::new(AwsLc))).await?;
    let setup = Setup::new(store.clone(), Arc::new(AwsLc))?;
    let refresher = Refresher::new(store.clone(), Arc::new(AwsLc))?;
    fill(&store, &setup).await?;

    let console = Console::builder(store, setup, refresher, InsecureEverybodyIsAdministrator)
        .service("Tracker", "/")
        .users(StaticUsers::new(["anna", "fred"]).with_blocked("gone"), NameTransform::LowerCase)
        .build()?;
    let router = Router::new()
        .route("/", get(async || Redirect::to("/admin/trust")))
        .nest("/admin/trust", console.router())
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind(address).await?;
    tracing::info!("http://{}/admin/trust", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// Sample data: what a tracker has after some weeks.
async fn fill(store: &Store, setup: &Setup) -> Result<()> {
    let anna = Actor::new("anna");
    let now = store.clock().wall()?;
    let own = NewIdentity {
        id: AppId::parse("jira:4711")?,
        name: "Tracker".into(),
        base_url: "https://tracker.example/jira".parse()?,
        key_size: KeySize::Rsa2048,
    };
    store.init(own, &anna).await?;
    store.publish_next_key(KeyPurpose::Decryption, &anna).await?;

    let wiki = Peer { id: "confluence:6512", name: "Engineering wiki", end: None }.listen().await?;
    let review = Peer { id: "crucible:17", name: "Code review", end: Some(11) }.listen().await?;
    let build = Peer { id: "bamboo:build-farm", name: "Build farm", end: None }.listen().await?;
    tracing::info!("to fetch: {}", Peer { id: "stash:3", name: "Sources", end: None }.listen().await?);
    for (base_url, outgoing) in [(&wiki, true), (&review, false), (&build, true)] {
        let fetched =
            setup.fetch(&FetchWhat { base_url: base_url.to_string(), ..FetchWhat::default() }, &anna).await?;
        let what = SaveWhat {
            incoming: Some(fetched.suggested.clone()),
            outgoing: outgoing.then(OutgoingText::default),
        };
        setup.save(&fetched.pending.id, &fetched.pending.fingerprint(), &what, &anna).await?;
    }

    let wiki = AppId::parse("confluence:6512")?;
    let snapshot = store.snapshot();
    let known = snapshot.application(wiki.as_str()).context("the wiki was just saved")?;
    let mut rules = known.rules.clone();
    rules.addresses = "192.0.2.10\n192.0.2.11\n2001:db8::/64\n198.51.100.0/24"
        .split('\n')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    rules.never_as = ["admin", "svc-*"].map(str::parse).into_iter().collect::<Result<_, _>>()?;
    let update = ApplicationUpdate { version: known.version, name: known.name.clone(), rules };
    store.update_application(&wiki, update, &Actor::new("bert")).await?;
    let key: Option<KeyId> = known.keys.certificate.as_ref().and_then(|held| {
        held.content().current(taa_core::certificate::KeyUse::Signing).map(|key| key.public.id())
    });
    store.note_use(&[(wiki.clone(), key, now.minus(Duration::from_secs(420)))]).await?;
    let clone = Refreshed {
        at: now,
        problem: Some("Its certificate now says that it lives at https://staging.example/: a move, or a clone with the same id.".into()),
        other_base_url: Some("https://staging.example/".parse()?),
    };
    store.note_refresh(&AppId::parse("crucible:17")?, clone).await?;
    store.set_application_enabled(&AppId::parse("bamboo:build-farm")?, false, &Actor::new("bert")).await?;
    store.revoke_user("bert.left".parse()?, &anna).await?;
    store.revoke_user("svc-*".parse()?, &anna).await?;
    for (label, ago) in [("tracker-1 (4711)", 1), ("tracker-2 (812)", 3_600)] {
        let node = Node {
            id: format!("{ago:032x}"),
            label: label.into(),
            software: env!("CARGO_PKG_VERSION").into(),
            shared_nonces: false,
            started: now.minus(Duration::from_secs(90_000)),
            last_seen: now.minus(Duration::from_secs(ago)),
        };
        store.note_node(&node).await?;
    }
    Ok(())
}

/// Another application, which serves its certificate on loopback.
struct Peer {
    id: &'static str,
    name: &'static str,
    /// In how many days its signing key ends.
    end: Option<u64>,
}

impl Peer {
    async fn listen(self) -> Result<Url> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url: Url = format!("http://{}/", listener.local_addr()?).parse()?;
        let now: UnixMillis = taa_core::time::Clock::wall(&taa_core::time::SystemClock::new())?;
        let profile = Profile {
            id: AppId::parse(self.id)?,
            name: self.name.into(),
            base_url: base_url.clone(),
            seq: 7,
            iat: now.seconds(),
            older_protocols: Vec::new(),
        };
        let signing = OwnKey {
            key: SigningKey::generate(&AwsLc, KeySize::Rsa2048)?,
            status: KeyStatus::Current,
            exp: self.end.map(|days| now.seconds().saturating_add(days * 86_400)),
        };
        let decryption = OwnKey::current(DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?);
        let identity = Identity::new(profile, vec![signing], vec![decryption])?;
        let router =
            Router::new().fallback(async || StatusCode::NOT_FOUND).layer(CertificateLayer::new(&identity));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(base_url)
    }
}
