use super::content::ContentError;
use crate::crypto::CryptoError;
use crate::key::KeyError;

/// Why a text is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Its content breaks a rule.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The provider failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// It is no compact JWS: three canonical base64url parts between dots. A login page in HTML ends up here.
    #[error("this is not a certificate document (a compact JWS)")]
    Form,
    /// Its header is not exactly that of a certificate document.
    #[error("the header is not that of a certificate document signed with PS256")]
    Header,
    /// Header or payload are not the JSON they should be, or repeat a member.
    #[error("the certificate is not the JSON it should be")]
    Json,
    /// A key breaks the rules.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature is not that of the current signing key.
    #[error("the certificate's signature is wrong")]
    Signature,
    /// It is not signed by its own current signing key.
    #[error("the certificate is not signed by its own current signing key")]
    Signer,
    /// Its signing key has ended.
    #[error("the certificate's signing key has ended")]
    SignerExpired,
    /// A key id is not the thumbprint of its key.
    #[error("a key id is not the thumbprint of its key")]
    Thumbprint,
    /// It has more than 16 KiB.
    #[error("the certificate is longer than 16 KiB")]
    TooLong,
}
