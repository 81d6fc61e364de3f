use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::content::{Content, KeyUse};
use super::error::CertificateError;
use super::{Fingerprint, json};
use crate::crypto::{CryptoError, CryptoProvider};
use crate::key::{SigningKey, VerifyingKey};
use crate::time::UnixMillis;

/// The media type of a certificate document.
pub const MEDIA_TYPE: &str = "application/taa-certificate+jwt";
/// The path below the base URL.
pub const WELL_KNOWN_PATH: &str = "/.well-known/taa-certificate";
/// The longest document that is read: 16 KiB.
pub const MAX_DOCUMENT_LEN: usize = 16 * 1024;

const ALG: &str = "PS256";
const TYP: &str = "taa-certificate+jwt";

/// A certificate document whose signature and rules were checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    content: Content,
    document: String,
}

impl Certificate {
    /// Makes the document of an application. It is made once per `seq`, and served as it is by every node.
    ///
    /// # Errors
    /// When the content breaks a rule, or `signing_key` is not its current signing key.
    pub fn make(content: Content, signing_key: &SigningKey) -> Result<Self, CertificateError> {
        content.check()?;
        if content.current(KeyUse::Signing).map(|key| key.public.id()) != Some(signing_key.id()) {
            return Err(CertificateError::Signer);
        }
        let header = json::Header { alg: ALG.into(), typ: TYP.into(), kid: signing_key.id().to_string() };
        let header = serde_json::to_vec(&header).map_err(|_| CertificateError::Json)?;
        let payload = json::write_content(&content)?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = signing_key.sign(signed.as_bytes())?;
        Ok(Self { content, document: format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)) })
    }

    /// Verifies a document by its own current signing key. Whether it may replace one that is held is
    /// [`Certificate::succeeds`]; whether a first one is believed is a person's decision over the fingerprint.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn verify(
        provider: &dyn CryptoProvider,
        document: &str,
        now: UnixMillis,
    ) -> Result<Self, CertificateError> {
        if document.len() > MAX_DOCUMENT_LEN {
            return Err(CertificateError::TooLong);
        }
        let (signed, signature) = document.rsplit_once('.').ok_or(CertificateError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(CertificateError::Form)?;
        let decode = |part: &str| match URL_SAFE_NO_PAD.decode(part) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(CertificateError::Form),
        };
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header: json::Header = json::read(&header)?;
        if header.alg != ALG || header.typ != TYP {
            return Err(CertificateError::Header);
        }
        let content = json::read_content(&payload)?;
        content.check()?;
        let signer = content.current(KeyUse::Signing).ok_or(CertificateError::Signer)?;
        if header.kid != signer.public.id().to_string() {
            return Err(CertificateError::Signer);
        }
        if !signer.usable_at(now) {
            return Err(CertificateError::SignerExpired);
        }
        VerifyingKey::new(provider, signer.public.clone())?
            .verify(signed.as_bytes(), &signature)
            .map_err(|CryptoError| CertificateError::Signature)?;
        Ok(Self { content, document: document.to_owned() })
    }

    /// What it says.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The compact JWS.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// What a person compares at set-up.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.content)
    }

    /// The signed payload, as sent.
    pub(super) fn payload(&self) -> &str {
        self.document.split('.').nth(1).unwrap_or_default()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, seq {})", self.content.iss, self.content.seq)
    }
}
