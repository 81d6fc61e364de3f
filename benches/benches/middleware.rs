//! A request through the layer, with and without TAA: the tower service alone, no socket.

use std::convert::Infallible;

use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use taa_benches::{Site, Speed, handler, parts, received};
use taa_core::request::ContentDigest;
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

const SEARCH: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
const ISSUE: &str = "https://tracker.example/jira/rest/api/2/issue";

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
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(handler::<Full<Bytes>>);
    let trusting = site.trust().layer().layer(service_fn(handler));
    let (client, stranger) = (site.client(), site.stranger());

    let content = Bytes::from(vec![b'x'; 4096]);
    let digest = ContentDigest::of(&content);
    let plain = || received(parts("GET", SEARCH), Bytes::new());
    let get = || received(client.signed(parts("GET", SEARCH), None), Bytes::new());
    let post = || received(client.signed(parts("POST", ISSUE), Some(&digest)), content.clone());
    let unknown = || received(stranger.signed(parts("GET", SEARCH), None), Bytes::new());
    let first = || received(site.client().signed(parts("GET", SEARCH), None), Bytes::new());

    let (ok, refused) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    let mut group = Speed::Symmetric.group(criterion, "middleware");
    bench(&mut group, &runtime, "bare service", ok, &bare, plain);
    bench(&mut group, &runtime, "layer, no TAA fields", ok, &trusting, plain);
    bench(&mut group, &runtime, "layer, GET in session", ok, &trusting, get);
    bench(&mut group, &runtime, "layer, POST 4 KiB in session", ok, &trusting, post);
    bench(&mut group, &runtime, "layer, unknown application", refused, &trusting, unknown);
    group.finish();
    let mut group = Speed::Rsa.group(criterion, "middleware/rsa");
    bench(&mut group, &runtime, "layer, new session", ok, &trusting, first);
    group.finish();
}

criterion_group!(benches, middleware);
criterion_main!(benches);
