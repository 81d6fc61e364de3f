use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::HeaderMap;
use taa_client::Signer;
use taa_core::certificate::Certificate;
use taa_core::crypto::{AwsLc, Random, SystemRandom};
use taa_core::envelope::Lifetime;
use taa_core::id::{AppId, UserName};
use taa_core::key::KeySize;
use taa_core::policy::{AddressRules, MethodRules, NeverAs, PathRules, Protocol};
use taa_server::Principal;
use taa_server::resolver::StaticUsers;
use taa_service::{Keeper, KeeperOptions};
use taa_store::model::{Actor, NewApplication, NewIdentity, NewServer, PeerKeys, Rules};
use taa_store::redis::RedisOptions;
use taa_store::{OpenOptions, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::schema::Schema;

const BASE_URL: &str = "https://tracker.example/";

fn anna() -> Actor {
    Actor::new("anna")
}

async fn open(url: &str) -> Store {
    Store::open(OpenOptions::new(url.parse().unwrap(), Arc::new(AwsLc))).await.unwrap()
}

fn certificate(store: &Store) -> Certificate {
    store.snapshot().own.as_ref().unwrap().certificate.clone()
}

/// Two nodes of one tracker.
pub(super) struct Cluster {
    pub(super) one: Node,
    pub(super) two: Node,
    schema: Schema,
}

impl Cluster {
    pub(super) async fn start() -> Self {
        // The server id is new for each test, because Redis is shared, and so is the schema.
        let mut random = [0; 8];
        SystemRandom.fill(&mut random).unwrap();
        let number = u64::from_be_bytes(random);
        let schema = Schema::make(&format!("taa_cluster_{number:x}")).await;
        let store = open(&schema.url()).await;
        let new = NewIdentity {
            id: AppId::parse(&format!("jira:{number:x}")).unwrap(),
            name: "Tracker".into(),
            base_url: BASE_URL.parse().unwrap(),
            key_size: KeySize::Rsa2048,
        };
        store.init(new, &anna()).await.unwrap();
        store.close().await;
        let one = Node::start(&schema.url(), "one").await;
        let two = Node::start(&schema.url(), "two").await;
        Self { one, two, schema }
    }

    /// Takes over the wiki's certificate, as the background refresh does.
    pub(super) async fn refresh(&self, wiki: &Wiki) {
        let certificate = certificate(&wiki.store);
        self.one.store.replace_certificate(&certificate, None, false, &Actor::system()).await.unwrap();
    }

    pub(super) async fn end(self) {
        for node in [self.one, self.two] {
            node.serving.abort();
            node.keeping.abort();
            node.store.close().await;
        }
        self.schema.drop().await;
    }
}

/// One process of the tracker, but for the process.
pub(super) struct Node {
    pub(super) store: Store,
    pub(super) keeper: Keeper,
    address: SocketAddr,
    serving: JoinHandle<()>,
    keeping: JoinHandle<()>,
}

impl Node {
    async fn start(url: &str, label: &str) -> Self {
        let store = open(url).await;
        let redis = std::env::var_os("TAA_TEST_REDIS").map(|url| url.into_string().unwrap());
        let redis = redis.unwrap_or_else(|| "redis://127.0.0.1:6379/".into());
        let options = KeeperOptions::default().label(label);
        let keeper = Keeper::with_options(store.clone(), Arc::new(AwsLc), options).unwrap();
        keeper.redis_nonces(&redis, RedisOptions::default()).await.unwrap();
        let trust = keeper
            .trust(StaticUsers::new(["admin", "fred"]), |builder| {
                builder.replicas(2).peer_address(|extensions| {
                    extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
                })
            })
            .await
            .unwrap();
        let router = Router::new()
            .route("/rest/api/2/myself", get(async |principal: Principal| principal.user().to_string()))
            .layer(trust.layer())
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let keeping = tokio::spawn(keeper.run());
        Self { store, keeper, address, serving, keeping }
    }

    /// The code it answers with; empty when the request was carried out.
    pub(super) async fn send(&self, fields: &HeaderMap) -> String {
        let url = format!("http://{}/rest/api/2/myself", self.address);
        let answer = reqwest::Client::new().get(url).headers(fields.clone()).send().await.unwrap();
        let error = answer.headers().get("x-seraph-trusted-app-error").cloned();
        let error = error.map(|value| value.to_str().unwrap().split(';').next().unwrap().to_owned());
        assert_eq!(error.is_none(), answer.status().is_success());
        error.unwrap_or_default()
    }
}

/// The application that both nodes trust.
pub(super) struct Wiki {
    pub(super) store: Store,
    signer: Signer,
    id: AppId,
    keeping: JoinHandle<()>,
    _folder: TempDir,
}

impl Wiki {
    pub(super) async fn trusted_by(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&format!("sqlite:{}", folder.path().join("wiki.db").display())).await;
        let base_url: Url = "https://wiki.example/".parse().unwrap();
        let id = AppId::parse("confluence:1").unwrap();
        let new = NewIdentity {
            id: id.clone(),
            name: "Wiki".into(),
            base_url: base_url.clone(),
            key_size: KeySize::Rsa2048,
        };
        store.init(new, &anna()).await.unwrap();
        let tracker = certificate(&cluster.one.store);
        let server = NewServer {
            id: tracker.content().iss.clone(),
            name: "Tracker".into(),
            base_url: BASE_URL.parse().unwrap(),
            certificate: Some(tracker),
            protocol: Protocol::V4,
            lifetime: Lifetime::default(),
            insecure_allow_http: false,
            require_content_digest: false,
        };
        store.add_server(server, &anna()).await.unwrap();
        let application = NewApplication {
            id: id.clone(),
            name: "Wiki".into(),
            base_url,
            keys: PeerKeys { certificate: Some(certificate(&store)), legacy: None },
            rules: Rules {
                addresses: AddressRules::parse_list("127.0.0.1").unwrap(),
                paths: PathRules::parse_list("/rest").unwrap(),
                methods: MethodRules::parse_list("GET").unwrap(),
                never_as: NeverAs::default(),
                timeout: Duration::from_secs(60),
                min_protocol: Protocol::V4,
                allow_repeats: false,
            },
        };
        cluster.one.store.add_application(application, &anna()).await.unwrap();
        cluster.two.store.poll().await.unwrap();
        let keeper = Keeper::new(store.clone(), Arc::new(AwsLc)).unwrap();
        let signer = keeper.signer().unwrap();
        let keeping = tokio::spawn(keeper.run());
        Self { store, signer, id, keeping, _folder: folder }
    }

    pub(super) fn id(&self) -> &AppId {
        &self.id
    }

    /// The fields of one signed request.
    pub(super) fn sign(&self, user: &str) -> HeaderMap {
        let request = http::Request::get(format!("{BASE_URL}rest/api/2/myself")).body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        self.signer.sign(&mut parts, &UserName::parse(user).unwrap(), None).unwrap();
        parts.headers
    }

    /// Takes over the tracker's certificate, as the background refresh does.
    pub(super) async fn refresh(&self, cluster: &Cluster) {
        let certificate = certificate(&cluster.two.store);
        self.store.replace_certificate(&certificate, None, false, &Actor::system()).await.unwrap();
    }
}

impl Drop for Wiki {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}
