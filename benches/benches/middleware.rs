//! A request through the layer, with and without TAA: the tower service alone, no socket.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::Full;
use taa_benches::{Client, Speed, client_identity, many_nonces, parts, policy, server_identity};
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::directory::{Application, Directory};
use taa_core::identity::Identity;
use taa_core::key::{DecryptingKey, KeySize};
use taa_core::request::ContentDigest;
use taa_server::resolver::StaticUsers;
use taa_server::{PeerAddress, Trust};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

const SEARCH: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
const ISSUE: &str = "https://tracker.example/jira/rest/api/2/issue";
const ANSWER: &str = "{\"startAt\":0,\"maxResults\":50,\"total\":0,\"issues\":[]}";
const BITS: usize = 2048;

/// The server, and the client it trusts.
struct Site {
    provider: Arc<dyn CryptoProvider>,
    identity: Arc<Identity>,
    trust: Trust<StaticUsers>,
    runtime: Runtime,
}

impl Site {
    fn new() -> Self {
        let provider: Arc<dyn CryptoProvider> = Arc::new(AwsLc);
        let identity = client_identity(&*provider, BITS, "confluence:6512");
        let application =
            Application::new(&*provider, identity.certificate(), policy()).expect("an application");
        // Made here: with an old key everything would be refused for a minute.
        let decryption = DecryptingKey::generate(&*provider, KeySize::Rsa2048).expect("a decryption key");
        let directory = Directory::new([application]).expect("a directory");
        let users = StaticUsers::new(["fred"]);
        let trust = Trust::builder(server_identity(&*provider, decryption), directory, users)
            .nonce_limits(many_nonces())
            .decryptions_per_second(NonZeroU32::MAX)
            .signature_checks_per_second(NonZeroU32::MAX)
            .build()
            .expect("a server");
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        Self { provider, identity, trust, runtime }
    }

    fn client(&self) -> Client {
        Client::new(&self.provider, &self.identity, self.trust.identity().certificate())
    }
}

/// The application behind the layer: a small answer, whatever was asked.
async fn handler<B>(_: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

/// As the server's connection hands it over: the target in origin-form, the peer's address beside it.
fn received(mut parts: Parts, body: Bytes) -> Request<Full<Bytes>> {
    parts.uri = Uri::from(parts.uri.path_and_query().expect("a path").clone());
    parts.extensions.insert(PeerAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    Request::from_parts(parts, Full::new(body))
}

/// One request after the other, each made before the clock runs.
fn bench<S, B>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    name: &str,
    status: StatusCode,
    service: &S,
    mut make: impl FnMut() -> Request<Full<Bytes>>,
) where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
{
    group.bench_function(name, |bencher| {
        bencher.to_async(runtime).iter_batched(
            &mut make,
            |request| {
                let service = service.clone();
                async move {
                    let response = match service.oneshot(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    };
                    assert_eq!(response.status(), status);
                    response
                }
            },
            BatchSize::NumIterations(64),
        );
    });
}

fn middleware(criterion: &mut Criterion) {
    let site = Site::new();
    let bare = service_fn(handler::<Full<Bytes>>);
    let trusting = site.trust.layer().layer(service_fn(handler));
    let client = site.client();
    let stranger_identity = client_identity(&*site.provider, BITS, "stranger");
    let stranger = Client::new(&site.provider, &stranger_identity, site.trust.identity().certificate());

    let content = Bytes::from(vec![b'x'; 4096]);
    let digest = ContentDigest::of(&content);
    let plain = || received(parts("GET", SEARCH), Bytes::new());
    let get = || received(client.signed(parts("GET", SEARCH), None), Bytes::new());
    let post = || received(client.signed(parts("POST", ISSUE), Some(&digest)), content.clone());
    let unknown = || received(stranger.signed(parts("GET", SEARCH), None), Bytes::new());
    let first = || received(site.client().signed(parts("GET", SEARCH), None), Bytes::new());

    let (ok, refused) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    let mut group = Speed::Symmetric.group(criterion, "middleware");
    bench(&mut group, &site.runtime, "bare service", ok, &bare, plain);
    bench(&mut group, &site.runtime, "layer, no TAA fields", ok, &trusting, plain);
    bench(&mut group, &site.runtime, "layer, GET in session", ok, &trusting, get);
    bench(&mut group, &site.runtime, "layer, POST 4 KiB in session", ok, &trusting, post);
    bench(&mut group, &site.runtime, "layer, unknown application", refused, &trusting, unknown);
    group.finish();
    let mut group = Speed::Rsa.group(criterion, "middleware/rsa");
    bench(&mut group, &site.runtime, "layer, new session", ok, &trusting, first);
    group.finish();
}

criterion_group!(benches, middleware);
criterion_main!(benches);
