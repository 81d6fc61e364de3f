use std::sync::Arc;

use http::request::Parts;
use taa_client::{Pending, ServerRecord, Signer};
use taa_core::certificate::Certificate;
use taa_core::crypto::CryptoProvider;
use taa_core::envelope::Lifetime;
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, SigningKey};
use taa_core::policy::{AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy};
use taa_core::request::ContentDigest;

use crate::keys::{Key, private_pem};

/// The application that calls, with the test key of this length.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn client_identity(provider: &dyn CryptoProvider, bits: usize, id: &str) -> Arc<Identity> {
    let signing =
        SigningKey::from_pkcs8_pem(provider, private_pem(Key::Client, bits)).expect("a signing key");
    Arc::new(identity_with(id, signing))
}

/// An application that calls, with a key of its own.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn identity_with(id: &str, signing: SigningKey) -> Identity {
    identity(id, "https://wiki.example", signing, Vec::new())
}

/// The application that is called. Its own signing key is never used by a request.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn server_identity(provider: &dyn CryptoProvider, decryption: DecryptingKey) -> Identity {
    // A key of its own: one key may not stand for two applications.
    let signing = SigningKey::from_pkcs8_pem(provider, private_pem(Key::Older, 2048)).expect("a signing key");
    identity("jira:1047", "https://tracker.example/jira", signing, vec![OwnKey::current(decryption)])
}

fn identity(id: &str, url: &str, signing: SigningKey, decryption: Vec<OwnKey<DecryptingKey>>) -> Identity {
    let profile = Profile {
        id: AppId::parse(id).expect("an id"),
        name: id.to_owned(),
        base_url: url.parse().expect("a URL"),
        seq: 1,
        iat: 1_700_000_000,
        older_protocols: Vec::new(),
    };
    Identity::new(profile, vec![OwnKey::current(signing)], decryption).expect("an identity")
}

/// Rules as a person would give them: some addresses, some paths, two methods, nobody as administrator.
///
/// # Panics
/// When they are no rules.
#[must_use]
pub fn policy() -> Policy {
    Policy::builder()
        .addresses(AddressRules::parse_list("127.0.0.1\n10.0.0.0/8").expect("addresses"))
        .paths(PathRules::parse_list("/jira/rest/api/2/search\n/jira/rest/api/2/issue").expect("paths"))
        .methods(MethodRules::parse_list("GET\nPOST").expect("methods"))
        .never_as(NeverAs::parse_list("admin").expect("names"))
        .build(GreatestTimeout::default())
        .expect("a policy")
}

/// What signs the requests of an application for one user.
#[derive(Clone, Debug)]
pub struct Client {
    signer: Signer,
    user: UserName,
}

impl Client {
    /// A client without a session. Its sessions last as long as they may, so that none ends while it is measured.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(provider: &Arc<dyn CryptoProvider>, identity: &Arc<Identity>, server: &Certificate) -> Self {
        let record = ServerRecord::builder(server).lifetime(Lifetime::MAX).build().expect("a record");
        let signer = Signer::builder(Arc::clone(identity)).provider(Arc::clone(provider)).server(record);
        Self::of(signer.build().expect("a signer"))
    }

    /// A client that signs with this.
    ///
    /// # Panics
    /// Never: the name is one.
    #[must_use]
    pub fn of(signer: Signer) -> Self {
        Self { signer, user: UserName::parse("fred").expect("a name") }
    }

    /// Signs a request.
    ///
    /// # Panics
    /// When it cannot be signed.
    pub fn sign(&self, parts: &mut Parts, content: Option<&ContentDigest>) -> Pending {
        self.signer.sign(parts, &self.user, content).expect("a signed request")
    }

    /// The same with the fields in it.
    ///
    /// # Panics
    /// When it cannot be signed.
    #[must_use]
    pub fn signed(&self, mut parts: Parts, content: Option<&ContentDigest>) -> Parts {
        let _pending = self.sign(&mut parts, content);
        parts
    }
}
