use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::request::Parts;
use http::{HeaderValue, Uri, header};
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
use crate::peer::{Own, Peer};
use crate::pending::{AnswerKeys, Pending};
use crate::record::ServerRecord;
use crate::server::{Channel, Server};
use crate::servers::Servers;
use crate::session::{SessionFields, secret_field};
use crate::sessions::Sessions;

/// Signs requests of one application to the servers it knows. Clones share everything.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    provider: Arc<dyn CryptoProvider>,
    on_signed: Option<Observer>,
    now: ArcSwap<Now>,
    /// Held while something is changed; nobody who signs takes it.
    change: Mutex<()>,
}

/// What a signer goes by until something is changed.
#[derive(Clone)]
struct Now {
    own: Arc<Own>,
    #[cfg(feature = "legacy")]
    legacy_key: Option<Arc<LegacySigningKey>>,
    servers: Servers,
}

/// Is told of each signed request.
#[derive(Clone)]
struct Observer(Arc<dyn Fn(&AppId) + Send + Sync>);

impl Signer {
    /// Begins with no server, the system's clock and randomness, and AWS-LC where that feature is on.
    ///
    /// After a rotation of the application's own signing key it gets the new one: [`Signer::replace_identity`].
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
            on_signed: None,
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
    /// A request costs one MAC and a few blocks of AES. The two RSA operations of a session are done beside the requests, a
    /// minute before the old one ends, by a thread that ends with them; requests wait for them only where there is no
    /// session to go on with: the first ones, those after a pause that outlasted it, and those after a server said that it
    /// is over. With an older version a request costs one or two private RSA operations each time.
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
        let now = self.0.now.load();
        let server = now.servers.find(&request.uri).ok_or(SignError::UnknownServer)?;
        let pending = match server.channel() {
            Channel::V4(sessions) => sign_v4(request, user, content, server.peer(), sessions),
            #[cfg(feature = "legacy")]
            Channel::Legacy(version, key) => legacy::sign(request, user, server.peer(), *version, key),
        }?;
        if let Some(Observer(on_signed)) = &self.0.on_signed {
            on_signed(server.record().id());
        }
        Ok(pending)
    }

    /// True when requests to this URI are signed.
    #[must_use]
    pub fn knows(&self, uri: &Uri) -> bool {
        self.0.now.load().servers.find(uri).is_some()
    }

    /// The servers that are known, in no order.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerRecord> {
        self.0.now.load().servers.iter().map(|server| server.record().clone()).collect()
    }

    /// Takes a new record in place of the one with its id, or adds it: the certificate was renewed, or a person changed
    /// something. The session with that server ends.
    ///
    /// # Errors
    /// When another server has the same base URL, or the key cannot be used. Nothing has changed then.
    pub fn replace_server(&self, record: ServerRecord) -> Result<(), BuildError> {
        self.change(|now| {
            let before = now.servers.remove(record.id());
            let offset = before.map(|server| Arc::clone(&server.peer().offset)).unwrap_or_default();
            now.add(&*self.0.provider, record, offset)
        })
    }

    /// Signs with the keys of this identity from now on, as after a rotation. With another signing key sessions end; servers
    /// and what was learned of their clocks stay.
    ///
    /// # Errors
    /// When it names another application, or the key of the older versions is one of its keys. Nothing has changed then.
    pub fn replace_identity(&self, identity: Arc<Identity>) -> Result<(), BuildError> {
        self.change(|now| {
            if identity.id() != now.own.identity.id() {
                return Err(BuildError::OtherIdentity);
            }
            let rotated = identity.signing_key().id() != now.own.identity.signing_key().id();
            now.own = Arc::new(Own {
                identity,
                #[cfg(feature = "legacy")]
                legacy_times: Arc::clone(&now.own.legacy_times),
                clock: Arc::clone(&now.own.clock),
                random: Arc::clone(&now.own.random),
            });
            #[cfg(feature = "legacy")]
            now.check_legacy_key()?;
            now.add_anew(&*self.0.provider, |_| rotated)
        })
    }

    /// Signs for servers of older versions with another key from now on, or with none.
    ///
    /// # Errors
    /// When the key is one of version 4 as well, or there is none and a server needs one. Nothing has changed then.
    #[cfg(feature = "legacy")]
    pub fn replace_legacy_key(&self, key: Option<Arc<LegacySigningKey>>) -> Result<(), BuildError> {
        self.change(|now| {
            now.legacy_key = key;
            now.check_legacy_key()?;
            now.add_anew(&*self.0.provider, |server| matches!(server.channel(), Channel::Legacy(..)))
        })
    }

    /// Forgets a server: nothing more is signed for it. True when it was known.
    pub fn remove_server(&self, id: &AppId) -> bool {
        let removed = self.change::<()>(|now| now.servers.remove(id).map(drop).ok_or(()));
        removed.is_ok()
    }

    /// Changes what the signer goes by, all at once, or nothing.
    fn change<E>(&self, change: impl FnOnce(&mut Now) -> Result<(), E>) -> Result<(), E> {
        let _guard = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = Now::clone(&self.0.now.load());
        change(&mut now)?;
        self.0.now.store(Arc::new(now));
        Ok(())
    }
}

fn sign_v4(
    request: &mut Parts,
    user: &UserName,
    content: Option<&ContentDigest>,
    peer: &Peer,
    sessions: &Arc<Sessions>,
) -> Result<Pending, SignError> {
    let digest = content.map(ContentDigest::to_field);
    let (covered, present) =
        outgoing::cover(request, peer.record.base(), digest.as_deref().unwrap_or_default())?;

    let moment = peer.moment()?;
    let session = sessions.at(moment)?;
    let mut iv: Iv = [0; 16];
    peer.own.random.fill(&mut iv)?;
    let sealed = request::seal(session.keys(), &covered, moment.now, user, &iv);
    let cert = secret_field(encode(sealed.as_bytes())).ok_or(SignError::Field)?;
    let digest = digest.map(HeaderValue::try_from).transpose().map_err(|_| SignError::Field)?;

    // From here on nothing fails: what is put in fits into what is reserved.
    let headers = &mut request.headers;
    headers.try_reserve(present.new_names(digest.is_some())).map_err(|_| SignError::TooManyFields)?;
    present.remove_from(headers);
    // The only one that may take the place of another comes first: the map makes room before it looks for the name.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let SessionFields { id, key, signature } = session.fields();
    headers.insert(fields::VERSION, HeaderValue::from_static("4"));
    headers.insert(fields::ID, id);
    headers.insert(fields::KEY, key);
    headers.insert(fields::SIGNATURE, signature);
    headers.insert(fields::CERT, cert);
    if let Some(digest) = digest {
        headers.insert(fields::CONTENT_DIGEST, digest);
    }
    Ok(Pending::new(AnswerKeys::V4 { session, iv }, moment.now, &request.method))
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.now.load();
        write!(f, "Signer({}, {:?})", now.own.identity.id(), now.servers)
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
    on_signed: Option<Observer>,
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

    /// `observer` is told of every signed request: for which server it was. It runs before the request is sent, so it must
    /// be quick.
    pub fn on_signed(mut self, observer: impl Fn(&AppId) + Send + Sync + 'static) -> Self {
        self.on_signed = Some(Observer(Arc::new(observer)));
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
        let own = Arc::new(Own {
            identity: self.identity,
            #[cfg(feature = "legacy")]
            legacy_times: Arc::default(),
            clock: self.clock,
            random: self.random,
        });
        let mut now = Now {
            own,
            #[cfg(feature = "legacy")]
            legacy_key: self.legacy_key,
            servers: Servers::with_room(self.servers.len()),
        };
        #[cfg(feature = "legacy")]
        now.check_legacy_key()?;
        for record in self.servers {
            now.add(&*provider, record, Arc::default())?;
        }
        let now = ArcSwap::from_pointee(now);
        let (on_signed, change) = (self.on_signed, Mutex::new(()));
        Ok(Signer(Arc::new(Inner { provider, on_signed, now, change })))
    }
}

impl Now {
    fn add(
        &mut self,
        provider: &dyn CryptoProvider,
        record: ServerRecord,
        offset: Arc<Offset>,
    ) -> Result<(), BuildError> {
        let server = Server::new(
            Arc::clone(&self.own),
            #[cfg(feature = "legacy")]
            self.legacy_key.as_ref(),
            provider,
            record,
            offset,
        )?;
        self.servers.add(server)
    }

    /// Makes these servers anew, with the keys that are here now.
    fn add_anew(
        &mut self,
        provider: &dyn CryptoProvider,
        which: impl Fn(&Server) -> bool,
    ) -> Result<(), BuildError> {
        for server in self.servers.take(which) {
            self.add(provider, server.record().clone(), Arc::clone(&server.peer().offset))?;
        }
        Ok(())
    }

    #[cfg(feature = "legacy")]
    fn check_legacy_key(&self) -> Result<(), BuildError> {
        let content = self.own.identity.certificate().content();
        match &self.legacy_key {
            Some(key) if content.key(&key.thumbprint()).is_some() => Err(BuildError::LegacyKeyInUse),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}
