use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use taa_benches::{Client, KnownSessions, Older, Verifier, client_identity, parts};
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::decision::NoSessions;
use taa_core::identity::Identity;
use taa_core::legacy::SignedVersion;

use crate::{BITS, Peer, URL};

/// Both sides of version 4.
struct Pair {
    provider: Arc<dyn CryptoProvider>,
    identity: Arc<Identity>,
    verifier: Verifier,
}

impl Pair {
    fn new() -> Self {
        let provider: Arc<dyn CryptoProvider> = Arc::new(AwsLc);
        let identity = client_identity(&*provider, BITS, "confluence:6512");
        let verifier = Verifier::new(&*provider, BITS, &identity);
        Self { provider, identity, verifier }
    }

    fn client(&self) -> Client {
        Client::new(&self.provider, &self.identity, self.verifier.identity().certificate())
    }
}

/// Version 4 in a session that is open on both sides.
pub(crate) struct InSession {
    pair: Pair,
    client: Client,
    sessions: KnownSessions,
}

impl InSession {
    pub(crate) fn new() -> Self {
        let (pair, sessions) = (Pair::new(), KnownSessions::default());
        let client = pair.client();
        let first = client.signed(parts("GET", URL), None);
        pair.verifier.decide(&sessions, &first).expect("the first request opens the session");
        Self { pair, client, sessions }
    }
}

impl Peer for InSession {
    type Message = Parts;

    fn request(&self) -> Parts {
        self.pair.verifier.as_usual();
        parts("GET", URL)
    }

    fn sign(&self, message: &mut Parts) {
        self.client.sign(message, None);
    }

    fn verify(&self, message: &Parts) {
        self.pair.verifier.decide(&self.sessions, message).expect("an allowed request");
    }
}

/// Version 4 where each request is the first of its session.
pub(crate) struct NewSession {
    pair: Pair,
    client: Client,
}

impl NewSession {
    pub(crate) fn new() -> Self {
        let pair = Pair::new();
        let client = pair.client();
        Self { pair, client }
    }

    /// A client without a session, and a request for it.
    pub(crate) fn fresh(&self) -> (Client, Parts) {
        (self.pair.client(), self.request())
    }
}

pub(crate) fn sign_fresh((client, message): &mut (Client, Parts)) {
    client.sign(message, None);
}

impl Peer for NewSession {
    type Message = Parts;

    fn request(&self) -> Parts {
        parts("GET", URL)
    }

    /// In one session, so that it takes no time; to the server that keeps none each request is the first.
    fn sign(&self, message: &mut Parts) {
        self.client.sign(message, None);
    }

    fn verify(&self, message: &Parts) {
        self.pair.verifier.decide(&NoSessions, message).expect("an allowed request");
    }
}

pub(crate) fn older(version: SignedVersion) -> Older {
    Older::new(version, BITS)
}

impl Peer for Older {
    type Message = HeaderMap;

    fn request(&self) -> HeaderMap {
        parts("GET", URL).headers
    }

    fn sign(&self, message: &mut HeaderMap) {
        message.extend(Self::sign(self));
    }

    fn verify(&self, message: &HeaderMap) {
        self.decide(message).expect("an allowed request");
    }
}
