//! The few cryptographic operations of the wire document, behind a seam.
//!
//! RSA comes from a [`CryptoProvider`] that is passed in; there is no process-wide default. Two are here:
//! [`AwsLc`] (feature `aws-lc`, the default) and [`RustCrypto`] (feature `rust-crypto`, no C compiler needed).
//! The symmetric primitives (AES, CBC, HMAC, HKDF, SHA-256) are the RustCrypto crates for both: measured, they are as
//! fast at these sizes.

mod random;

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;

use std::fmt;

use zeroize::Zeroizing;

pub use random::{Random, RandomError, SystemRandom};

#[cfg(feature = "aws-lc")]
pub use aws_lc::AwsLc;
#[cfg(feature = "rust-crypto")]
pub use rust_crypto::RustCrypto;

use crate::key::{KeySize, PublicKey};

/// Makes key handles for the RSA operations of version 4 (suite `0x01`, wire document, section 3).
///
/// An implementor must make private-key operations constant-time or blinded, must draw salts and seeds from a
/// cryptographically secure generator, and must fail with the one opaque [`CryptoError`].
pub trait CryptoProvider: fmt::Debug + Send + Sync + 'static {
    /// A short name for logs and benches.
    fn name(&self) -> &'static str;

    /// Makes a key pair with public exponent 65537: PKCS#8 DER.
    ///
    /// # Errors
    /// When the generator fails.
    fn generate(&self, size: KeySize) -> Result<Zeroizing<Vec<u8>>, CryptoError>;

    /// A handle that signs with this PKCS#8 private key, whose public part was checked.
    ///
    /// # Errors
    /// When the key's parts do not belong together.
    fn signer(&self, pkcs8_der: &[u8]) -> Result<Box<dyn PssSign>, CryptoError>;

    /// A handle that verifies with this public key.
    ///
    /// # Errors
    /// When the provider cannot use the key.
    fn verifier(&self, key: &PublicKey) -> Result<Box<dyn PssVerify>, CryptoError>;

    /// A handle that decrypts with this PKCS#8 private key, whose public part was checked.
    ///
    /// # Errors
    /// When the key's parts do not belong together.
    fn decrypter(&self, pkcs8_der: &[u8]) -> Result<Box<dyn OaepDecrypt>, CryptoError>;

    /// A handle that encrypts to this public key.
    ///
    /// # Errors
    /// When the provider cannot use the key.
    fn encrypter(&self, key: &PublicKey) -> Result<Box<dyn OaepEncrypt>, CryptoError>;
}

/// RSASSA-PSS signing with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (RFC 8017, section 8.1.1).
pub trait PssSign: Send + Sync {
    /// Signs; the result is as long as the modulus.
    ///
    /// # Errors
    /// When the operation fails.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

/// RSASSA-PSS verification with SHA-256, MGF1-SHA-256 and a salt of exactly 32 bytes (RFC 8017, section 8.1.2).
pub trait PssVerify: Send + Sync {
    /// Verifies.
    ///
    /// # Errors
    /// When the signature is not genuine.
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError>;
}

/// RSAES-OAEP decryption with SHA-256 and MGF1-SHA-256 (RFC 8017, section 7.1.2).
pub trait OaepDecrypt: Send + Sync {
    /// Decrypts; blinded or in constant time.
    ///
    /// # Errors
    /// One error for whatever was wrong.
    fn decrypt(&self, ciphertext: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}

/// RSAES-OAEP encryption with SHA-256 and MGF1-SHA-256 (RFC 8017, section 7.1.1).
pub trait OaepEncrypt: Send + Sync {
    /// Encrypts; the result is as long as the modulus.
    ///
    /// # Errors
    /// When the plaintext is too long or the generator fails.
    fn encrypt(&self, plaintext: &[u8], label: &str) -> Result<Vec<u8>, CryptoError>;
}

/// A cryptographic operation failed. Which part of it did is not told: that would be an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cryptographic operation failed")]
pub struct CryptoError;
