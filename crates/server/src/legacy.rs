//! Versions 2 and 3, for applications whose record allows them (older versions, sections 9 and 19).

use std::time::Duration;

use http::request::Parts;
use taa_core::decision::{Allowed, NonceOutcome, Reason, Refusal};
use taa_core::legacy::{Failure, FailureKind, Presented, Window};
use taa_core::nonce::NonceKey;

use crate::judge::{self, Content, Granted, outcome_of, resolve, signed_target};
use crate::resolver::UserResolver;
use crate::trust::Inner;

/// The checks of section 9 ("new") with the changes of section 19. No answer to these versions has a proof.
pub(crate) async fn judge<R: UserResolver>(
    trust: &Inner<R>,
    parts: &Parts,
    started: Duration,
) -> Result<Granted, Refusal> {
    let now = judge::now(trust, started)?;
    // A certificate that is not there is no attempt to the older versions; here the other fields make it one.
    let presented = Presented::parse(&parts.headers)?.ok_or(Failure::new(FailureKind::Malformed))?;
    let directory = trust.directory.load_full();
    let application = directory
        .application(presented.app_id().as_str())
        .filter(|application| application.is_enabled())
        .ok_or(Failure::new(FailureKind::AppUnknown))?;
    if !application.accepts(presented.version().into()) {
        return Err(Failure::new(FailureKind::UnsupportedProtocolVersion).into());
    }
    let key = application.legacy_key().ok_or(Failure::new(FailureKind::AppUnknown))?;
    let policy = application.policy();
    let opened = presented.open(key)?;
    let timeout = policy.timeout().capped(trust.greatest_timeout);
    let window = Window::new(timeout, trust.skew.get()).map_err(|_| Reason::System("timeout"))?;
    let timely = opened.check_time(now, window)?;

    let peer = (trust.peer)(&parts.extensions).ok_or(Reason::System("peer address"))?;
    let client = trust
        .proxies
        .client_address(peer, &parts.headers)
        .map_err(|_| Failure::new(FailureKind::BadXforwardIp))?;
    if !policy.addresses().allows(client.addr) {
        let kind = if client.forwarded { FailureKind::BadXforwardIp } else { FailureKind::BadRemoteIp };
        return Err(Failure::new(kind).into());
    }
    let target = signed_target(&parts.uri, &trust.stripped_prefix);
    let path = target.split_once('?').map_or(&*target, |(path, _)| path);
    if !policy.methods().allows(&parts.method) || policy.paths().allows_raw(path).is_err() {
        return Err(Failure::new(FailureKind::BadUrl).into());
    }
    // Never from Host or X-Forwarded-*: those are the caller's.
    let origin = trust.identity.load().certificate().content().base_url.origin().ascii_serialization();
    let proven = timely.verify(&format!("{origin}{target}"))?;

    let outcome = if policy.allow_repeats() {
        NonceOutcome::First
    } else {
        let nonce = NonceKey::of_legacy_signature(proven.replay_key().as_bytes());
        let keep = Duration::from_millis(proven.window_end().0.saturating_sub(now.0)) + NONCE_MARGIN;
        let seen = trust.nonces.record(application.id(), nonce, keep).await;
        let outcome = outcome_of(trust, seen, now).await;
        let fence = trust.fence.mark_of_older(application.id(), proven.version().into());
        match outcome {
            NonceOutcome::First if fence.is_some_and(|mark| proven.timestamp() <= mark) => {
                NonceOutcome::Before
            }
            NonceOutcome::First => {
                if let Some(write_ahead) = &trust.write_ahead {
                    let protocol = proven.version().into();
                    write_ahead.mark(application.id(), protocol, proven.timestamp()).await?;
                }
                NonceOutcome::First
            }
            outcome => outcome,
        }
    };
    let allowed = Allowed::older(&proven, application, &directory, outcome)?;
    let principal = resolve(trust, &directory, &allowed).await.map_err(|refusal| match refusal.reason() {
        Reason::UserUnknown => Failure::user_unknown(&proven).into(),
        Reason::UserNever | Reason::UserNotAllowed | Reason::UserRevoked => {
            Failure::new(FailureKind::PermissionDenied).into()
        }
        _ => refusal,
    })?;
    if let Some(write_ahead) = &trust.write_ahead {
        write_ahead.used(application.id(), Some(key.thumbprint()), now);
    }
    Ok(Granted { principal, content: Content::Unsigned })
}

/// Nonces are kept so much longer than the window, for a wall clock that goes back by less than is noticed.
const NONCE_MARGIN: Duration = Duration::from_secs(60);
