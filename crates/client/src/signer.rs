use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri, header};
use taa_core::crypto::{CryptoProvider, Random, SystemRandom};
use taa_core::fields;
use taa_core::id::{AppId, UserName};
use taa_core::identity::Identity;
#[cfg(feature = "legacy")]
use taa_core::legacy::LegacySigningKey;
use taa_core::request::{self, ContentDigest, Iv};
use taa_core::time::{Clock, SystemClock};

use crate::error::{BuildError, SignError};
#[cfg(feature = "legacy")]
use crate::legacy;
use crate::offset::Offset;
use crate::outgoing;
use crate::pending::{AnswerKeys, Pending};
use crate::record::ServerRecord;
use crate::server::{Channel, Own, Server};
use crate::session::secret_field;
use crate::sessions::Sessions;

/// Signs requests of one application to the servers it knows. Clones share everything.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    own: Arc<Own>,
    id_field: HeaderValue,
    provider: Arc<dyn CryptoProvider>,
    /// The longest base path first.
    servers: ArcSwap<Vec<Arc<Server>>>,
    /// Held while the list is changed; nobody who signs takes it.
    change: Mutex<()>,
}

impl Signer {
    /// Begins with no server, the system's clock and randomness, and AWS-LC where that feature is on.
    ///
    /// After a rotation of the application's own signing key a new signer is made.
    pub fn builder(identity: Arc<Identity>) -> SignerBuilder {
        #[cfg(feature = "aws-lc")]
        let provider: Option<Arc<dyn CryptoProvider>> = Some(Arc::new(taa_core::crypto::AwsLc));
        #[cfg(not(feature = "aws-lc"))]
        let provider: Option<Arc<dyn CryptoProvider>> = None;
        SignerBuilder {
            identity,
            servers: Vec::new(),
            #[cfg(feature = "legacy")]
            legacy_key: None,
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            provider,
        }
    }

    /// Signs a request for the server its URL belongs to, on behalf of `user`. All or nothing: on an error the request
    /// is as it was.
    ///
    /// The URI is absolute and as it will be sent. `content` is the digest of the content as it will be sent, `None`
    /// when there is none. Fields of the protocol and a `Content-Digest` that are there already are replaced, and
    /// `Accept-Encoding` becomes `identity`, because the answer's digest is that of its content as sent.
    ///
    /// A request costs one MAC and a few blocks of AES, and once in a session two RSA operations; with an older version
    /// it costs one or two private RSA operations each time.
    ///
    /// A signature is good for one sending: what is repeated is signed anew. Nothing that follows redirects, changes
    /// method, target, content or `Content-Type`, or repeats requests by itself, may come after this.
    ///
    /// # Errors
    /// When the URL belongs to no server that is known, when the server could only refuse the request, when it carries
    /// other credentials, or when no session can be made.
    pub fn sign(
        &self,
        request: &mut Parts,
        user: &UserName,
        content: Option<&ContentDigest>,
    ) -> Result<Pending, SignError> {
        let server = self.server_for(&request.uri)?;
        match server.channel() {
            Channel::V4(sessions) => self.sign_v4(request, user, content, &server, sessions),
            #[cfg(feature = "legacy")]
            Channel::Legacy(version, key) => legacy::sign(request, user, &server, *version, key),
        }
    }

    fn sign_v4(
        &self,
        request: &mut Parts,
        user: &UserName,
        content: Option<&ContentDigest>,
        server: &Arc<Server>,
        sessions: &Sessions,
    ) -> Result<Pending, SignError> {
        let digest = content.map(ContentDigest::to_field);
        let covered =
            outgoing::cover(request, server.record().base(), digest.as_deref().unwrap_or_default())?;

        let moment = server.moment()?;
        let session = sessions.at(moment, server.own())?;
        let mut iv: Iv = [0; 16];
        server.own().random.fill(&mut iv)?;
        let sealed = request::seal(session.keys(), &covered, moment.now, user, &iv);
        let cert = secret_field(encode(&sealed)).ok_or(SignError::Field)?;
        let digest = digest.map(HeaderValue::try_from).transpose().map_err(|_| SignError::Field)?;

        // From here on nothing fails: what is put in fits into what is reserved.
        request.headers.try_reserve(fields::REQUEST.len() + 2).map_err(|_| SignError::TooManyFields)?;
        outgoing::remove_fields(&mut request.headers);
        let mut put = |name: HeaderName, value| request.headers.insert(name, value);
        put(fields::VERSION, HeaderValue::from_static("4"));
        put(fields::ID, self.0.id_field.clone());
        put(fields::KEY, session.key_field());
        put(fields::SIGNATURE, session.signature_field());
        put(fields::CERT, cert);
        put(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(digest) = digest {
            put(fields::CONTENT_DIGEST, digest);
        }
        let keys = AnswerKeys::V4 { session, iv };
        Ok(Pending::new(Arc::clone(server), keys, moment.now, &request.method))
    }

    /// True when requests to this URI are signed.
    #[must_use]
    pub fn knows(&self, uri: &Uri) -> bool {
        self.server_for(uri).is_ok()
    }

    /// The servers that are known, in no order.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerRecord> {
        self.0.servers.load().iter().map(|server| server.record().clone()).collect()
    }

    /// Takes a new record in place of the one with its id, or adds it: the certificate was renewed, or a person changed
    /// something. The session with that server ends.
    ///
    /// # Errors
    /// When another server has the same base URL, or the key cannot be used. Nothing has changed then.
    pub fn replace_server(&self, record: ServerRecord) -> Result<(), BuildError> {
        let _guard = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut servers = Vec::clone(&self.0.servers.load());
        let before = servers.iter().position(|server| server.record().id() == record.id());
        let before = before.map(|at| servers.remove(at));
        let offset = before.map(|server| Arc::clone(server.offset())).unwrap_or_default();
        add(&mut servers, &self.0.own, &*self.0.provider, record, offset)?;
        self.0.servers.store(Arc::new(servers));
        Ok(())
    }

    /// Forgets a server: nothing more is signed for it. True when it was known.
    pub fn remove_server(&self, id: &AppId) -> bool {
        let _guard = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut servers = Vec::clone(&self.0.servers.load());
        let before = servers.len();
        servers.retain(|server| server.record().id() != id);
        let known = servers.len() < before;
        self.0.servers.store(Arc::new(servers));
        known
    }

    fn server_for(&self, uri: &Uri) -> Result<Arc<Server>, SignError> {
        let servers = self.0.servers.load();
        let server = servers.iter().find(|server| server.record().base().covers(uri));
        server.map(Arc::clone).ok_or(SignError::UnknownServer)
    }
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {:?})", self.0.own.identity.id(), self.0.servers.load())
    }
}

/// Collects what a [`Signer`] needs.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct SignerBuilder {
    identity: Arc<Identity>,
    servers: Vec<ServerRecord>,
    #[cfg(feature = "legacy")]
    legacy_key: Option<Arc<LegacySigningKey>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    provider: Option<Arc<dyn CryptoProvider>>,
}

impl SignerBuilder {
    /// Adds a server.
    pub fn server(mut self, record: ServerRecord) -> Self {
        self.servers.push(record);
        self
    }

    /// The key that signs for servers of older versions. It is used for nothing else.
    #[cfg(feature = "legacy")]
    pub fn legacy_key(mut self, key: Arc<LegacySigningKey>) -> Self {
        self.legacy_key = Some(key);
        self
    }

    /// Takes another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes another source of randomness. It must be a cryptographically secure one but in tests.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Takes another cryptography provider than the default one.
    pub fn provider(mut self, provider: Arc<dyn CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    /// When two servers have the same id or base URL, a key cannot be used or is missing, or there is no provider.
    pub fn build(self) -> Result<Signer, BuildError> {
        let provider = self.provider.ok_or(BuildError::NoProvider)?;
        // The alphabet of an id fits a field, so this does not become the empty value.
        let id_field = HeaderValue::try_from(self.identity.id().as_str().to_owned())
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        #[cfg(feature = "legacy")]
        if self
            .legacy_key
            .as_ref()
            .is_some_and(|key| self.identity.certificate().content().key(&key.thumbprint()).is_some())
        {
            return Err(BuildError::LegacyKeyInUse);
        }
        let own = Arc::new(Own {
            identity: self.identity,
            #[cfg(feature = "legacy")]
            legacy_key: self.legacy_key,
            #[cfg(feature = "legacy")]
            legacy_times: legacy::Times::default(),
            clock: self.clock,
            random: self.random,
        });
        let mut servers = Vec::with_capacity(self.servers.len());
        for record in self.servers {
            add(&mut servers, &own, &*provider, record, Arc::new(Offset::default()))?;
        }
        let servers = ArcSwap::from_pointee(servers);
        Ok(Signer(Arc::new(Inner { own, id_field, provider, servers, change: Mutex::new(()) })))
    }
}

/// Adds a server and keeps the longest base path first.
fn add(
    servers: &mut Vec<Arc<Server>>,
    own: &Arc<Own>,
    provider: &dyn CryptoProvider,
    record: ServerRecord,
    offset: Arc<Offset>,
) -> Result<(), BuildError> {
    for other in servers.iter().map(|server| server.record()) {
        if other.id() == record.id() {
            return Err(BuildError::SameId(record.id().clone()));
        }
        if other.base().same_place(record.base()) {
            return Err(BuildError::SameBaseUrl(record.base_url().clone()));
        }
    }
    servers.push(Arc::new(Server::new(Arc::clone(own), provider, record, offset)?));
    servers.sort_by_key(|server| std::cmp::Reverse(server.record().base().path().len()));
    Ok(())
}
