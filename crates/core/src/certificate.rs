//! The application certificate: who an application is and which keys it has (wire document, section 7).
//!
//! A certificate document is a compact JWS (RFC 7515) signed with the application's own current signing key, so that
//! possession is proven at first contact. A person compares its [`Fingerprint`] once; from then on a document replaces
//! the one held only as [`Certificate::succeeds`] allows.

mod content;
mod document;
mod error;
mod fingerprint;
mod json;
mod succession;

pub use content::{CertificateKey, Content, ContentError, KeyStatus, KeyUse};
pub use document::{Certificate, MAX_DOCUMENT_LEN, MEDIA_TYPE, WELL_KNOWN_PATH};
pub use error::CertificateError;
pub use fingerprint::Fingerprint;
pub use succession::{Succession, SuccessionError};
