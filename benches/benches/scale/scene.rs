use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use taa_benches::{
    Client, KnownSessions, Nanos, Stopwatch, Verifier, client_identity, is_smoke_run, parts, policy,
};
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::decision::Sessions;
use taa_core::directory::{Application, Directory};
use taa_core::identity::Identity;
use taa_core::policy::Policy;

const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
pub(crate) const BITS: usize = 2048;

/// A server, and the clients whose requests it decides on, one after the other.
pub(crate) struct Scene {
    pub(crate) verifier: Verifier,
    pub(crate) sessions: KnownSessions,
    clients: Vec<Client>,
}

impl Scene {
    /// Opens a session for each client.
    pub(crate) fn new(verifier: Verifier, sessions: KnownSessions, clients: Vec<Client>) -> Self {
        for client in &clients {
            let first = client.signed(parts("GET", URL), None);
            verifier.decide(&sessions, &first).expect("the first request opens the session");
        }
        Self { verifier, sessions, clients }
    }

    /// A server with one client that has these rules.
    pub(crate) fn with_policy(policy: Policy) -> Self {
        let provider = provider();
        let identity = client_identity(&*provider, BITS, "confluence:6512");
        let application =
            Application::new(&*provider, identity.certificate(), policy).expect("an application");
        let directory = Directory::new([application]).expect("a directory");
        let verifier = Verifier::trusting(&*provider, BITS, directory);
        let client = client(&provider, &identity, &verifier);
        Self::new(verifier, KnownSessions::default(), vec![client])
    }

    /// A server with one client and the usual rules.
    pub(crate) fn plain() -> Self {
        Self::with_policy(policy())
    }

    /// The cost of one decision. The clients take turns; `change` makes of a signed request the one that is decided on.
    pub(crate) fn time_with(&self, change: impl Fn(&mut Parts)) -> Nanos {
        let mut turns = self.clients.iter().cycle();
        let make = || {
            let client = turns.next().expect("a client");
            let mut request = client.signed(parts("GET", URL), None);
            change(&mut request);
            come_in(&mut request);
            request
        };
        // So few at a time that they stay in the cache, as a request does that has just come in.
        Stopwatch::new(401, 64).time(make, |request| self.decide(request))
    }

    /// The cost of one decision.
    pub(crate) fn time(&self) -> Nanos {
        self.time_with(|_| {})
    }

    fn decide(&self, request: &Parts) -> taa_core::decision::Allowed<'_> {
        let sessions: &dyn Sessions = &self.sessions;
        self.verifier.decide(sessions, request).expect("an allowed request")
    }
}

/// A server has just read the fields of a request into memory of its own. Those that a client made are its session's, and
/// with many clients in turn out of the cache.
fn come_in(request: &mut Parts) {
    for value in request.headers.values_mut() {
        *value = HeaderValue::from_bytes(value.as_bytes()).expect("a field value");
    }
}

pub(crate) fn provider() -> Arc<dyn CryptoProvider> {
    Arc::new(AwsLc)
}

pub(crate) fn client(
    provider: &Arc<dyn CryptoProvider>,
    identity: &Arc<Identity>,
    verifier: &Verifier,
) -> Client {
    Client::new(provider, identity, verifier.identity().certificate())
}

/// The sizes of a series; in a smoke run the least two.
pub(crate) fn sizes(all: &[u32]) -> Vec<u32> {
    all.iter().copied().take(if is_smoke_run() { 2 } else { all.len() }).collect()
}
