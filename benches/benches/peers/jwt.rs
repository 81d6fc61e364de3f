use http::request::Parts;
use http::{HeaderValue, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pkcs8::PrivateKeyInfo;
use taa_benches::{Claims, Key, parts, private_der};
use taa_core::crypto::{CryptoProvider, Random, RustCrypto, SystemRandom};
use taa_core::key::SigningKey;
use taa_core::time::{Clock, SystemClock};

use crate::{BITS, Peer, URL, USER};

/// A token for each request in `Authorization` (RFC 7519, RFC 6750), by the crate `jsonwebtoken`.
pub(crate) struct Jwt {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
    clock: SystemClock,
}

impl Jwt {
    pub(crate) fn hs256() -> Self {
        let key = [0x5a; 32];
        Self::new(Algorithm::HS256, EncodingKey::from_secret(&key), DecodingKey::from_secret(&key))
    }

    pub(crate) fn rs256() -> Self {
        let provider: &dyn CryptoProvider = &RustCrypto;
        let key = SigningKey::from_pkcs8_der(provider, &private_der(Key::Client, BITS)).expect("a key");
        let der = private_der(Key::Client, BITS);
        // It takes the key without what PKCS#8 puts around it.
        let inner = PrivateKeyInfo::try_from(der.as_slice()).expect("a key").private_key;
        let public = key.public();
        let decoding = DecodingKey::from_rsa_raw_components(public.modulus(), public.exponent());
        Self::new(Algorithm::RS256, EncodingKey::from_rsa_der(inner), decoding)
    }

    fn new(algorithm: Algorithm, encoding: EncodingKey, decoding: DecodingKey) -> Self {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["jira:1047"]);
        validation.set_issuer(&["confluence:6512"]);
        Self { encoding, decoding, header: Header::new(algorithm), validation, clock: SystemClock::new() }
    }
}

impl Peer for Jwt {
    type Message = Parts;

    fn request(&self) -> Parts {
        parts("GET", URL)
    }

    fn sign(&self, message: &mut Parts) {
        let mut id = [0; 16];
        SystemRandom.fill(&mut id).expect("randomness");
        let now = self.clock.wall().expect("a time").seconds();
        let claims = Claims::new(USER, now, &id);
        let token = jsonwebtoken::encode(&self.header, &claims, &self.encoding).expect("a token");
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).expect("a field value");
        value.set_sensitive(true);
        message.headers.insert(header::AUTHORIZATION, value);
    }

    fn verify(&self, message: &Parts) {
        let value = message.headers.get(header::AUTHORIZATION).expect("the field");
        let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).expect("a token");
        let token = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation);
        assert_eq!(token.expect("a good token").claims.user(), USER);
    }
}
