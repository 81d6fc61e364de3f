//! Listeners on ports that the system chooses, and clients for them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use taa_client::{ServerRecord, SignLayer, SignService, Signer};
use taa_core::envelope::Lifetime;
use taa_core::time::Clock;
use taa_server::PeerAddress;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};

use crate::layer::world::{Handler, KEYS, Setup, WIKI, World, client_identity};

/// Serves HTTP/1.1 and HTTP/2 until the test ends.
pub(super) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let service = service.clone().map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(PeerAddress(peer.ip()));
                request
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let service = TowerToHyperService::new(service);
                let _closed = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// As [`serve`], by axum.
pub(super) async fn serve_axum(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback_service(world.handler.clone()).layer(world.trust.layer());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

fn peer(extensions: &Extensions) -> Option<std::net::IpAddr> {
    let axum = || extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    extensions.get::<PeerAddress>().map(|peer| peer.0).or_else(axum)
}

/// A server for sockets.
pub(super) fn world(handler: Handler) -> World {
    Setup::default().handler(handler).build_with(|builder| builder.peer_address(peer))
}

/// Signs for the server of `world` at this address, by this clock.
pub(super) fn signer_with(
    world: &World,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    lifetime: u32,
) -> Signer {
    let record = ServerRecord::builder(world.trust.identity().certificate())
        .base_url(format!("http://{address}/").parse().unwrap())
        .lifetime(Lifetime::from_secs(lifetime).unwrap())
        .build()
        .unwrap();
    Signer::builder(Arc::new(client_identity(WIKI, &KEYS[0]))).server(record).clock(clock).build().unwrap()
}

pub(super) fn signer(world: &World, address: SocketAddr) -> Signer {
    signer_with(world, address, world.clock.clone(), 300)
}

pub(super) type Hyper = SignService<Client<HttpConnector, Full<Bytes>>>;

/// A hyper client that signs.
pub(super) fn hyper_client(signer: Signer, http2: bool) -> Hyper {
    let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
    SignLayer::new(signer).layer(client)
}

/// A reqwest client that signs.
pub(super) fn reqwest_client(signer: Signer, http2: bool) -> reqwest_middleware::ClientWithMiddleware {
    let builder = reqwest::Client::builder().no_proxy();
    let builder = if http2 { builder.http2_prior_knowledge() } else { builder };
    taa_client::reqwest::client(signer, builder).unwrap()
}
