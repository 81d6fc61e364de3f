//! Two applications on loopback, each with its store and console.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use http::request::Parts;
use taa_console::{Access, AdminCheck, AdminCheckError, Administrator, Console};
use taa_core::crypto::AwsLc;
use taa_core::id::AppId;
use taa_core::key::KeySize;
use taa_server::CertificateLayer;
use taa_server::resolver::{NameTransform, StaticUsers};
use taa_service::Setup;
use taa_service::refresh::Refresher;
use taa_store::model::{Actor, NewIdentity};
use taa_store::{OpenOptions, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// One application.
pub(super) struct Application {
    pub(super) base_url: String,
    pub(super) store: Store,
    _folder: TempDir,
}

/// The session is the service's affair; here there is one.
struct Anna;

impl AdminCheck for Anna {
    async fn check(&self, _: &Parts) -> Result<Access, AdminCheckError> {
        Ok(Access::Administrator(Administrator::new("anna", *b"a session that only the test has")))
    }
}

impl Application {
    /// Starts it with a new identity and nobody whom it trusts.
    pub(super) async fn start(id: &str, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = format!("sqlite:{}", folder.path().join("trust.db").display()).parse().unwrap();
        let store = Store::open(OpenOptions::new(place, Arc::new(AwsLc))).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let new = NewIdentity {
            id: AppId::parse(id).unwrap(),
            name: name.into(),
            base_url: base_url.parse().unwrap(),
            key_size: KeySize::Rsa2048,
        };
        let snapshot = store.init(new, &Actor::new("anna")).await.unwrap();
        let identity = Arc::clone(&snapshot.secrets.as_ref().unwrap().identity);
        let console = Console::builder(
            store.clone(),
            Setup::new(store.clone(), Arc::new(AwsLc)).unwrap(),
            Refresher::new(store.clone(), Arc::new(AwsLc)).unwrap(),
            Anna,
        )
        .service(name, "/")
        .users(StaticUsers::new(["admin", "fred"]), NameTransform::LowerCase)
        .build()
        .unwrap();
        let router = Router::new()
            .nest("/admin/trust", console.router())
            .layer(CertificateLayer::new(&identity))
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, store, _folder: folder }
    }

    /// A page of its console.
    pub(super) fn console(&self, path: &str) -> String {
        format!("{}/admin/trust{path}", self.base_url)
    }
}
