use std::net::IpAddr;
use std::time::Duration;

use super::{Field, Lookup, Presented, Proven, Prover, Reason, Refusal, Session, Sessions, SharedSession};
use crate::crypto::Random;
use crate::directory::{Application, Directory};
use crate::envelope::{self, Envelope, EnvelopeHead, EnvelopeSignature, Lifetime, OpenedSecret};
use crate::identity::Identity;
use crate::policy::{ClientAddress, ForwardedError, GreatestTimeout, Protocol, Skew};
use crate::request::{self, Covered};
use crate::time::UnixMillis;

/// How long ago an envelope may have ended, and how far ahead it may begin, to be opened at all.
const OPENING_MARGIN: Duration = Duration::from_secs(300);

/// What a decision depends on besides the request and the time.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// The server: whom envelopes must be made for, and the keys that open them.
    pub identity: &'c Identity,
    /// Who is trusted, as of now.
    pub directory: &'c Directory,
    /// What is known from earlier requests.
    pub sessions: &'c dyn Sessions,
    /// For the substitute of a secret that did not open.
    pub random: &'c dyn Random,
    /// How far clocks may differ.
    pub skew: Skew,
    /// The greatest timeout an application may have.
    pub greatest_timeout: GreatestTimeout,
}

/// A request whose session key is known. Nothing may be believed yet but the application's id.
#[derive(Debug)]
pub struct Opened<'a, 's, 'd> {
    application: &'d Application,
    session: SharedSession,
    genuine: bool,
    sealed: &'s mut [u8],
    covered: Covered<'a>,
}

/// Steps 1–4. `client` is what [`TrustedProxies`](crate::policy::TrustedProxies) made of the socket's address.
///
/// # Errors
/// The first step that fails.
pub fn open<'a, 's, 'd>(
    presented: Presented<'a, 's>,
    context: &Context<'d>,
    client: Result<ClientAddress, ForwardedError>,
    now: UnixMillis,
) -> Result<Opened<'a, 's, 'd>, Refusal> {
    let Presented { app_id, key_field, signature_field, sealed, covered } = presented;
    let known = context.sessions.find(app_id, key_field, signature_field, now);
    // What is left of step 0 for fields that were not seen before, and step 1.
    let found = match known {
        Lookup::Known(session) => Found::Known(session),
        Lookup::Unknown => Found::New(Unknown::decode(key_field, signature_field, false)?),
        Lookup::OtherSignature => Found::New(Unknown::decode(key_field, signature_field, true)?),
    };

    let application = context.directory.application(app_id).ok_or(Reason::ApplicationUnknown)?;
    if !application.is_enabled() {
        return Err(Reason::ApplicationDisabled.into());
    }
    if !application.accepts(Protocol::V4) {
        return Err(Reason::ProtocolTooOld.into());
    }

    let client = client.map_err(Reason::AddressUnreadable)?;
    if !application.policy().addresses().allows(client.addr) {
        let reason = if client.forwarded { Reason::AddressForwarded } else { Reason::AddressRemote };
        return Err(reason.into());
    }

    let (session, genuine) = match found {
        Found::Known(session) => {
            check_known(&session, application, context.identity, now)?;
            (session, true)
        }
        Found::New(unknown) => {
            let (session, genuine) = unknown.open(application, context, client.addr, now)?;
            let session = if genuine {
                context.sessions.keep(key_field, signature_field, session, now)
            } else {
                session.into()
            };
            (session, genuine)
        }
    };
    Ok(Opened { application, session, genuine, sealed, covered })
}

/// Step 4 for a known session: its keys may have been removed or have ended since.
fn check_known(
    session: &Session,
    application: &Application,
    identity: &Identity,
    now: UnixMillis,
) -> Result<(), Refusal> {
    let head = session.head();
    if !application.key(head.signing_key).is_some_and(|key| key.usable_at(now)) {
        return Err(Reason::SigningKeyUnknown.into());
    }
    if identity.decryption_key(head.decryption_key, now).is_none() {
        return Err(Reason::DecryptionKeyUnknown.into());
    }
    Ok(())
}

/// Where a request's session comes from.
#[allow(clippy::large_enum_variant, reason = "it lives on the stack for one call")]
enum Found {
    Known(SharedSession),
    New(Unknown),
}

/// An envelope that was not seen before, or not with this signature.
struct Unknown {
    head: EnvelopeHead,
    envelope: Envelope,
    signature: EnvelopeSignature,
    signed_otherwise: bool,
}

impl Unknown {
    fn decode(key_field: &[u8], signature_field: &[u8], signed_otherwise: bool) -> Result<Self, Refusal> {
        let envelope = Envelope::decode(key_field).ok_or(Reason::FieldForm(Field::Key))?;
        let signature =
            EnvelopeSignature::decode(signature_field).ok_or(Reason::FieldForm(Field::Signature))?;
        let head = EnvelopeHead::parse(envelope.as_bytes()).map_err(|_| Reason::Suite)?;
        Ok(Self { head, envelope, signature, signed_otherwise })
    }

    /// Step 4 for a new session: everything cheap first, the signature before the decryption.
    fn open(
        self,
        application: &Application,
        context: &Context<'_>,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<(Session, bool), Refusal> {
        let Self { head, envelope, signature, signed_otherwise } = self;
        let (client, server) = (application.id(), context.identity.id());
        let signing = application
            .key(head.signing_key)
            .filter(|peer| peer.usable_at(now))
            .ok_or(Reason::SigningKeyUnknown)?
            .key();
        let decryption =
            context.identity.decryption_key(head.decryption_key, now).ok_or(Reason::DecryptionKeyUnknown)?;
        if signature.as_bytes().len() != signing.public().modulus_len()
            || envelope.wrapped().len() != decryption.public().modulus_len()
        {
            return Err(Reason::SizeMismatch.into());
        }
        Lifetime::from_secs(head.lifetime_s).map_err(|_| Reason::Lifetime)?;

        if !context.sessions.admit_signature_check(address) {
            return Err(Reason::SignatureLimit.into());
        }
        if signed_otherwise {
            return Err(Reason::Signature.into());
        }
        envelope::verify(client, server, signing, &envelope, &signature).map_err(|_| Reason::Signature)?;
        let begins_too_late = now.plus(OPENING_MARGIN).plus(context.skew.get()) < head.issued;
        if head.end().plus(OPENING_MARGIN) < now || begins_too_late {
            return Err(Reason::EnvelopeTime.into());
        }
        if !context.sessions.admit_decryption(client) {
            return Err(Reason::DecryptionLimit.into());
        }
        let opened = envelope::open(client, server, decryption, &envelope, context.random)
            .map_err(|_| Reason::System("random generator"))?;
        let (keys, genuine) = match opened {
            OpenedSecret::Genuine(keys) => (keys, true),
            OpenedSecret::Substitute(keys) => (keys, false),
        };
        Ok((Session::new(client.clone(), head, decryption.made_by_this_process(), keys), genuine))
    }
}

impl<'a, 'd> Opened<'a, '_, 'd> {
    /// Step 5: the tag of the request certificate, then its padding and length. What proves the answer comes with it,
    /// whatever becomes of the request from here on.
    ///
    /// # Errors
    /// [`Code::BadSignature`](crate::answer::Code::BadSignature), whichever of these failed.
    pub fn prove(self) -> Result<(Proven<'a, 'd>, Prover), Refusal> {
        match request::open(self.session.keys(), &self.covered, self.sealed) {
            Ok((iv, plain)) if self.genuine => {
                let proven = Proven::new(self.application, &self.session, self.covered, iv, plain);
                Ok((proven, Prover::new(self.session, iv)))
            }
            Ok(_) => Err(Reason::EnvelopeUnopened.into()),
            Err(_) if !self.genuine => Err(Reason::EnvelopeUnopened.into()),
            Err(why) => Err(Reason::Sealed(why).into()),
        }
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &'d Application {
        self.application
    }
}
