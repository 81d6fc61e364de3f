//! A tracker with a store, and a wiki that calls it. The clock is moved by hand.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use taa_client::{ServerRecord, Signer, TrustStatus};
use taa_core::answer::Code;
use taa_core::certificate::Certificate;
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::envelope::Lifetime;
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::policy::{AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Protocol};
use taa_core::time::{Clock, ManualClock, UnixMillis};
use taa_server::resolver::StaticUsers;
use taa_server::{PeerAddress, Trust, TrustBuilder};
use taa_service::Keeper;
use taa_store::model::{Actor, NewApplication, NewIdentity, NewServer, PeerKeys, Rules};
use taa_store::{OpenOptions, Store};
use tower::{Layer, ServiceExt};

pub(crate) const START: UnixMillis = UnixMillis(1_800_000_000_000);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const TRACKER: &str = "tracker";
pub(crate) const WIKI: &str = "wiki";

pub(crate) fn provider() -> Arc<dyn CryptoProvider> {
    Arc::new(AwsLc)
}

pub(crate) fn id(text: &str) -> AppId {
    AppId::parse(text).unwrap()
}

pub(crate) fn admin() -> Actor {
    Actor::new("admin")
}

/// Keys are expensive, so tests share them: pairs of a signing and a decryption key.
static KEYS: LazyLock<Vec<(SigningKey, DecryptingKey)>> = LazyLock::new(|| {
    let size = KeySize::Rsa2048;
    let pair =
        |_| (SigningKey::generate(&AwsLc, size).unwrap(), DecryptingKey::generate(&AwsLc, size).unwrap());
    (0..3).map(pair).collect()
});

pub(crate) fn signing_key(number: usize) -> SigningKey {
    KEYS[number].0.clone()
}

/// A peer with the keys of this number.
pub(crate) fn peer(name: &str, base_url: &str, seq: u64, number: usize) -> Identity {
    let profile = Profile {
        id: id(name),
        name: name.into(),
        base_url: base_url.parse().unwrap(),
        seq,
        iat: START.seconds(),
        older_protocols: Vec::new(),
    };
    let (signing, decryption) = KEYS[number].clone();
    Identity::new(profile, vec![OwnKey::current(signing)], vec![OwnKey::current(decryption)]).unwrap()
}

pub(crate) fn wiki() -> Identity {
    peer(WIKI, "https://wiki.example/", 1, 0)
}

pub(crate) fn rules() -> Rules {
    Rules {
        addresses: AddressRules::parse_list("127.0.0.1").unwrap(),
        paths: PathRules::parse_list("/rest").unwrap(),
        methods: MethodRules::read_only(),
        never_as: NeverAs::default(),
        timeout: Duration::from_secs(60),
        min_protocol: Protocol::V4,
        allow_repeats: false,
    }
}

pub(crate) fn application(certificate: &Certificate, rules: Rules) -> NewApplication {
    let content = certificate.content();
    NewApplication {
        id: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        keys: PeerKeys { certificate: Some(certificate.clone()), legacy: None },
        rules,
    }
}

pub(crate) fn server(certificate: &Certificate) -> NewServer {
    let content = certificate.content();
    NewServer {
        id: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        certificate: Some(certificate.clone()),
        protocol: Protocol::V4,
        lifetime: Lifetime::default(),
        insecure_allow_http: false,
        require_content_digest: false,
    }
}

/// A folder with a store in it, and a clock. What runs on it comes and goes.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(ManualClock::new(START)) }
    }

    pub(crate) async fn open(&self) -> Store {
        let url = format!("sqlite:{}", self.folder.path().join("trust.db").display()).parse().unwrap();
        Store::open(OpenOptions::new(url, provider()).clock(self.clock.clone())).await.unwrap()
    }

    /// Statements of somebody who goes past the store.
    pub(crate) async fn sql(&self, statements: &str) {
        use sqlx::{ConnectOptions, Connection, Executor};
        let database = self.folder.path().join("trust.db");
        let mut connection =
            sqlx::sqlite::SqliteConnectOptions::new().filename(database).connect().await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(statements.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A store of the tracker.
    pub(crate) async fn initialised(&self) -> Store {
        let store = self.open().await;
        let new = NewIdentity {
            id: id(TRACKER),
            name: "Tracker".into(),
            base_url: "https://tracker.example/".parse().unwrap(),
            key_size: KeySize::Rsa2048,
        };
        store.init(new, &admin()).await.unwrap();
        store
    }

    /// The tracker as a process that starts now and trusts the wiki.
    pub(crate) async fn start(&self) -> Tracker {
        let fresh = self.open().await;
        let store = if fresh.snapshot().own.is_some() { fresh } else { self.initialised().await };
        if store.snapshot().application(WIKI).is_none() {
            store.add_application(application(wiki().certificate(), rules()), &admin()).await.unwrap();
        }
        Tracker::start(store, |builder| builder).await
    }
}

/// A process that answers.
pub(crate) struct Tracker {
    pub(crate) store: Store,
    pub(crate) keeper: Keeper,
    pub(crate) trust: Trust<StaticUsers>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Tracker {
    pub(crate) async fn start(
        store: Store,
        configure: impl FnOnce(TrustBuilder<StaticUsers>) -> TrustBuilder<StaticUsers>,
    ) -> Self {
        let keeper = Keeper::new(store.clone(), provider()).unwrap();
        let trust = keeper.trust(StaticUsers::new(["fred", "admin"]), configure).await.unwrap();
        let clock = Arc::clone(store.clock());
        Self { store, keeper, trust, clock }
    }

    /// A wiki that has fetched the tracker's certificate just now.
    pub(crate) fn caller(&self) -> Signer {
        self.caller_as(wiki())
    }

    pub(crate) fn caller_as(&self, identity: Identity) -> Signer {
        let record = ServerRecord::builder(self.trust.identity().certificate()).build().unwrap();
        Signer::builder(Arc::new(identity))
            .provider(provider())
            .clock(Arc::clone(&self.clock))
            .server(record)
            .build()
            .unwrap()
    }

    pub(crate) fn sign(&self, signer: &Signer, target: &str, user: &str) -> Signed {
        let request = Request::get(format!("https://tracker.example{target}")).body(()).unwrap();
        let (mut head, ()) = request.into_parts();
        let pending = signer.sign(&mut head, &UserName::parse(user).unwrap(), None).unwrap();
        head.extensions.insert(PeerAddress([127, 0, 0, 1].into()));
        Signed { head, pending }
    }

    /// What the tracker says, and the code if it refuses.
    pub(crate) async fn send(&self, signed: &Signed) -> Option<Code> {
        let handler = tower::service_fn(async |_| {
            Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let request = Request::from_parts(signed.head.clone(), Empty::<Bytes>::new());
        let answer = self.trust.layer().layer(handler).oneshot(request).await.unwrap();
        let (answer, _) = answer.into_parts();
        match signed.pending.read(&answer).status() {
            TrustStatus::Trusted => None,
            refused => Some(refused.code().unwrap_or(Code::Unknown)).map(|code| {
                // What is not proven says nothing to a client; here it counts all the same.
                let text = answer.headers.get(taa_core::fields::ERROR).unwrap().to_str().unwrap();
                taa_core::answer::ErrorText::parse(text).map_or(code, |text| text.code)
            }),
        }
    }

    pub(crate) async fn get(&self, signer: &Signer, target: &str, user: &str) -> Option<Code> {
        self.send(&self.sign(signer, target, user)).await
    }
}

/// A request as it goes over the wire.
pub(crate) struct Signed {
    head: http::request::Parts,
    pending: taa_client::Pending,
}

pub(crate) fn greatest(seconds: u64) -> GreatestTimeout {
    GreatestTimeout::new(Duration::from_secs(seconds)).unwrap()
}
