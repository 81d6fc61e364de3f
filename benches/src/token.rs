use std::fmt::{self, Write};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use taa_core::time::{Clock, SystemClock};

/// What a request in a session is compared with: a token of HS256 by the crate `jsonwebtoken`, on AWS-LC.
///
/// It says who, for whom, for which user, and until when. It covers no request, and nobody remembers that it was used.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    header: Header,
    validation: Validation,
    expires: u64,
}

/// The claims of a token (RFC 7519, section 4.1).
#[derive(Debug, Deserialize, Serialize)]
pub struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
}

impl Claims {
    /// Claims for one request, good for a minute.
    #[must_use]
    pub fn new(user: &str, now: u64, id: &[u8; 16]) -> Self {
        let mut jti = String::with_capacity(32);
        for byte in id {
            // Writing into a text does not fail.
            let _ = write!(jti, "{byte:02x}");
        }
        Self {
            iss: "confluence:6512".into(),
            aud: "jira:1047".into(),
            sub: user.into(),
            iat: now,
            exp: now + 60,
            jti,
        }
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.sub
    }
}

impl Tokens {
    /// A key and what is demanded: issuer, audience, not over.
    ///
    /// # Panics
    /// When there is no time.
    #[must_use]
    pub fn new() -> Self {
        let key = [0x5a; 32];
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["jira:1047"]);
        validation.set_issuer(&["confluence:6512"]);
        Self {
            encoding: EncodingKey::from_secret(&key),
            decoding: DecodingKey::from_secret(&key),
            header: Header::new(Algorithm::HS256),
            validation,
            expires: SystemClock::new().wall().expect("a time").seconds() + 3600,
        }
    }

    /// Claims as [`encode`](Self::encode) takes them.
    #[must_use]
    pub fn claims(&self) -> Claims {
        Claims {
            iss: "confluence:6512".into(),
            aud: "jira:1047".into(),
            sub: "fred".into(),
            iat: self.expires - 3600,
            exp: self.expires,
            jti: "Zm9yIGVhY2ggcmVxdWVzdA".into(),
        }
    }

    /// Signs a token.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn encode(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.encoding).expect("a token")
    }

    /// Verifies a token.
    ///
    /// # Panics
    /// When it is refused.
    #[must_use]
    pub fn decode(&self, token: &str) -> Claims {
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).expect("a good token").claims
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}
