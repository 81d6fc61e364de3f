//! Protocol versions 0 to 3, for peers that know nothing newer (older versions, sections 1 to 19).
//!
//! # Warning
//!
//! These versions are weak by design, and no implementation can repair them. Version 2 does not sign the user's name:
//! whoever can hold back one genuine request can send it on for another user, once, to the same URL, with any method
//! and body. Version 3 signs time, URL and user, and still neither method nor body. Both use SHA-1. Verify them only
//! for an application whose record says so, only from a list of addresses, and only over TLS. Versions 0 and 1 prove
//! nothing at all: they are decoded to be explained ([`Explained`]) and there is no way from them to a [`Proven`].
//!
//! A key that is used here is used for nothing else: [`LegacySigningKey`] and [`LegacyVerifyingKey`] are types of their
//! own, and their [`thumbprint`](LegacyVerifyingKey::thumbprint) lets a set-up refuse a key that is in use elsewhere.
//!
//! # Verifying
//!
//! Each step takes the one before by value and is the only way to the next:
//!
//! 1. [`Presented::parse`]: one of each field, small enough, version exactly `2` or `3`, an id, and in version 2 `Key`
//!    and `Magic`. `None` means that nobody tried.
//! 2. The caller looks up [`Presented::app_id`], and checks that the record allows [`Presented::version`].
//! 3. [`Presented::open`]: `Magic`, `Key`, the certificate's form, its magic line, its number.
//! 4. [`Opened::check_time`]: `now − timeout ≤ timestamp ≤ now + 900 s + skew`.
//! 5. The caller checks the address, then the forwarded ones, then the path.
//! 6. [`Timely::verify`] against the URL built from the server's own configured base URL.
//! 7. The caller remembers [`Proven::replay_key`] until [`Proven::window_end`] has passed, and refuses one it has seen;
//!    then it resolves the user.
//!
//! Every refusal is a [`Failure`], whose text stays without parameters until step 6 has passed.
//!
//! # Signing
//!
//! [`sign_v3`], or [`sign_v2`] where version 3 is not understood, with the plain clock and a fresh certificate for every
//! request.

mod application_id;
mod base64;
mod certificate;
mod error;
mod explain;
mod java;
mod key;
mod opened;
mod page;
mod presented;
mod proven;
mod raw_rsa;
mod rc4;
mod sign;
mod signature;
mod version;
mod window;

pub use application_id::{ServerKind, application_id};
pub use error::{
    Failure, FailureKind, FormatError, LegacyErrorText, LegacyErrorTextError, MagicPart, ParamsError,
    Severity, format_message, read_params, severity, write_params,
};
pub use explain::{Explained, Judgement, explain};
pub use key::{LegacyKeyError, LegacySigningKey, LegacyVerifyingKey};
pub use opened::{Opened, Timely};
pub use page::{CERTIFICATE_PATH, CertificatePage, PageError};
pub use presented::Presented;
pub use proven::{Proven, ReplayKey};
pub use raw_rsa::RawRsaError;
pub use sign::{
    CertificateKey, Claim, SignError, SignedFields, insecure_encode_v0, insecure_encode_v1, sign_v2, sign_v3,
};
pub use version::{SignedVersion, Version};
pub use window::{EARLY, Window, WindowError};

/// The magic text: 0xBADC0FEE as a signed decimal number (older versions, section 1).
pub const MAGIC: &str = "-1159983122";

pub use crate::fields::text as field;
