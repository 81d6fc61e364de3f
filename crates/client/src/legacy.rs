//! Versions 2 and 3, for servers that know nothing newer (feature `legacy`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::request::Parts;
use taa_core::answer::Code;
use taa_core::id::UserName;
use taa_core::legacy::{CertificateKey, Claim as Claimed, LegacySigningKey, SignedVersion, sign_v2, sign_v3};
use taa_core::time::UnixMillis;

use crate::error::SignError;
use crate::outgoing;
use crate::peer::Peer;
use crate::pending::{AnswerKeys, Pending};
use crate::status::{Claim, TrustStatus, code_of};

/// Signs with an RSA operation for each request, and one more in version 2. The same is refused as in version 4.
pub(crate) fn sign(
    request: &mut Parts,
    user: &UserName,
    peer: &Arc<Peer>,
    version: SignedVersion,
    key: &LegacySigningKey,
) -> Result<Pending, SignError> {
    let Peer { own, record, .. } = &**peer;
    let (covered, _) = outgoing::cover(request, record.base(), "")?;
    let url = format!("{}{}", record.base().origin(), covered.target.as_str());
    // The plain clock: an older server proves nothing that an offset could be learned from.
    let timestamp = own.legacy_times.next(own.clock.wall()?);
    let claim = Claimed { app_id: own.identity.id(), user: user.as_str(), url: &url, timestamp };
    let random = &mut |out: &mut [u8]| own.random.fill(out);
    let fields = match version {
        SignedVersion::V2 => sign_v2(key, &claim, &CertificateKey::random(random)?, random)?,
        SignedVersion::V3 => sign_v3(key, &claim, random)?,
    };
    request.headers.try_reserve(fields.iter().count()).map_err(|_| SignError::TooManyFields)?;
    outgoing::remove_trust_fields(&mut request.headers);
    fields.insert_into(&mut request.headers);
    Ok(Pending::new(AnswerKeys::Legacy(Arc::clone(peer)), timestamp, &request.method))
}

/// Times of requests, no two the same.
///
/// These versions sign hardly more than time and URL, and the signature is what a server remembers: two requests for one
/// URL in one millisecond would be one to it, and the second a replay.
#[derive(Debug, Default)]
pub(crate) struct Times(AtomicU64);

impl Times {
    /// Now, or the millisecond after the last one given.
    fn next(&self, now: UnixMillis) -> UnixMillis {
        let after = |last: u64| now.0.max(last.saturating_add(1));
        // The closure always gives a value, so there is always one before.
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        UnixMillis(after(last.unwrap_or_default()))
    }
}

/// What an answer of an older server means. There is a status; the first servers wrote no codes but two texts (product
/// notes, section 4.3).
pub(crate) fn status(status: &str, error: &str) -> TrustStatus {
    match (status, error) {
        ("ERROR", "") => TrustStatus::Refused { code: Code::Unknown, claim: Claim::new("") },
        (_, "") => TrustStatus::Trusted,
        (_, "Unrecognized application") => TrustStatus::ApplicationUnknown,
        (_, "Unrecognized user") => TrustStatus::UserUnknown,
        (_, error) => match code_of(error) {
            Code::AppUnknown => TrustStatus::ApplicationUnknown,
            Code::UserUnknown => TrustStatus::UserUnknown,
            code => TrustStatus::Refused { code, claim: Claim::new(error) },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_requests_have_one_time() {
        let times = Times::default();
        let given: Vec<u64> = [50, 50, 50, 49, 60].map(|now| times.next(UnixMillis(now)).0).into();
        assert_eq!(given, [50, 51, 52, 53, 60]);
    }

    #[test]
    fn texts_and_codes() {
        assert_eq!(status("OK", ""), TrustStatus::Trusted);
        assert_eq!(status("ERROR", "Unrecognized application"), TrustStatus::ApplicationUnknown);
        assert_eq!(status("ERROR", "Unrecognized user"), TrustStatus::UserUnknown);
        assert_eq!(
            status("ERROR", "APP_UNKNOWN;\tUnknown Application: {0};\t[\"x\"]"),
            TrustStatus::ApplicationUnknown
        );
        assert_eq!(status("ERROR", "USER_UNKNOWN; Unknown User: {0}; [\"x\"]"), TrustStatus::UserUnknown);
        assert_eq!(status("OK", "OLD_CERT;\tx;\t[]").code(), Some(Code::OldCert), "an error wins");
        assert_eq!(status("ERROR", "unrecognized user").code(), Some(Code::Unknown));
        assert_eq!(status("ERROR", "").code(), Some(Code::Unknown));
    }
}
