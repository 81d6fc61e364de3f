use std::fmt;

use http::HeaderValue;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::certificate::StrictCertificate;
use super::rc4::Rc4;
use super::signature::{base_v2, base_v3};
use super::{
    Failure, FailureKind, LegacyVerifyingKey, MagicPart, Proven, ReplayKey, SignedVersion, Window, base64,
};
use crate::id::{AppId, UserName};
use crate::time::UnixMillis;

/// What all stages before the proof carry along.
pub(super) struct Parts {
    pub(super) version: SignedVersion,
    pub(super) app_id: AppId,
    pub(super) signature: Option<HeaderValue>,
}

/// A request whose certificate has been decoded. Anybody can make one: nothing is believed yet.
pub struct Opened {
    parts: Parts,
    key: LegacyVerifyingKey,
    timestamp: UnixMillis,
    user: Vec<u8>,
}

impl Opened {
    pub(super) fn decode(
        parts: Parts,
        secret: Option<&(HeaderValue, HeaderValue)>,
        certificate: &HeaderValue,
        key: &LegacyVerifyingKey,
    ) -> Result<Self, Failure> {
        const WRONG: FailureKind = FailureKind::BadMagic(MagicPart::SecretKey);
        let rc4 = secret.map(|(secret, magic)| rc4_key(secret, magic, key)).transpose()?;
        let mut plaintext = base64::decode(certificate.as_bytes()).ok_or(WRONG)?;
        if let Some(rc4) = rc4 {
            rc4.apply(&mut plaintext);
        }
        let certificate = StrictCertificate::read(&plaintext).ok_or(WRONG)?;
        let timestamp = certificate.timestamp().map(UnixMillis).ok_or(FailureKind::BadNumber)?;
        let user = certificate.user.to_vec();
        Ok(Self { parts, key: key.clone(), timestamp, user })
    }

    /// The time the certificate claims.
    #[must_use]
    pub fn timestamp(&self) -> UnixMillis {
        self.timestamp
    }

    /// Checks the time (older versions, section 9, step 9, with the window of section 19).
    ///
    /// # Errors
    /// `OLD_CERT` before and after the window.
    pub fn check_time(self, now: UnixMillis, window: Window) -> Result<Timely, Failure> {
        if !window.contains(self.timestamp, now) {
            return Err(FailureKind::OldCert.into());
        }
        let window_end = window.end(self.timestamp);
        Ok(Timely { opened: self, window_end })
    }
}

/// The RC4 key out of `Key`, once `Magic` is right. It has exactly 16 bytes: textbook RSA drops leading zeros, so the
/// first is not 0, and `Key` = 1, which needs no private key, gives one byte (older versions, section 17).
fn rc4_key(secret: &HeaderValue, magic: &HeaderValue, key: &LegacyVerifyingKey) -> Result<Rc4, Failure> {
    if !base64::decode(magic.as_bytes()).is_some_and(|magic| key.magic_matches(&magic)) {
        return Err(FailureKind::BadMagic(MagicPart::PublicKey).into());
    }
    base64::decode(secret.as_bytes())
        .and_then(|secret| key.insecure_raw(&secret).ok())
        .map(Zeroizing::new)
        .filter(|bytes| bytes.len() == 16)
        .and_then(|bytes| Rc4::new(&bytes))
        .ok_or_else(|| FailureKind::BadMagic(MagicPart::SecretKey).into())
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened(version {}, {}, {:?})", self.parts.version, self.parts.app_id, self.timestamp)
    }
}

/// A request whose certificate is of this time. Still nothing is believed.
pub struct Timely {
    opened: Opened,
    window_end: UnixMillis,
}

impl Timely {
    /// Checks the signature over `url`, which the caller builds from its own configured base URL, the raw path and the
    /// raw query, and never from `Host` or forwarded fields (older versions, section 19).
    ///
    /// # Errors
    /// `BAD_SIGNATURE` when it is missing or not genuine; `USER_UNKNOWN` when what is proven is no user name.
    pub fn verify(self, url: &str) -> Result<Proven, Failure> {
        let Self { opened: Opened { parts, key, timestamp, user }, window_end } = self;
        let signature = parts.signature.ok_or(FailureKind::MissingSignature)?;
        let signature = base64::decode(signature.as_bytes()).ok_or(FailureKind::BadSignature)?;
        // What was no UTF-8 is U+FFFD to both sides; it is refused as a name below.
        let name = String::from_utf8_lossy(&user);
        let base = match parts.version {
            SignedVersion::V2 => base_v2(timestamp.0, url),
            SignedVersion::V3 => base_v3(timestamp.0, url, &name),
        };
        if !key.verify(base.as_bytes(), &signature) {
            return Err(FailureKind::BadSignature.into());
        }
        let user = UserName::from_bytes(&user).map_err(|_| Failure::unknown_name(&name))?;
        let replay_key = ReplayKey::new(Sha256::digest(&signature).into());
        Ok(Proven::new(parts.version, parts.app_id, user, timestamp, replay_key, window_end))
    }
}

impl fmt::Debug for Timely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timely({:?})", self.opened)
    }
}
