use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use taa_core::crypto::{Random, SystemRandom};
use taa_core::decision::{Allowed, NonceOutcome, Refusal};
use taa_core::directory::{Application, Directory};
use taa_core::id::AppId;
use taa_core::legacy::{
    CertificateKey, Claim, Failure, FailureKind, LegacySigningKey, Presented, SignedVersion, Window, sign_v2,
    sign_v3,
};
use taa_core::nonce::NonceKey;
use taa_core::policy::{AddressRules, GreatestTimeout, PathRules, Policy, Protocol, Skew};
use taa_core::time::{Clock, SystemClock};
use taa_server::nonce::MemoryNonces;

use crate::keys::{Key, private_pem};
use crate::verifier::many_nonces;

/// Versions 2 and 3: one application, and a server's decision about its requests.
pub struct Older {
    version: SignedVersion,
    key: LegacySigningKey,
    application: Arc<Application>,
    directory: Directory,
    clock: SystemClock,
    window: Window,
    nonces: MemoryNonces,
}

const PATH: &str = "/jira/rest/api/2/search";
const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";

impl Older {
    /// An application with the test key of this length.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(version: SignedVersion, bits: usize) -> Self {
        let key = LegacySigningKey::from_pkcs8_pem(private_pem(Key::Older, bits)).expect("a key");
        let policy = Policy::builder()
            .addresses(AddressRules::parse_list("127.0.0.1\n10.0.0.0/8").expect("addresses"))
            .paths(PathRules::parse_list(PATH).expect("paths"))
            .min_protocol(Protocol::V2)
            .build(GreatestTimeout::default())
            .expect("a policy");
        let window = Window::new(policy.timeout().get(), Skew::default().get()).expect("a window");
        let id = AppId::parse("confluence:6512").expect("an id");
        let application = Application::legacy(id, "wiki".into(), key.verifying_key().clone(), policy);
        let clock = SystemClock::new();
        let nonces = MemoryNonces::new(Arc::new(clock), [7; 16], many_nonces());
        let application = Arc::new(application);
        Self { version, key, application, directory: Directory::default(), clock, window, nonces }
    }

    /// The fields of a request.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn sign(&self) -> HeaderMap {
        let timestamp = self.clock.wall().expect("a time");
        let claim = Claim { app_id: self.application.id(), user: "fred", url: URL, timestamp };
        let fields = match self.version {
            SignedVersion::V2 => {
                let secret = CertificateKey::random(&mut random).expect("randomness");
                sign_v2(&self.key, &claim, &secret, &mut random)
            }
            SignedVersion::V3 => sign_v3(&self.key, &claim, &mut random),
        };
        let mut headers = HeaderMap::new();
        fields.expect("a signed request").insert_into(&mut headers);
        headers
    }

    /// From the fields to [`Allowed`]. The nonce is looked up and not recorded, because one request serves many times.
    ///
    /// # Errors
    /// The first check that fails.
    ///
    /// # Panics
    /// When there is no time.
    pub fn decide(&self, headers: &HeaderMap) -> Result<Allowed<'_>, Refusal> {
        let now = self.clock.wall().expect("a time");
        let presented = Presented::parse(headers)?.ok_or(Failure::new(FailureKind::Malformed))?;
        let key = self.application.legacy_key().ok_or(Failure::new(FailureKind::AppUnknown))?;
        let timely = presented.open(key)?.check_time(now, self.window)?;
        if self.application.policy().paths().allows_raw(PATH).is_err() {
            return Err(Failure::new(FailureKind::BadUrl).into());
        }
        let proven = timely.verify(URL)?;
        let nonce = NonceKey::of_legacy_signature(proven.replay_key().as_bytes());
        let before = self.nonces.contains_now(nonce);
        let outcome = if before { NonceOutcome::Before } else { NonceOutcome::First };
        Allowed::older(&proven, &self.application, &self.directory, outcome)
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &LegacySigningKey {
        &self.key
    }
}

/// Randomness as the older versions ask for it.
fn random(out: &mut [u8]) -> Result<(), Infallible> {
    SystemRandom.fill(out).expect("randomness");
    Ok(())
}

impl fmt::Debug for Older {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Older({:?}, {} bits)", self.version, self.key.verifying_key().bits())
    }
}
