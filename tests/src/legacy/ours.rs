use std::collections::BTreeMap;
use std::time::Duration;

use taa_core::id::AppId;
use taa_core::legacy::{Failure, FailureKind, Presented, Proven, ReplayKey, Window};
use taa_core::time::UnixMillis;

use super::Keys;
use super::case::{Request, Server};
use super::policy::{self, Address};
use super::verdict::Verdict;

/// The clock difference that is tolerated.
pub(super) const SKEW: Duration = Duration::from_secs(60);

/// The signatures a server remembers, each until its window ends.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<[u8; 32], UnixMillis>);

impl Seen {
    /// Whether it is new; then it is remembered.
    fn insert(&mut self, key: ReplayKey, end: UnixMillis, now: UnixMillis) -> bool {
        self.0.retain(|_, end| *end >= now);
        self.0.insert(*key.as_bytes(), end).is_none()
    }
}

/// Decides as a server with our library does, step by step. With `seen` = `None` the record has `allow_repeats`.
pub(super) fn decide(
    server: &Server,
    request: &Request,
    keys: &Keys,
    seen: Option<&mut Seen>,
) -> Result<Verdict, String> {
    let Ok(timeout) = u64::try_from(server.timeout_ms) else { return Ok(Verdict::SetUp) };
    let Ok(window) = Window::new(Duration::from_millis(timeout), SKEW) else { return Ok(Verdict::SetUp) };
    let Some(headers) = request.header_map() else { return Ok(Verdict::NotHttp) };
    let key = &keys.named(&server.key)?.verifying;
    let now = UnixMillis(server.now_ms);
    let result = Presented::parse(&headers).and_then(|presented| match presented {
        None => Ok(None),
        Some(presented) => authenticate(server, request, presented, key, now, window, seen).map(Some),
    });
    Ok(match result {
        Ok(None) => Verdict::NoAttempt,
        Ok(Some(user)) => Verdict::Accept(user),
        Err(failure) => Verdict::of_text(&failure.text()),
    })
}

fn authenticate(
    server: &Server,
    request: &Request,
    presented: Presented,
    key: &taa_core::legacy::LegacyVerifyingKey,
    now: UnixMillis,
    window: Window,
    seen: Option<&mut Seen>,
) -> Result<String, Failure> {
    if AppId::parse(&server.app_id).as_ref() != Ok(presented.app_id()) {
        return Err(FailureKind::AppUnknown.into());
    }
    if presented.version().number() < server.min_version {
        return Err(FailureKind::UnsupportedProtocolVersion.into());
    }
    let timely = presented.open(key)?.check_time(now, window)?;
    if policy::address(&server.addresses, &request.remote_addr) != Address::Allowed {
        return Err(FailureKind::BadRemoteIp.into());
    }
    if policy::forwarded(&server.addresses, request.header("X-Forwarded-For")) != Address::Allowed {
        return Err(FailureKind::BadXforwardIp.into());
    }
    if !policy::path(&server.paths, &request.path) {
        return Err(FailureKind::BadUrl.into());
    }
    let proven = timely.verify(&request.url(server))?;
    if seen.is_some_and(|seen| !seen.insert(proven.replay_key(), proven.window_end(), now)) {
        return Err(FailureKind::Replayed.into());
    }
    user(server, &proven)
}

fn user(server: &Server, proven: &Proven) -> Result<String, Failure> {
    let name = proven.user().as_str();
    if server.users.as_ref().is_some_and(|users| !users.iter().any(|user| user == name)) {
        return Err(Failure::user_unknown(proven));
    }
    if server.cannot_login.iter().any(|user| user == name) {
        return Err(FailureKind::PermissionDenied.into());
    }
    Ok(name.to_owned())
}
