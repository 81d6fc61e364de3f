use http::HeaderValue;
use taa_benches::{KnownSessions, Report, Verifier, client_identity};
use taa_core::policy::TrustedProxies;

use crate::scene::{BITS, Scene, client, provider, sizes};

/// A field of so many entries.
type Written = fn(u32) -> String;

/// `X-Forwarded-For` of many entries. Trusted proxies wrote them all, each where the request came from; or the client wrote them,
/// and the one proxy the last.
pub(crate) fn measure(report: &mut Report) {
    let provider = provider();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let proxies = TrustedProxies::parse_list("127.0.0.1\n10.0.0.0/16").expect("proxies");
    let verifier = Verifier::new(&*provider, BITS, &identity).behind(proxies);
    let client = client(&provider, &identity, &verifier);
    let scene = Scene::new(verifier, KnownSessions::default(), vec![client]);
    let cases: [(&str, Written); 2] = [("by proxies", by_proxies), ("by the client", by_the_client)];
    for (case, written) in cases {
        for size in sizes(&[0, 1, 2, 5, 10, 20, 50]) {
            let field = (size > 0).then(|| HeaderValue::try_from(written(size)).expect("a field"));
            let took = scene.time_with(|request| {
                if let Some(field) = &field {
                    request.headers.insert("x-forwarded-for", field.clone());
                }
            });
            report.add("scale/hops", case, Some(size.into()), took.0, "ns");
        }
    }
}

/// The client, and all proxies but the last, which is the socket's.
fn by_proxies(entries: u32) -> String {
    let proxies = (1..entries).map(|number| format!(", 10.0.0.{number}"));
    std::iter::once("10.255.0.1".to_owned()).chain(proxies).collect()
}

/// What a client makes up, and the client.
fn by_the_client(entries: u32) -> String {
    let made_up = (1..entries).map(|number| format!("10.0.0.{number}, "));
    made_up.chain(std::iter::once("10.255.0.1".to_owned())).collect()
}
