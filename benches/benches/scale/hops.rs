use http::HeaderValue;
use taa_benches::{KnownSessions, Report, Verifier, client_identity};
use taa_core::policy::TrustedProxies;

use crate::scene::{BITS, Scene, client, provider, sizes};

/// Proxies that pass a request on, each of which writes where it came from.
pub(crate) fn measure(report: &mut Report) {
    let provider = provider();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let proxies = TrustedProxies::parse_list("127.0.0.1\n10.0.0.0/16").expect("proxies");
    let verifier = Verifier::new(&*provider, BITS, &identity).behind(proxies);
    let client = client(&provider, &identity, &verifier);
    let scene = Scene::new(verifier, KnownSessions::default(), vec![client]);
    for size in sizes(&[0, 1, 2, 5, 10, 20, 50]) {
        let field = (size > 0).then(|| HeaderValue::try_from(forwarded(size)).expect("a field"));
        let took = scene.time_with(|request| {
            if let Some(field) = &field {
                request.headers.insert("x-forwarded-for", field.clone());
            }
        });
        report.add("scale/hops", "decide", Some(size.into()), took.0, "ns");
    }
}

/// The client, and all proxies but the last, which is the socket's.
fn forwarded(hops: u32) -> String {
    let proxies = (1..hops).map(|number| format!(", 10.0.0.{number}"));
    std::iter::once("10.255.0.1".to_owned()).chain(proxies).collect()
}
