use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::check::Check;
use super::probe::{Probe, allowed_by};
use super::{
    CheckList, End, Explanation, Known, LIMITS, NO_ADDRESS, NO_CONTENT, NO_STORE, RUNNING_SERVER, Recorded,
    Standing, Step, USER_BASE, Value,
};
use crate::decision::{
    CertificateSpace, Context, Field, NonceOutcome, Presented, Proven, Reason, Refusal, open,
};
use crate::directory::{Application, Directory};
use crate::envelope::{Envelope, EnvelopeHead, EnvelopeSignature};
use crate::fields;
use crate::policy::ClientAddress;
use crate::request::{self, Target};
use crate::time::UnixMillis;

/// The checks of version 4.
pub(super) fn walk(request: &Recorded<'_>, known: Option<&Known<'_>>, now: UnixMillis) -> Explanation {
    let mut walk = Walk {
        steps: Check::ALL.map(|check| Step::new(check.number(), check.text())),
        unknown: [None; Check::ALL.len()],
        certificate: None,
        proven: false,
    };
    let mut space = CertificateSpace::new();
    let presented = Presented::parse(request.method, request.target, request.headers, &mut space);
    let end = match (presented, known) {
        (Err(refusal), _) => End::Failed(Check::of(refusal.reason(), false), refusal),
        (Ok(_), None) => walk.alone(request.headers),
        (Ok(presented), Some(known)) => walk.judge(request, presented, known, now),
    };
    walk.show_sent(request);
    if let Some(known) = known {
        walk.show_own(request, known, now);
    }
    for (check, step) in Check::ALL.iter().zip(&mut walk.steps) {
        step.outcome = end.outcome(check, walk.unknown.get(place(*check)).copied().flatten());
    }
    Explanation { rules: CheckList::Version4, steps: walk.steps.into(), proven: walk.proven }
}

struct Walk {
    steps: [Step; Check::ALL.len()],
    /// Checks that cannot be known here, although those after them can.
    unknown: [Option<&'static str>; Check::ALL.len()],
    /// What the request certificate says, once it opened.
    certificate: Option<(UnixMillis, String)>,
    proven: bool,
}

impl Walk {
    fn step(&mut self, check: Check) -> Option<&mut Step> {
        self.steps.get_mut(place(check))
    }

    fn show(&mut self, check: Check, name: &'static str, value: impl Into<Value>, standing: Standing) {
        if let Some(step) = self.step(check) {
            step.show(name, value, standing);
        }
    }

    fn mark_unknown(&mut self, check: Check, because: &'static str) {
        if let Some(slot) = self.unknown.get_mut(place(check)) {
            *slot = Some(because);
        }
    }

    /// Whose word a value is that is covered by the tag.
    fn standing(&self) -> Standing {
        if self.proven { Standing::Proven } else { Standing::Unproven }
    }

    /// Without keys and rules: what is left of step 0, and step 1. At the server they are the first part of [`open`].
    fn alone(&mut self, headers: &HeaderMap) -> End<Check> {
        let bytes = |name: &str| headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        let Some(envelope) = Envelope::decode(bytes(fields::text::KEY)) else {
            return End::Failed(Check::Fields, Reason::FieldForm(Field::Key).into());
        };
        if EnvelopeSignature::decode(bytes(fields::text::SIGNATURE)).is_none() {
            return End::Failed(Check::Fields, Reason::FieldForm(Field::Signature).into());
        }
        if EnvelopeHead::parse(envelope.as_bytes()).is_err() {
            return End::Failed(Check::Suite, Reason::Suite.into());
        }
        End::Blind(Check::Application, NO_STORE)
    }

    /// Steps 1–12.
    fn judge(
        &mut self,
        request: &Recorded<'_>,
        presented: Presented<'_, '_>,
        known: &Known<'_>,
        now: UnixMillis,
    ) -> End<Check> {
        for limit in [Check::AddressLimit, Check::ApplicationLimit] {
            self.mark_unknown(limit, LIMITS);
        }
        self.mark_unknown(Check::Nonce, RUNNING_SERVER);
        self.mark_unknown(Check::UserBase, USER_BASE);
        let trusted = known.context.directory.application(presented.untrusted_app_id());
        // A copy with a ratchet of its own: looking at a request must not end the older versions.
        let directory = trusted
            .and_then(|app| Directory::new([app.apart()]).ok())
            .unwrap_or_default()
            .with_revoked_users(known.context.directory.revoked_users().clone());
        let client = known.client.unwrap_or_else(|| {
            self.mark_unknown(Check::Address, NO_ADDRESS);
            let nobody = crate::policy::AddressRules::default();
            Ok(allowed_by(trusted.map_or(&nobody, |app| app.policy().addresses())))
        });
        let probe = Probe::default();
        let context = Context { directory: &directory, sessions: &probe, ..known.context };

        let opened = open(presented, &context, client, now);
        let refused = |refusal: Refusal, opened| End::Failed(Check::of(refusal.reason(), opened), refusal);
        let proven = match opened.and_then(|opened| opened.prove()) {
            Ok((proven, _)) => proven,
            Err(refusal) => {
                self.glimpse(request, known, &directory, refusal.reason());
                return refused(refusal, false);
            }
        };
        self.proven = true;
        self.read_certificate(request, &probe);
        let content = self.content(request, &proven);
        match proven.allow(&context, NonceOutcome::First, None, now) {
            Ok(_) => content.map_or(End::Through, |refusal| End::Failed(Check::Content, refusal)),
            Err(refusal) => refused(refusal, true),
        }
    }

    /// Step 12. At the server it is the layer that reads the content.
    fn content(&mut self, request: &Recorded<'_>, proven: &Proven<'_, '_>) -> Option<Refusal> {
        let expected = match proven.content_digest() {
            Ok(expected) => expected,
            Err(refusal) => return Some(refusal),
        };
        let Some(content) = request.content else {
            self.mark_unknown(Check::Content, NO_CONTENT);
            return None;
        };
        match expected {
            Some(digest) if digest.matches(content) => None,
            Some(_) => Some(Reason::DigestWrong.into()),
            None if content.is_empty() => None,
            None => Some(Reason::DigestAbsent.into()),
        }
    }

    /// A request that was refused for its address or its time may still open: then a person wants to know whose it was
    /// and when it was made. It is opened as it would have been then, from an allowed address.
    fn glimpse(&mut self, request: &Recorded<'_>, known: &Known<'_>, directory: &Directory, why: Reason) {
        let late = matches!(
            why,
            Reason::AddressForwarded
                | Reason::AddressRemote
                | Reason::AddressUnreadable(_)
                | Reason::DecryptionKeyUnknown
                | Reason::EnvelopeTime
                | Reason::SigningKeyUnknown
        );
        let Some(head) = envelope_head(request.headers).filter(|_| late) else { return };
        let mut space = CertificateSpace::new();
        let Ok(presented) = Presented::parse(request.method, request.target, request.headers, &mut space)
        else {
            return;
        };
        let Some(application) = directory.application(presented.untrusted_app_id()) else { return };
        let client = allowed_by(application.policy().addresses());
        let probe = Probe::default();
        let context = Context { directory, sessions: &probe, ..known.context };
        let opened = open(presented, &context, Ok(client), head.issued).and_then(|opened| opened.prove());
        if opened.is_ok() {
            // Whoever found a key that has ended can date an envelope back.
            self.proven = why != Reason::SigningKeyUnknown;
            self.read_certificate(request, &probe);
        }
    }

    /// Time and user out of a certificate whose tag was found good.
    fn read_certificate(&mut self, request: &Recorded<'_>, probe: &Probe) {
        let Some(session) = probe.session() else { return };
        let mut space = CertificateSpace::new();
        let Ok(presented) = Presented::parse(request.method, request.target, request.headers, &mut space)
        else {
            return;
        };
        if let Ok((_, plain)) = request::open(session.keys(), &presented.covered, presented.sealed) {
            self.certificate = Some((plain.created, String::from_utf8_lossy(plain.user).into_owned()));
        }
    }

    /// What stands in the request, as far as it can be read.
    fn show_sent(&mut self, request: &Recorded<'_>) {
        let standing = self.standing();
        let headers = request.headers;
        for (check, name, field) in [
            (Check::Version, "version", &fields::VERSION),
            (Check::IdAndKey, "application", &fields::ID),
            (Check::Content, "content digest", &fields::CONTENT_DIGEST),
        ] {
            if let Some(value) = headers.get(field) {
                self.show(check, name, String::from_utf8_lossy(value.as_bytes()), standing);
            }
        }
        self.show(Check::Method, "method", request.method.as_str(), standing);
        match Target::parse(request.target) {
            Ok(target) => {
                self.show(Check::Fields, "target", target.as_str(), standing);
                self.show(Check::Path, "path", target.path(), standing);
            }
            Err(_) => self.show(Check::Fields, "target", request.target, standing),
        }
        if let Some(content_type) = headers.get(http::header::CONTENT_TYPE) {
            self.show(
                Check::Fields,
                "content type",
                String::from_utf8_lossy(content_type.as_bytes()),
                standing,
            );
        }
        if let Some(content) = request.content {
            self.show(Check::Content, "bytes of content", content.len(), Standing::Own);
        }
        if let Some(head) = envelope_head(headers) {
            self.show(Check::Keys, "signing key", head.signing_key, standing);
            self.show(Check::Keys, "decryption key", head.decryption_key, standing);
            self.show(Check::Lifetime, "lifetime", Duration::from_secs(head.lifetime_s.into()), standing);
            for check in [Check::OpeningTime, Check::EnvelopeTime] {
                self.show(check, "issued", head.issued, standing);
                self.show(check, "ends", head.end(), standing);
            }
        }
        if let Some((created, user)) = self.certificate.take() {
            self.show(Check::Created, "created", created, standing);
            self.show(Check::User, "user", user.clone(), standing);
            self.show(Check::NeverAs, "user", user, standing);
        }
    }

    /// What this side knows: rules and settings that decide.
    fn show_own(&mut self, request: &Recorded<'_>, known: &Known<'_>, now: UnixMillis) {
        const OWN: Standing = Standing::Own;
        let id = request.headers.get(&fields::ID).map(HeaderValue::as_bytes).unwrap_or_default();
        let id = std::str::from_utf8(id).unwrap_or_default();
        if let Some(Ok(client)) = known.client {
            self.show(Check::Address, "address", address_text(client), OWN);
        }
        for check in [Check::OpeningTime, Check::EnvelopeTime, Check::Created] {
            self.show(check, "now", now, OWN);
        }
        self.show(Check::OpeningTime, "clocks may differ by", known.context.skew.get(), OWN);
        let Some(application) = known.context.directory.application(id) else { return };
        self.show_rules(request, application, known, now);
    }

    fn show_rules(
        &mut self,
        request: &Recorded<'_>,
        application: &Application,
        known: &Known<'_>,
        now: UnixMillis,
    ) {
        const OWN: Standing = Standing::Own;
        let policy = application.policy();
        self.show(Check::Application, "name", application.name(), OWN);
        if !application.is_enabled() {
            self.show(Check::Application, "enabled", "no", OWN);
        }
        self.show(Check::Accepted, "lowest version", application.ratchet().floor().to_string(), OWN);
        match known.client {
            Some(Ok(client)) => {
                let rule = policy.addresses().rule_for(client.addr).map(ToString::to_string);
                self.show(
                    Check::Address,
                    "rule",
                    rule.unwrap_or_else(|| none_of(policy.addresses().rules())),
                    OWN,
                );
            }
            Some(Err(error)) => self.show(Check::Address, "address", error.to_string(), OWN),
            None => self.show(Check::Address, "allowed", list(policy.addresses().rules()), OWN),
        }
        if let Some(head) = envelope_head(request.headers) {
            let signing = match application.key(head.signing_key) {
                Some(key) if key.usable_at(now) => "known",
                Some(_) => "has ended",
                None => "unknown",
            };
            self.show(Check::Keys, "signing key here", signing, OWN);
            let decryption = known.context.identity.decryption_key(head.decryption_key, now);
            let usable = if decryption.is_some() { "known" } else { "unknown, or has ended" };
            self.show(Check::Keys, "decryption key here", usable, OWN);
        }
        self.show(Check::Created, "timeout", policy.timeout().capped(known.context.greatest_timeout), OWN);
        let methods =
            if policy.methods().names_any() { "any".to_owned() } else { list(policy.methods().methods()) };
        self.show(Check::Method, "allowed", methods, OWN);
        if let Ok(target) = Target::parse(request.target) {
            let rule = match policy.paths().rule_for(target.path()) {
                Ok(rule) => rule.to_string(),
                Err(crate::policy::PathRefusal::NoRule) => none_of(policy.paths().rules()),
                Err(refusal) => refusal.to_string(),
            };
            self.show(Check::Path, "rule", rule, OWN);
        }
        self.show(Check::NeverAs, "never as", list(policy.never_as().patterns()), OWN);
        let revoked = known.context.directory.revoked_users();
        if !revoked.is_empty() {
            self.show(Check::NeverAs, "revoked for all", list(revoked.patterns()), OWN);
        }
    }
}

fn place(check: Check) -> usize {
    Check::ALL.iter().position(|other| *other == check).unwrap_or_default()
}

/// The clear part of an envelope, whatever else is wrong with the request.
pub(super) fn envelope_head(headers: &HeaderMap) -> Option<EnvelopeHead> {
    let envelope = Envelope::decode(headers.get(&fields::KEY)?.as_bytes())?;
    EnvelopeHead::parse(envelope.as_bytes()).ok()
}

pub(super) fn address_text(client: ClientAddress) -> String {
    if client.forwarded { format!("{}, from X-Forwarded-For", client.addr) } else { client.addr.to_string() }
}

/// The rules, or that there are none; a long list is cut.
pub(super) fn list<T: ToString>(rules: &[T]) -> String {
    const MOST: usize = 20;
    if rules.is_empty() {
        return "none".to_owned();
    }
    let mut text = rules.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(more) = rules.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

pub(super) fn none_of<T: ToString>(rules: &[T]) -> String {
    if rules.is_empty() { "there are none".to_owned() } else { format!("none of {}", list(rules)) }
}
