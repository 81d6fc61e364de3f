use std::time::Duration;

use hawk::{Credentials, Header, Key, RequestBuilder, SHA256};
use http::request::Parts;
use http::{HeaderValue, header};
use taa_benches::parts;

use crate::{Peer, URL, USER};

/// Hawk, by the crate `hawk` on ring. The user is in `ext`, which the tag covers.
pub(crate) struct Hawk {
    credentials: Credentials,
}

const HOST: &str = "tracker.example";
const SKEW: Duration = Duration::from_secs(60);

impl Hawk {
    pub(crate) fn new() -> Self {
        let key = Key::new(vec![0x5a; 32], SHA256).expect("a key");
        Self { credentials: Credentials { id: "confluence:6512".into(), key } }
    }
}

/// The request as the tag covers it.
fn covered(message: &Parts) -> hawk::Request<'_> {
    let path = message.uri.path_and_query().expect("a path").as_str();
    RequestBuilder::new(message.method.as_str(), HOST, 443, path).ext(USER).request()
}

impl Peer for Hawk {
    type Message = Parts;

    fn request(&self) -> Parts {
        parts("GET", URL)
    }

    fn sign(&self, message: &mut Parts) {
        let header = covered(message).make_header(&self.credentials).expect("a header");
        let mut value = HeaderValue::try_from(format!("Hawk {header}")).expect("a field value");
        value.set_sensitive(true);
        message.headers.insert(header::AUTHORIZATION, value);
    }

    fn verify(&self, message: &Parts) {
        let value = message.headers.get(header::AUTHORIZATION).expect("the field");
        let value = value.to_str().ok().and_then(|value| value.strip_prefix("Hawk ")).expect("a header");
        let header: Header = value.parse().expect("a header");
        assert_eq!(header.id.as_deref(), Some("confluence:6512"));
        assert!(covered(message).validate_header(&header, &self.credentials.key, SKEW));
        assert_eq!(header.ext.as_deref(), Some(USER));
    }
}
