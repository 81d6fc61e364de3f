//! The whole decision about one request: the ordered checks of the core, with what has to be waited for between them.

use std::borrow::Cow;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Uri};
use taa_core::decision::{
    self, Allowed, CertificateSpace, Context, NonceClaim, NonceOutcome, Presented, Prover, Reason, Refusal,
};
use taa_core::directory::Directory;
use taa_core::fields;
use taa_core::id::AppId;
use taa_core::nonce::{NonceError, NonceKey, Seen};
use taa_core::policy::{ClientAddress, ForwardedError, Protocol};
use taa_core::request::ContentDigest;
use taa_core::time::UnixMillis;

use crate::nonce::DecryptionKeyMade;
use crate::principal::Principal;
use crate::resolver::{Resolution, UserResolver};
use crate::trust::Inner;

/// A request that may go on if its content is the one that was signed.
pub(crate) struct Granted {
    pub(crate) principal: Principal,
    pub(crate) content: Content,
}

/// What step 12 has to do.
pub(crate) enum Content {
    /// The content has this digest, or there is none; an error is given as step 12.
    Signed(Result<Option<ContentDigest>, Refusal>),
    /// Versions 2 and 3 do not cover the content.
    #[cfg_attr(not(feature = "legacy"), allow(dead_code, reason = "made by the older versions only"))]
    Unsigned,
}

/// Steps 0–11 of version 4 (wire document, section 5), or the checks of the older version that a request is of. What makes
/// the proof of the answer is put into `prover` as soon as the tag was found good, so that it is there whatever happens
/// later.
pub(crate) async fn judge<R: UserResolver>(
    trust: &Inner<R>,
    parts: &Parts,
    started: Duration,
    prover: &mut Option<Prover>,
) -> Result<Granted, Refusal> {
    #[cfg(feature = "legacy")]
    if trust.older_versions
        && let Some(Protocol::V2 | Protocol::V3) = claimed_protocol(parts)
    {
        // In a box: the future of every request would be larger.
        return Box::pin(crate::legacy::judge(trust, parts, started)).await;
    }
    // From here on version 4, and every version that is not accepted.
    let now = now(trust, started)?;
    // Not `load_full`: the count of an `Arc` is a place in memory for which all cores would queue.
    let (identity, directory) = (trust.identity.load(), trust.directory.load());
    let context = Context {
        identity: &identity,
        directory: &directory,
        sessions: &trust.sessions,
        random: &*trust.random,
        skew: trust.skew,
        greatest_timeout: trust.greatest_timeout,
    };

    let target = signed_target(&parts.uri, &trust.stripped_prefix);
    // What ends with a block needs no room in the future later.
    let (allowed, content) = {
        let (timely, content) = {
            let (proven, proves) = {
                let mut space = CertificateSpace::new();
                let presented = Presented::parse(&parts.method, &target, &parts.headers, &mut space)?;
                let client = client_address(trust, parts)?;
                decision::open(presented, &context, client, now)?.prove()?
            };
            *prover = Some(proves);
            proven.user()?;

            let claim = proven.claim(&context, now);
            let outcome = record(trust, proven.application().id(), &claim, now).await;
            let made = if proven.key_made_by_this_process() {
                DecryptionKeyMade::AfterStart
            } else {
                DecryptionKeyMade::BeforeStart
            };
            let content = Content::Signed(proven.content_digest());
            // Looked up after the nonce was recorded: a store that lost its memory raises it.
            let fence = trust.fence.mark(proven.application().id(), made);
            (proven.in_time(&context, outcome, fence, now)?, content)
        };
        if let Some(write_ahead) = &trust.write_ahead {
            write_ahead.before(&timely).await?;
        }
        (timely.allow(&context)?, content)
    };
    let principal = resolve(trust, &directory, &allowed).await?;
    if let Some(write_ahead) = &trust.write_ahead {
        write_ahead.used(allowed.application().id(), allowed.key(), now);
        write_ahead.used(context.identity.id(), allowed.decryption_key(context.identity), now);
    }
    Ok(Granted { principal, content })
}

/// The address that step 3 judges; an error in it is given there.
fn client_address<R>(
    trust: &Inner<R>,
    parts: &Parts,
) -> Result<Result<ClientAddress, ForwardedError>, Reason> {
    let Some(peer) = (trust.peer)(&parts.extensions) else {
        tracing::error!("no peer address in the request's extensions: set it, or TrustBuilder::peer_address");
        return Err(Reason::System("peer address"));
    };
    Ok(trust.proxies.client_address(peer, &parts.headers))
}

/// For events: the application that a request names, if the directory has it. It is not proven by that.
pub(crate) fn named_application<R>(trust: &Inner<R>, headers: &HeaderMap) -> Option<AppId> {
    let id = headers.get(fields::ID)?.to_str().ok()?;
    trust.directory.load().application(id).map(|application| application.id().clone())
}

/// The time of a request, after a look at the lease and at whether the clock went back. `monotonic` was read just before.
pub(crate) fn now<R>(trust: &Inner<R>, monotonic: Duration) -> Result<UnixMillis, Reason> {
    let now = trust.clock.wall().map_err(|_| Reason::System("clock"))?;
    if trust.lease.as_ref().is_some_and(|lease| lease.is_over(monotonic)) {
        return Err(Reason::System("the store could not confirm who is trusted"));
    }
    if trust.wall_guard.check(now, monotonic, &trust.fence).is_some() {
        tracing::warn!("the wall clock went back: certificates made before it catches up are refused");
    }
    Ok(now)
}

/// Step 7: one atomic step in the store.
async fn record<R>(
    trust: &Inner<R>,
    application: &AppId,
    claim: &NonceClaim<'_>,
    now: UnixMillis,
) -> NonceOutcome {
    let key = NonceKey::of_request(claim.session, claim.iv);
    let seen = match claim.keep {
        Some(keep) => trust.nonces.record(application, key, keep).await,
        None => {
            trust.nonces.contains(key).await.map(|before| if before { Seen::Before } else { Seen::First })
        }
    };
    outcome_of(trust, seen, now).await
}

pub(crate) async fn outcome_of<R>(
    trust: &Inner<R>,
    seen: Result<Seen, NonceError>,
    now: UnixMillis,
) -> NonceOutcome {
    match seen {
        Ok(Seen::First) => NonceOutcome::First,
        Ok(Seen::Before) => NonceOutcome::Before,
        Err(NonceError::Full) => NonceOutcome::Full,
        Err(NonceError::Forgotten) => {
            // In this order: the store answers nothing else before it was told to go on.
            trust.fence.raise(now.plus(NODES_APART));
            tracing::error!(
                "the nonce store lost its memory: certificates made until about a minute from now are refused"
            );
            if let Err(error) = trust.nonces.resume().await {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the nonce store does not go on");
            }
            NonceOutcome::Unavailable
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the nonce store failed");
            NonceOutcome::Unavailable
        }
    }
}

/// How far the clocks of two nodes may differ (wire document, section 4): another one may have accepted what was created so
/// much later.
const NODES_APART: Duration = Duration::from_secs(30);

/// Step 11, and step 10 once more for each other name the user is given, up to the one that the user base knows: a rule about
/// `admin` holds for every way to write it.
pub(crate) async fn resolve<R: UserResolver>(
    trust: &Inner<R>,
    directory: &Directory,
    allowed: &Allowed<'_>,
) -> Result<Principal, Refusal> {
    let asked = trust.transform.apply(allowed.user()).map_err(Reason::UserMalformed)?;
    let application = allowed.application();
    if asked != *allowed.user() {
        directory.may_name(application, &asked)?;
    }
    let resolution = trust.resolver.resolve(&asked, application.id()).await.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "the user base failed");
        Reason::System("user base")
    })?;
    match resolution {
        Resolution::Known(user) => {
            if user != asked {
                directory.may_name(application, &user)?;
            }
            Ok(Principal::new(allowed, user))
        }
        Resolution::MayNotLogIn => Err(Reason::UserNotAllowed.into()),
        Resolution::Unknown => Err(Reason::UserUnknown.into()),
    }
}

/// The target as the client signed it: what came in, with the prefix put back that a proxy took away.
pub(crate) fn signed_target<'u>(uri: &'u Uri, prefix: &str) -> Cow<'u, str> {
    let target = match uri.path_and_query().map(http::uri::PathAndQuery::as_str) {
        // `http://host?query` has a query and no path.
        Some(target) if target.starts_with('?') => Cow::Owned(format!("/{target}")),
        Some(target) => Cow::Borrowed(target),
        None => Cow::Borrowed(""),
    };
    // What is no path gets no prefix: it would become one.
    if prefix.is_empty() || !target.starts_with('/') {
        target
    } else {
        Cow::Owned(format!("{prefix}{target}"))
    }
}

/// The version of a request, as far as it decides who judges it.
pub(crate) fn claimed_protocol(parts: &Parts) -> Option<Protocol> {
    match decision::version_field(&parts.headers) {
        Some(b"4") => Some(Protocol::V4),
        Some(b"3") => Some(Protocol::V3),
        Some(b"2") => Some(Protocol::V2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_the_one_that_was_signed() {
        for (uri, prefix, signed) in [
            ("/a?b", "", "/a?b"),
            ("/?", "", "/?"),
            ("http://h", "", "/"),
            ("http://h/a%20b?", "", "/a%20b?"),
            ("http://h?x", "", "/?x"),
            ("*", "", "*"),
            ("h:443", "", ""),
            ("/rest", "/jira", "/jira/rest"),
            ("http://h?x", "/jira", "/jira/?x"),
            ("*", "/jira", "*"),
            ("h:443", "/jira", ""),
        ] {
            let uri: Uri = uri.parse().unwrap();
            assert_eq!(signed_target(&uri, prefix), signed, "{uri}");
        }
    }
}
