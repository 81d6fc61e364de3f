//! A tracker with a console, and somebody in front of it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use taa_console::{Access, AdminCheck, AdminCheckError, Administrator, Console, ConsoleBuilder, FormKey};
use taa_core::crypto::AwsLc;
use taa_core::id::AppId;
use taa_core::key::KeySize;
use taa_core::time::{ManualClock, UnixMillis};
use taa_server::PeerAddress;
use taa_service::refresh::Refresher;
use taa_service::{FetchWhat, OutgoingText, SaveWhat, Setup};
use taa_store::model::{Actor, NewIdentity};
use taa_store::{OpenOptions, Store};
use tower::ServiceExt;
use url::form_urlencoded;

use crate::html::Page;
use crate::peers::Peer;

/// 2026-09-21T14:13:20Z.
pub(crate) const START: UnixMillis = UnixMillis(1_790_000_000_000);
/// Where the console is mounted unless a test says otherwise.
pub(crate) const BASE: &str = "/admin/trust";

/// Who asks is what the field `x-session` says.
pub(crate) struct Check;

impl AdminCheck for Check {
    async fn check(&self, request: &Parts) -> Result<Access, AdminCheckError> {
        let session = request.headers.get("x-session").map(|value| value.to_str().unwrap());
        Ok(match session {
            None => Access::NotLoggedIn { log_in_at: Some(format!("/login?page={}", request.uri.path())) },
            Some("nobody") => Access::NotLoggedIn { log_in_at: None },
            Some("user") => Access::NotAdministrator,
            Some("panic") => panic!("the check panics"),
            Some("error") => return Err(AdminCheckError::new("the user base is away")),
            Some("blank") => Access::Administrator(Administrator::new("anna", Vec::new())),
            Some("stale") => {
                Access::Administrator(Administrator::new("anna", "stale").must_confirm_at("/login/confirm"))
            }
            Some(session) => {
                let name = session.split('/').next().unwrap();
                Access::Administrator(Administrator::new(name, session))
            }
        })
    }
}

/// A tracker.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) setup: Setup,
    pub(crate) router: Router,
    pub(crate) base: &'static str,
    pub(crate) database: String,
    _dir: tempfile::TempDir,
}

/// Keys take long to make: one tracker's database is copied for every test.
static MADE: LazyLock<tokio::sync::OnceCell<Vec<u8>>> = LazyLock::new(tokio::sync::OnceCell::new);

async fn made() -> &'static [u8] {
    MADE.get_or_init(|| async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made.db");
        let store = open(&path.display().to_string(), Arc::new(ManualClock::new(START))).await;
        let identity = NewIdentity {
            id: AppId::parse("tracker:1").unwrap(),
            name: "Tracker".into(),
            base_url: "https://tracker.example/jira".parse().unwrap(),
            key_size: KeySize::Rsa2048,
        };
        store.init(identity, &Actor::new("cli:root")).await.unwrap();
        store.close().await;
        std::fs::read(path).unwrap()
    })
    .await
}

async fn open(path: &str, clock: Arc<ManualClock>) -> Store {
    let url = format!("sqlite:{path}").parse().unwrap();
    Store::open(OpenOptions::new(url, Arc::new(AwsLc)).clock(clock)).await.unwrap()
}

impl World {
    /// A tracker that exists and knows nobody.
    pub(crate) async fn new() -> Self {
        Self::with(BASE, |console| console).await
    }

    /// One with another mount path or other settings.
    pub(crate) async fn with(
        base: &'static str,
        settings: impl FnOnce(ConsoleBuilder) -> ConsoleBuilder,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("trust.db").display().to_string();
        std::fs::write(&database, made().await).unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let store = open(&database, Arc::clone(&clock)).await;
        let setup = Setup::new(store.clone(), Arc::new(AwsLc)).unwrap();
        let refresher = Refresher::new(store.clone(), Arc::new(AwsLc)).unwrap();
        let console = Console::builder(store.clone(), setup.clone(), refresher, Check)
            .service("Tracker <1>", "/")
            .form_key(FormKey::new([7; 32]));
        let console = settings(console).build().unwrap();
        let router = match base {
            "" => console.router(),
            base => Router::new().nest(base, console.router()),
        };
        Self { store, clock, setup, router, base, database, _dir: dir }
    }

    /// One before `taa init`.
    pub(crate) async fn empty() -> Self {
        let world = Self::new().await;
        for table in ["taa_own", "taa_own_keys"] {
            world.sql(&format!("DELETE FROM {table}")).await;
        }
        world.sql("UPDATE taa_state SET generation = generation + 1, own_generation = generation + 1").await;
        world.store.poll().await.unwrap();
        world
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn sql(&self, statement: &str) {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.database);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub(crate) fn generation(&self) -> u64 {
        self.store.snapshot().generation
    }

    /// Trusts a peer, as its suggested rules have it, and calls it too if asked to.
    pub(crate) async fn trust(&self, peer: &Peer, incoming: bool, outgoing: bool) {
        let what = FetchWhat { base_url: peer.at.url.to_string(), ..FetchWhat::default() };
        let by = Actor::new("anna");
        let fetched = self.setup.fetch(&what, &by).await.unwrap();
        let what = SaveWhat {
            incoming: incoming.then(|| fetched.suggested.clone()),
            outgoing: outgoing.then(OutgoingText::default),
        };
        self.setup.save(&fetched.pending.id, &fetched.pending.fingerprint(), &what, &by).await.unwrap();
    }

    // ---- asking ------------------------------------------------------------------------------------------------

    /// Sends a request. `path` is below the console's.
    pub(crate) async fn send(&self, request: Asking) -> Answer {
        let path = match request.path.as_str() {
            "/" if !self.base.is_empty() => "",
            path => path,
        };
        let mut sent = Request::builder()
            .method(request.method)
            .uri(format!("{}{path}", self.base))
            .header(header::HOST, "tracker.example");
        for (name, value) in &request.fields {
            sent = sent.header(*name, value);
        }
        let mut sent = sent.body(Body::from(request.content)).unwrap();
        sent.extensions_mut().insert(PeerAddress("192.0.2.77".parse().unwrap()));
        let answer = self.router.clone().oneshot(sent).await.unwrap();
        let (parts, body) = answer.into_parts();
        let content = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(content.to_vec()).unwrap(),
        }
    }

    /// A page, as the administrator Anna sees it.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Asking::get(path).anna()).await
    }

    /// A page that is there.
    pub(crate) async fn page(&self, path: &str) -> Page {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.page()
    }

    /// A form, with the token of Anna's session.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.send(Asking::form(path, &all).anna()).await
    }

    /// The token of the forms of Anna's session.
    pub(crate) async fn token(&self) -> String {
        self.token_of("anna/1").await
    }

    pub(crate) async fn token_of(&self, session: &str) -> String {
        let answer = self.send(Asking::get("/users").field("x-session", session)).await;
        answer.page().value("token").unwrap()
    }

    /// A call of the REST interface, as a program sends it.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        content: Option<serde_json::Value>,
    ) -> Answer {
        let mut request = Asking::new(method, &format!("/api{path}")).anna().field("x-taa-console", "1");
        if let Some(content) = content {
            request = request.field("content-type", "application/json");
            request.content = content.to_string();
        }
        self.send(request).await
    }

    /// What the REST interface says.
    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.call(Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) content: String,
}

impl Asking {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), fields: Vec::new(), content: String::new() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let content = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request =
            Self::new(Method::POST, path).field("content-type", "application/x-www-form-urlencoded");
        Self { content, ..request }
    }

    pub(crate) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(crate) fn anna(self) -> Self {
        self.field("x-session", "anna/1")
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Where it redirects to, without the console's own path.
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        let location = self.header("location");
        location.strip_prefix(BASE).unwrap_or(location).to_owned()
    }

    pub(crate) fn page(&self) -> Page {
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{}", self.text);
        Page::read(&self.text)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts the status.
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}
