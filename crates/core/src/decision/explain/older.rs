use http::{HeaderMap, header};

use super::probe::allowed_by;
use super::version4::{address_text, list, none_of};
use super::{
    CheckList, End, Explanation, Known, NO_ADDRESS, NO_STORE, RUNNING_SERVER, Recorded, Standing, Step,
    USER_BASE, Value,
};
use crate::decision::{Allowed, NonceOutcome, Reason, Refusal};
use crate::directory::Application;
use crate::legacy::{
    self, EARLY, Explained, Failure, FailureKind, Judgement, LegacyVerifyingKey, Presented, Version, Window,
    field,
};
use crate::request::Target;
use crate::time::UnixMillis;

/// The checks of versions 2 and 3 in their order. Versions 0 and 1 end at the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    Fields,
    Version,
    Id,
    Key,
    Magic,
    Application,
    Accepted,
    Decoded,
    Time,
    Address,
    Url,
    SignaturePresent,
    Signature,
    Name,
    Nonce,
    NeverAs,
    UserBase,
}

impl Check {
    const ALL: [Self; 17] = [
        Self::Fields,
        Self::Version,
        Self::Id,
        Self::Key,
        Self::Magic,
        Self::Application,
        Self::Accepted,
        Self::Decoded,
        Self::Time,
        Self::Address,
        Self::Url,
        Self::SignaturePresent,
        Self::Signature,
        Self::Name,
        Self::Nonce,
        Self::NeverAs,
        Self::UserBase,
    ];

    /// Its number in the older versions, section 9 ("new").
    const fn number(self) -> u8 {
        match self {
            Self::Fields => 1,
            Self::Version => 3,
            Self::Id => 4,
            Self::Key => 5,
            Self::Magic => 6,
            Self::Application | Self::Accepted => 7,
            Self::Decoded => 8,
            Self::Time => 9,
            Self::Address => 10,
            Self::Url => 12,
            Self::SignaturePresent => 13,
            Self::Signature | Self::Name | Self::Nonce => 14,
            Self::NeverAs | Self::UserBase => 15,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Fields => "a certificate is there, each field once, not too long",
            Self::Version => "the version is one that proves something: 2 or 3",
            Self::Id => "the application id is there",
            Self::Key => "version 2: the key is there",
            Self::Magic => "version 2: the magic number is there",
            Self::Application => "the application is known, enabled, and has a key of the older versions",
            Self::Accepted => "it may still speak this version",
            Self::Decoded => "key, magic number and certificate decode",
            Self::Time => "the certificate is of this time",
            Self::Address => "it may call from this address",
            Self::Url => "it may use this method and path",
            Self::SignaturePresent => "there is a signature",
            Self::Signature => "the signature is genuine for this server's URL",
            Self::Name => "what is signed is a user name",
            Self::Nonce => "the signature was not used before",
            Self::NeverAs => "it may act as this user",
            Self::UserBase => "the user exists and may log in",
        }
    }
}

/// The checks of the older versions.
pub(super) fn walk(request: &Recorded<'_>, known: Option<&Known<'_>>, now: UnixMillis) -> Explanation {
    let mut walk = Walk {
        steps: Check::ALL.map(|check| Step::new(check.number(), check.text())),
        unknown: [None; Check::ALL.len()],
        proven: None,
    };
    let end = match (Presented::parse(request.headers), known) {
        (Ok(None), _) => failed(Check::Fields, Failure::new(FailureKind::Malformed)),
        (Err(failure), _) => {
            let check = match failure.kind() {
                FailureKind::BadProtocolVersion | FailureKind::UnsupportedProtocolVersion => Check::Version,
                FailureKind::AppIdNotFound => Check::Id,
                FailureKind::SecretKeyNotFound => Check::Key,
                FailureKind::MagicNumberNotFound => Check::Magic,
                FailureKind::AppUnknown => Check::Application,
                _ => Check::Fields,
            };
            failed(check, failure)
        }
        (Ok(Some(_)), None) => End::Blind(Check::Application, NO_STORE),
        (Ok(Some(presented)), Some(known)) => match walk.judge(request, presented, known, now) {
            Ok(()) => End::Through,
            Err(stopped) => {
                let (check, refusal) = *stopped;
                End::Failed(check, refusal)
            }
        },
    };
    let application = known.and_then(|known| find(request.headers, known));
    let version = walk.show_sent(request, known, application, now);
    if let (Some(known), Some(application)) = (known, application) {
        walk.show_rules(request, application, known);
    }
    let older = !matches!(version, Some(Version::V2));
    let steps = Check::ALL.iter().zip(walk.steps).zip(walk.unknown).map(|((check, mut step), unknown)| {
        step.outcome = end.outcome(check, unknown);
        (check, step)
    });
    // Version 3 has neither key nor magic number, and what is in the fields is not looked at.
    let steps = steps.filter(|(check, _)| !(older && matches!(check, Check::Key | Check::Magic)));
    Explanation {
        rules: CheckList::Older,
        steps: steps.map(|(_, step)| step).collect(),
        proven: walk.proven.is_some(),
    }
}

fn failed(check: Check, failure: impl Into<Refusal>) -> End<Check> {
    End::Failed(check, failure.into())
}

fn find<'k>(headers: &HeaderMap, known: &Known<'k>) -> Option<&'k Application> {
    let id = std::str::from_utf8(headers.get(field::ID)?.as_bytes()).ok()?;
    known.context.directory.application(id).map(AsRef::as_ref)
}

/// The check a request stops at, and its refusal.
type Stopped = Box<(Check, Refusal)>;

fn stop<R: Into<Refusal>>(check: Check) -> impl FnOnce(R) -> Stopped {
    move |refusal| Box::new((check, refusal.into()))
}

struct Walk {
    steps: [Step; Check::ALL.len()],
    unknown: [Option<&'static str>; Check::ALL.len()],
    /// The version whose signature was found good: it tells what of the request is proven by that.
    proven: Option<Version>,
}

impl Walk {
    fn show(&mut self, check: Check, name: &'static str, value: impl Into<Value>, standing: Standing) {
        if let Some(step) = self.steps.get_mut(place(check)) {
            step.show(name, value, standing);
        }
    }

    fn mark_unknown(&mut self, check: Check, because: &'static str) {
        if let Some(slot) = self.unknown.get_mut(place(check)) {
            *slot = Some(because);
        }
    }

    /// From the application on, as a server that accepts the older versions goes about it.
    fn judge(
        &mut self,
        request: &Recorded<'_>,
        presented: Presented,
        known: &Known<'_>,
        now: UnixMillis,
    ) -> Result<(), Stopped> {
        let fail = |check, kind| stop(check)(Failure::new(kind));
        self.mark_unknown(Check::UserBase, USER_BASE);
        let application = known
            .context
            .directory
            .application(presented.app_id().as_str())
            .filter(|application| application.is_enabled())
            .ok_or_else(|| fail(Check::Application, FailureKind::AppUnknown))?;
        let key = application.legacy_key();
        if key.is_some() && !application.accepts(presented.version().into()) {
            return Err(fail(Check::Accepted, FailureKind::UnsupportedProtocolVersion));
        }
        let key = key.ok_or_else(|| fail(Check::Application, FailureKind::AppUnknown))?;
        let policy = application.policy();
        let opened = presented.open(key).map_err(stop(Check::Decoded))?;
        let timeout = policy.timeout().capped(known.context.greatest_timeout);
        let window = Window::new(timeout, known.context.skew.get())
            .map_err(|_| stop(Check::Time)(Reason::System("timeout")))?;
        let timely = opened.check_time(now, window).map_err(stop(Check::Time))?;

        let client = match known.client {
            Some(client) => client.map_err(|_| fail(Check::Address, FailureKind::BadXforwardIp))?,
            None => {
                self.mark_unknown(Check::Address, NO_ADDRESS);
                allowed_by(policy.addresses())
            }
        };
        if !policy.addresses().allows(client.addr) {
            let kind = if client.forwarded { FailureKind::BadXforwardIp } else { FailureKind::BadRemoteIp };
            return Err(fail(Check::Address, kind));
        }
        let target = target(request);
        let path = target.split_once('?').map_or(&*target, |(path, _)| path);
        if !policy.methods().allows(request.method) || policy.paths().allows_raw(path).is_err() {
            return Err(fail(Check::Url, FailureKind::BadUrl));
        }
        let proven = timely.verify(&own_url(known, &target)).map_err(|failure| {
            let check = match failure.kind() {
                FailureKind::MissingSignature => Check::SignaturePresent,
                FailureKind::UserUnknown => Check::Name,
                _ => Check::Signature,
            };
            stop(check)(failure)
        })?;
        self.proven = Some(proven.version().into());
        if !policy.allow_repeats() {
            self.mark_unknown(Check::Nonce, RUNNING_SERVER);
        }
        Allowed::older(&proven, application, known.context.directory, NonceOutcome::First)
            .map_err(stop(Check::NeverAs))?;
        Ok(())
    }

    /// What stands in the request, decoded as peers decode it.
    fn show_sent(
        &mut self,
        request: &Recorded<'_>,
        known: Option<&Known<'_>>,
        application: Option<&Application>,
        now: UnixMillis,
    ) -> Option<Version> {
        let key = application.and_then(Application::legacy_key);
        let url = known.map(|known| own_url(known, &target(request)));
        let sent = legacy::explain(request.headers, key, url.as_deref());
        // Version 2 signs time and URL, version 3 the user as well; neither signs the method.
        let standing = |proven| if proven { Standing::Proven } else { Standing::Unproven };
        let (signed, user) = (standing(self.proven.is_some()), standing(self.proven == Some(Version::V3)));
        let version = match request.headers.get(field::VERSION) {
            Some(value) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            None => "0, because the field is absent".to_owned(),
        };
        self.show(Check::Version, "version", version, Standing::Unproven);
        if let Some(id) = &sent.app_id {
            self.show(Check::Id, "application", id.as_str(), standing(self.proven.is_some()));
        }
        self.show_decoded(&sent);
        if let Some(time) = sent.timestamp.and_then(|time| u64::try_from(time).ok()) {
            self.show(Check::Time, "created", UnixMillis(time), signed);
            self.show(Check::Time, "now", now, Standing::Own);
        }
        self.show(Check::Url, "method", request.method.as_str(), Standing::Unproven);
        self.show(Check::Url, "target", target(request), signed);
        if let Some(name) = sent.user.clone() {
            self.show(Check::Name, "user", name.clone(), user);
            self.show(Check::NeverAs, "user", name, user);
        }
        if let Some(url) = url {
            self.show(Check::Signature, "URL here", url, Standing::Own);
        }
        if sent.signature != Judgement::Good
            && let Some(url) = key.and_then(|key| signed_elsewhere(request, key))
        {
            self.show(Check::Signature, "it is genuine for", url, Standing::Unproven);
        }
        sent.version
    }

    fn show_decoded(&mut self, sent: &Explained) {
        const SENT: Standing = Standing::Unproven;
        let word = |judgement| match judgement {
            Judgement::Absent => None,
            Judgement::Bad => Some("wrong"),
            Judgement::Good => Some("right"),
            Judgement::Unknown => Some("cannot be known without the application's key"),
        };
        for (name, judgement) in
            [("magic number", sent.magic), ("magic number of the certificate", sent.certificate_magic)]
        {
            if let Some(word) = word(judgement) {
                self.show(Check::Decoded, name, word, SENT);
            }
        }
        if let Some(length) = sent.rc4_key_len {
            self.show(Check::Decoded, "bytes of the RC4 key, of 16", length, SENT);
        }
        for problem in &sent.problems {
            self.show(Check::Decoded, "problem", *problem, SENT);
        }
    }

    fn show_rules(&mut self, request: &Recorded<'_>, application: &Application, known: &Known<'_>) {
        const OWN: Standing = Standing::Own;
        let policy = application.policy();
        self.show(Check::Application, "name", application.name(), OWN);
        if !application.is_enabled() {
            self.show(Check::Application, "enabled", "no", OWN);
        }
        if application.legacy_key().is_none() {
            self.show(Check::Application, "key of the older versions", "none", OWN);
        }
        self.show(Check::Accepted, "lowest version", application.ratchet().floor().to_string(), OWN);
        self.show(Check::Time, "timeout", policy.timeout().capped(known.context.greatest_timeout), OWN);
        self.show(Check::Time, "peers may date ahead by", EARLY, OWN);
        match known.client {
            Some(Ok(client)) => {
                let rule = policy.addresses().rule_for(client.addr).map(ToString::to_string);
                self.show(Check::Address, "address", address_text(client), OWN);
                let rule = rule.unwrap_or_else(|| none_of(policy.addresses().rules()));
                self.show(Check::Address, "rule", rule, OWN);
            }
            Some(Err(error)) => self.show(Check::Address, "address", error.to_string(), OWN),
            None => self.show(Check::Address, "allowed", list(policy.addresses().rules()), OWN),
        }
        let methods =
            if policy.methods().names_any() { "any".to_owned() } else { list(policy.methods().methods()) };
        self.show(Check::Url, "methods allowed", methods, OWN);
        let target = target(request);
        let path = target.split_once('?').map_or(&*target, |(path, _)| path);
        let rule = match policy.paths().rule_for(path) {
            Ok(rule) => rule.to_string(),
            Err(crate::policy::PathRefusal::NoRule) => none_of(policy.paths().rules()),
            Err(refusal) => refusal.to_string(),
        };
        self.show(Check::Url, "path rule", rule, OWN);
        self.show(Check::NeverAs, "never as", list(policy.never_as().patterns()), OWN);
        let revoked = known.context.directory.revoked_users();
        if !revoked.is_empty() {
            self.show(Check::NeverAs, "revoked for all", list(revoked.patterns()), OWN);
        }
        if policy.allow_repeats() {
            self.show(Check::Nonce, "repeats", "allowed for this application", OWN);
        }
    }
}

fn place(check: Check) -> usize {
    Check::ALL.iter().position(|other| *other == check).unwrap_or_default()
}

fn target(request: &Recorded<'_>) -> String {
    Target::parse(request.target)
        .map_or_else(|_| request.target.to_owned(), |target| target.as_str().to_owned())
}

/// The URL as this server sees it: its own base URL's origin, never the `Host` field (older versions, section 19).
fn own_url(known: &Known<'_>, target: &str) -> String {
    let base_url = &known.context.identity.certificate().content().base_url;
    format!("{}{target}", base_url.origin().ascii_serialization())
}

/// Another URL for which the signature is genuine. The usual mistake is a base URL that differs from what clients call.
fn signed_elsewhere(request: &Recorded<'_>, key: &LegacyVerifyingKey) -> Option<String> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let target = target(request);
    ["https", "http"]
        .into_iter()
        .map(|scheme| format!("{scheme}://{host}{target}"))
        .find(|url| legacy::explain(request.headers, Some(key), Some(url)).signature == Judgement::Good)
}
