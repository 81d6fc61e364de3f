use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Uri, header};
use http_body_util::Full;
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::directory::{Application, Directory};
use taa_core::identity::Identity;
use taa_core::key::{DecryptingKey, KeySize};
use taa_server::resolver::StaticUsers;
use taa_server::{PeerAddress, Trust};

use crate::pair::{Client, client_identity, policy, server_identity};
use crate::verifier::many_nonces;

/// A server as a service has it, and the client it trusts: AWS-LC, 2048 bits, one user, room for every nonce.
#[derive(Clone)]
pub struct Site {
    provider: Arc<dyn CryptoProvider>,
    identity: Arc<Identity>,
    trust: Trust<StaticUsers>,
}

/// What the application behind the layer answers.
pub const ANSWER: &str = "{\"startAt\":0,\"maxResults\":50,\"total\":0,\"issues\":[]}";

const BITS: usize = 2048;

impl Site {
    /// Makes both sides.
    ///
    /// # Panics
    /// When they cannot be made.
    #[must_use]
    pub fn new() -> Self {
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
        Self { provider, identity, trust }
    }

    /// The server's side.
    #[must_use]
    pub fn trust(&self) -> &Trust<StaticUsers> {
        &self.trust
    }

    /// A client without a session.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.provider, &self.identity, self.trust.identity().certificate())
    }

    /// A client of the same key under an id that the server does not know.
    #[must_use]
    pub fn stranger(&self) -> Client {
        let identity = client_identity(&*self.provider, BITS, "stranger");
        Client::new(&self.provider, &identity, self.trust.identity().certificate())
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({:?})", self.trust)
    }
}

/// The application behind the layer: a small answer, whatever was asked.
///
/// # Errors
/// Never.
#[allow(clippy::unused_async, reason = "as a service is called")]
pub async fn handler<B>(_: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// As the server's connection hands it over: the target in origin-form, the peer's address beside it.
///
/// # Panics
/// When the request has no path.
#[must_use]
pub fn received(mut parts: Parts, body: Bytes) -> Request<Full<Bytes>> {
    parts.uri = Uri::from(parts.uri.path_and_query().expect("a path").clone());
    parts.extensions.insert(PeerAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    Request::from_parts(parts, Full::new(body))
}
