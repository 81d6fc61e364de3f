//! Private keys at rest: sealed with AES-256-GCM under a key from a passphrase (Argon2id) or a key file.
//!
//! The *key-encryption key* is the 32 bytes of the key file, or comes out of the passphrase by Argon2id with a salt that
//! each store has of its own. Every private key is sealed with a random nonce of 96 bits and with application id, key id
//! and purpose as associated data, so that a row moved elsewhere does not open. A known text sealed in the same way tells
//! a wrong passphrase when the store is opened.

mod file;
mod kek;

use std::fmt;
use std::io::ErrorKind;

use zeroize::Zeroizing;

pub(crate) use kek::{Cost, Kek, SealState};

/// What private keys are sealed under.
#[derive(Clone, Default)]
pub enum SealKey {
    /// Nothing: whoever can read the database can act as this application. The store warns each time it is opened.
    #[default]
    InsecureNone,
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// The 32 bytes of a key file.
    File(Zeroizing<[u8; 32]>),
}

impl SealKey {
    /// How it is called in the database and in the audit trail.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::InsecureNone => "none",
            Self::Passphrase(_) => "passphrase",
            Self::File(_) => "file",
        }
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InsecureNone => "SealKey::InsecureNone",
            Self::Passphrase(_) => "SealKey::Passphrase(..)",
            Self::File(_) => "SealKey::File(..)",
        })
    }
}

/// A private key cannot be opened or sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The passphrase or key file is not the one it was sealed under, or the row was changed.
    #[error("the passphrase or key file does not open the private keys of this store")]
    Wrong,
    /// The keys are sealed under a passphrase, and nothing was given.
    #[error("the private keys of this store are sealed: give the passphrase")]
    PassphraseNeeded,
    /// The keys are sealed under a key file, and nothing was given.
    #[error("the private keys of this store are sealed: name the key file")]
    KeyFileNeeded,
    /// The keys were sealed after the store was opened.
    #[error(
        "the private keys of this store have been sealed meanwhile: open it with the passphrase or key file"
    )]
    SealedMeanwhile,
    /// A passphrase is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// A key file has not exactly 32 bytes.
    #[error("a key file has exactly 32 bytes")]
    KeyFile,
    /// Others than its owner can read a key file.
    #[error("others than its owner can read the key file: take that away from them (chmod 600)")]
    KeyFileOpen,
    /// A key file cannot be read or written.
    #[error("the key file cannot be used: {0}")]
    KeyFileFailed(ErrorKind),
    /// There is no randomness for a new key file or a nonce.
    #[error("the system gives no randomness")]
    Random,
}
