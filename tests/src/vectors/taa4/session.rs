use std::error::Error;

use http::Method;
use taa_core::crypto::CryptoProvider;
use taa_core::decision::NoSessions;
use taa_core::envelope::{Envelope, EnvelopeHead, EnvelopeSignature, Lifetime, SessionKeys, seal};
use taa_core::id::{AppId, UserName};
use taa_core::key::{DecryptingKey, EncryptingKey, SigningKey};
use taa_core::policy::Policy;
use taa_core::request::{self, Covered, Target};
use taa_core::time::UnixMillis;

use super::{Fields, Lines, SessionVector, from_hex, refusal, request as requests, to_hex};
use crate::harness::{self, Incoming, Nonces, Scripted, Server};
use crate::vectors::{Tally, same};

/// What the cases of one session need.
pub(super) struct Ready<'v> {
    pub(super) vector: &'v SessionVector,
    pub(super) client: AppId,
    pub(super) server: AppId,
    pub(super) signing: SigningKey,
    pub(super) decrypting: DecryptingKey,
    pub(super) envelope: Envelope,
    pub(super) secret: [u8; 32],
    pub(super) keys: SessionKeys,
    pub(super) application: Server,
    pub(super) label: String,
}

pub(super) fn run(provider: &'static dyn CryptoProvider, vector: &SessionVector, tally: &mut Tally) {
    let name = provider.name();
    let ready = match Ready::new(provider, vector) {
        Ok(ready) => ready,
        Err(error) => {
            tally.case(&format!("{name} sessions"), || vector.client_id.clone(), Err(error.to_string()));
            return;
        }
    };
    let session = ready.check(provider).map_err(|error| error.to_string());
    tally.case(&format!("{name} sessions"), || vector.client_id.clone(), session);
    for case in &vector.requests {
        requests::run(&ready, case, tally);
    }
    refusal::run_all(&ready, tally);
}

impl<'v> Ready<'v> {
    fn new(provider: &'static dyn CryptoProvider, vector: &'v SessionVector) -> Result<Self, Box<dyn Error>> {
        let client = AppId::parse(&vector.client_id)?;
        let server = AppId::parse(&vector.server_id)?;
        let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key)?;
        let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key)?;
        let key_field = vector.headers.first(&taa_core::fields::KEY).ok_or("the session has no Key field")?;
        let envelope = Envelope::decode(key_field.as_bytes()).ok_or("the Key field is no envelope")?;
        let secret = from_hex(&vector.secret_hex)?;
        let keys = SessionKeys::derive(&client, &server, envelope.as_bytes(), &secret);
        let identity = harness::identity(&client, signing.clone(), None)?;
        let application =
            Server::new(provider, &server, decrypting.clone(), &identity, Policy::insecure_allow_any())?;
        let label = provider.name().to_owned();
        Ok(Self { vector, client, server, signing, decrypting, envelope, secret, keys, application, label })
    }

    fn check(&self, provider: &'static dyn CryptoProvider) -> Result<(), Box<dyn Error>> {
        let vector = self.vector;
        same("client key id", self.signing.id().to_string(), vector.client_key_thumbprint.clone())?;
        same("server key id", self.decrypting.id().to_string(), vector.server_key_thumbprint.clone())?;
        same("salt", to_hex(self.keys.name()), vector.salt_hex.clone())?;
        let (_, keys) =
            SessionKeys::expose(&self.client, &self.server, self.envelope.as_bytes(), &self.secret);
        let keys = to_hex(keys.as_slice());
        same("session keys", keys, format!("{}{}", vector.request_key_hex, vector.response_key_hex))?;

        let head = EnvelopeHead::parse(self.envelope.as_bytes())?;
        let expected = EnvelopeHead {
            signing_key: self.signing.id().short(),
            decryption_key: self.decrypting.id().short(),
            issued: UnixMillis(vector.issued_ms),
            lifetime_s: vector.lifetime_s,
        };
        same("envelope head", head, expected)?;
        same(
            "head as bytes",
            Some(head.to_bytes().as_slice()),
            self.envelope.as_bytes().get(..EnvelopeHead::LEN),
        )?;
        let signature = vector.headers.first(&taa_core::fields::SIGNATURE).unwrap_or_default();
        let signature = EnvelopeSignature::decode(signature.as_bytes()).ok_or("no signature")?;
        same("signature length", signature.as_bytes().len(), self.signing.public().modulus_len())?;
        self.seal_and_open(provider)
    }

    /// An envelope of our own with the same keys and the same secret opens, and leads to the same keys on both sides.
    fn seal_and_open(&self, provider: &'static dyn CryptoProvider) -> Result<(), Box<dyn Error>> {
        let issued = UnixMillis(self.vector.issued_ms);
        let sealed = seal(
            &self.client,
            &self.signing,
            &self.server,
            &EncryptingKey::new(provider, self.decrypting.public().clone())?,
            issued,
            Lifetime::from_secs(self.vector.lifetime_s)?,
            &Scripted::new(&self.secret),
        )?;
        let keys = SessionKeys::derive(&self.client, &self.server, &sealed.envelope, &self.secret);
        same("name of our own session", keys.name(), sealed.keys.name())?;
        if sealed.envelope == self.envelope.as_bytes() {
            return Err("sealing twice gave the same envelope".into());
        }

        let user = UserName::parse("admin")?;
        let covered = Covered {
            method: &Method::GET,
            target: Target::parse("/our/own?x=1")?,
            content_type: "",
            content_digest: "",
        };
        let cert = request::seal(&sealed.keys, &covered, issued, &user, &[7; 16]);
        let fields = own_fields(&self.client, &sealed.envelope, &sealed.signature, cert.as_bytes());
        let (headers, _) = fields.to_map()?;
        let incoming =
            Incoming { method: &Method::GET, target: "/our/own?x=1", headers: &headers, body: &[] };
        let accepted = self.application.decide(&NoSessions, &Nonces::default(), incoming, issued)?;
        Ok(same("user", accepted.allowed.user(), &user)?)
    }

    /// The fields of this session with a certificate.
    pub(super) fn fields(&self, cert: &str) -> Fields {
        let mut fields = self.vector.headers.clone();
        fields.0.insert(taa_core::fields::CERT.to_string(), Lines::One(cert.to_owned()));
        fields
    }
}

fn own_fields(client: &AppId, envelope: &[u8], signature: &[u8], cert: &[u8]) -> Fields {
    use base64::Engine;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let values = ["4".to_owned(), client.to_string(), encode(envelope), encode(signature), encode(cert)];
    let names = taa_core::fields::REQUEST.map(|name| name.to_string());
    Fields(names.into_iter().zip(values.into_iter().map(Lines::One)).collect())
}
