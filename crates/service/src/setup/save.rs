use taa_core::certificate::{Certificate, KeyUse};
use taa_core::envelope::Lifetime;
use taa_core::id::AppId;
use taa_core::legacy::CertificatePage;
use taa_core::policy::Protocol;
use taa_store::StoreError;
use taa_store::model::{
    Actor, ApplicationUpdate, Field, FieldError, FieldErrors, NewApplication, NewServer, PeerKeys,
    PeerLegacyKey, Pending, PendingId, Presented, Rules, ServerUpdate, TrustedApplication, TrustingServer,
};

use super::error::{SaveError, SetupError};
use super::{OutgoingText, SaveWhat, Setup, remark, same_place};

/// The version an application of the older versions speaks. The number on its page says little: one library writes 1
/// and signs with 2.
pub(super) fn page_protocol(page: &CertificatePage) -> Protocol {
    if page.version == Some(3) { Protocol::V3 } else { Protocol::V2 }
}

/// What the person filled in, parsed.
struct Filled {
    incoming: Option<(String, Rules)>,
    outgoing: Option<Outgoing>,
}

struct Outgoing {
    name: String,
    lifetime: Lifetime,
    require_content_digest: bool,
}

impl Setup {
    /// Second step: saves what was shown under this fingerprint. A peer that is there already under this id gets the new
    /// keys (a person has looked), its rules stay unless given.
    ///
    /// A new peer is saved in one transaction. For one that is there the rules are changed first and the keys then, so
    /// that new keys never meet rules that are wider than the person meant.
    ///
    /// # Errors
    /// Field errors, all of them; or why it cannot be saved.
    pub async fn save(
        &self,
        id: &PendingId,
        shown_fingerprint: &str,
        what: &SaveWhat,
        by: &Actor,
    ) -> Result<AppId, SaveError> {
        let pending = self.store.pending(id).await?;
        if !is_shown(&pending, shown_fingerprint) {
            return Err(SetupError::Fingerprint.into());
        }
        let snapshot = self.store.poll().await?;
        let app_id = pending.app_id().clone();
        if snapshot.own.as_ref().is_some_and(|own| own.certificate.content().iss == app_id) {
            return Err(SetupError::OwnId.into());
        }
        let filled = self.parse(&pending, what)?;
        if filled.outgoing.is_some() && cannot_be_called(&pending) {
            return Err(SetupError::ClientOnly.into());
        }
        if let Some(other) = remark::key_in_use(&pending, &snapshot) {
            return Err(StoreError::KeyInUse { id: app_id, other }.into());
        }
        let known = (snapshot.application(app_id.as_str()), snapshot.server(app_id.as_str()));
        if known.0.is_none() && known.1.is_none() {
            self.add(&pending, filled, by).await?;
        } else {
            self.change(&pending, known, filled, by).await?;
        }
        self.store.remove_pending(id).await?;
        Ok(app_id)
    }

    fn parse(&self, pending: &Pending, what: &SaveWhat) -> Result<Filled, FieldErrors> {
        let mut errors = Vec::new();
        let incoming = what.incoming.as_ref().and_then(|text| match text.parse(self.greatest) {
            Ok(parsed) => Some(parsed),
            Err(FieldErrors(wrong)) => {
                errors.extend(wrong);
                None
            }
        });
        let outgoing = what.outgoing.as_ref().and_then(|text| match text.parse(pending) {
            Ok(parsed) => Some(parsed),
            Err(FieldErrors(wrong)) => {
                errors.extend(wrong);
                None
            }
        });
        if errors.is_empty() { Ok(Filled { incoming, outgoing }) } else { Err(FieldErrors(errors)) }
    }

    /// A peer that nobody knew.
    async fn add(&self, pending: &Pending, filled: Filled, by: &Actor) -> Result<(), SaveError> {
        let incoming = filled.incoming.map(|(name, rules)| new_application(pending, name, rules));
        let outgoing = filled.outgoing.map(|outgoing| new_server(pending, outgoing));
        match (incoming, outgoing) {
            (Some(application), Some(server)) => self.store.add_both(application, server, by).await?,
            (Some(application), None) => self.store.add_application(application, by).await?,
            (None, Some(server)) => self.store.add_server(server, by).await?,
            (None, None) => return Err(SetupError::Nothing.into()),
        };
        Ok(())
    }

    /// A peer that is there: its rules, then its keys, then what it was not yet.
    async fn change(
        &self,
        pending: &Pending,
        known: (Option<&TrustedApplication>, Option<&TrustingServer>),
        filled: Filled,
        by: &Actor,
    ) -> Result<(), SaveError> {
        let (application, server) = known;
        let mut added = Filled { incoming: None, outgoing: None };
        match (filled.incoming, application) {
            (Some((name, rules)), Some(known)) => {
                let update = ApplicationUpdate { version: known.version, name, rules };
                self.store.update_application(&known.id, update, by).await?;
            }
            (incoming, _) => added.incoming = incoming,
        }
        match (filled.outgoing, server) {
            (Some(outgoing), Some(known)) => {
                let update = ServerUpdate {
                    name: outgoing.name,
                    lifetime: outgoing.lifetime,
                    require_content_digest: outgoing.require_content_digest,
                    ..as_it_is(known, pending)
                };
                self.store.update_server(&known.id, update, by).await?;
            }
            // A person allowed plain http to where it lives now.
            (None, Some(known)) if pending.insecure_http && !known.insecure_allow_http => {
                self.store.update_server(&known.id, as_it_is(known, pending), by).await?;
            }
            (outgoing, _) => added.outgoing = outgoing,
        }
        // A record that has another base URL on purpose, such as one of an inner network, keeps it.
        let lives_there = application.is_some_and(|known| same_place(&known.base_url, &pending.base_url))
            || server.is_some_and(|known| same_place(&known.base_url, &pending.base_url));
        let moved = (!lives_there).then_some(&pending.base_url);
        match &pending.presented {
            Presented::Certificate(certificate) => {
                self.store.replace_certificate(certificate, moved, true, by).await?;
            }
            Presented::LegacyPage(page) => {
                let key = PeerLegacyKey(page.key.clone());
                self.store.replace_legacy_key(pending.app_id(), key, moved, by).await?;
            }
        }
        match added {
            Filled { incoming: None, outgoing: None } => Ok(()),
            added => self.add(pending, added, by).await,
        }
    }
}

impl OutgoingText {
    fn parse(&self, pending: &Pending) -> Result<Outgoing, FieldErrors> {
        let mut errors = Vec::new();
        let name = match self.name.trim() {
            "" => own_name(pending),
            name => name.to_owned(),
        };
        if name.len() > 255 || name.chars().any(char::is_control) {
            let message = "A name has at most 255 bytes and no control characters.".into();
            errors.push(FieldError { field: Field::Name, message });
        }
        let lifetime = match self.lifetime.trim() {
            "" => Some(Lifetime::default()),
            typed => typed.parse().ok().and_then(|seconds| Lifetime::from_secs(seconds).ok()),
        };
        if lifetime.is_none() {
            let message = "A session lasts 1 to 900 seconds, as a whole number.".into();
            errors.push(FieldError { field: Field::Lifetime, message });
        }
        match lifetime {
            Some(lifetime) if errors.is_empty() => {
                Ok(Outgoing { name, lifetime, require_content_digest: self.require_content_digest })
            }
            _ => Err(FieldErrors(errors)),
        }
    }
}

/// What the peer calls itself; the older versions have no name, so it is where it lives.
fn own_name(pending: &Pending) -> String {
    match &pending.presented {
        Presented::Certificate(certificate) => certificate.content().name.clone(),
        Presented::LegacyPage(_) => pending.base_url.to_string(),
    }
}

fn cannot_be_called(pending: &Pending) -> bool {
    match &pending.presented {
        Presented::Certificate(certificate) => certificate.content().current(KeyUse::Decryption).is_none(),
        Presented::LegacyPage(_) => false,
    }
}

/// Blanks play no part, nor does letter case where it carries nothing: a fingerprint is base32, the thumbprint of an
/// older key is base64url.
fn is_shown(pending: &Pending, shown: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let (waits, shown) = (plain(&pending.fingerprint()), plain(shown));
    match &pending.presented {
        Presented::Certificate(_) => waits.eq_ignore_ascii_case(&shown),
        Presented::LegacyPage(_) => waits == shown,
    }
}

/// The change that changes nothing, but for plain http where the person allowed it.
fn as_it_is(known: &TrustingServer, pending: &Pending) -> ServerUpdate {
    ServerUpdate {
        insecure_allow_http: known.insecure_allow_http || pending.insecure_http,
        ..ServerUpdate::of(known)
    }
}

fn certificate(pending: &Pending) -> Option<Certificate> {
    match &pending.presented {
        Presented::Certificate(certificate) => Some(Certificate::clone(certificate)),
        Presented::LegacyPage(_) => None,
    }
}

fn new_application(pending: &Pending, name: String, rules: Rules) -> NewApplication {
    let legacy = match &pending.presented {
        Presented::Certificate(_) => None,
        Presented::LegacyPage(page) => Some(PeerLegacyKey(page.key.clone())),
    };
    NewApplication {
        id: pending.app_id().clone(),
        name,
        base_url: pending.base_url.clone(),
        keys: PeerKeys { certificate: certificate(pending), legacy },
        rules,
    }
}

fn new_server(pending: &Pending, outgoing: Outgoing) -> NewServer {
    let protocol = match &pending.presented {
        Presented::Certificate(_) => Protocol::V4,
        Presented::LegacyPage(page) => page_protocol(page),
    };
    NewServer {
        id: pending.app_id().clone(),
        name: outgoing.name,
        base_url: pending.base_url.clone(),
        certificate: certificate(pending),
        protocol,
        lifetime: outgoing.lifetime,
        insecure_allow_http: pending.insecure_http,
        require_content_digest: outgoing.require_content_digest,
    }
}
