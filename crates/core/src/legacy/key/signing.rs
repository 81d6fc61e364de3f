use std::fmt;
use std::sync::OnceLock;

use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::{CryptoRng, Error as RngError, RngCore};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{LegacyKeyError, LegacyVerifyingKey};
use crate::id::KeyId;
use crate::legacy::raw_rsa::RawRsaError;
use crate::legacy::signature::encoded_message;
use crate::legacy::{MAGIC, base64};

/// The private key of an application that signs for servers of older versions. Wiped when it goes.
///
/// It is used for versions 0 to 3 and for nothing else. Private operations are blinded and checked; what is still open
/// in the `rsa` crate (RUSTSEC-2023-0071) needs inputs of the attacker's choice, and here all are our own.
pub struct LegacySigningKey {
    key: RsaPrivateKey,
    public: LegacyVerifyingKey,
    /// The `Magic` field: the same in every request made with this key, so computed once.
    magic: OnceLock<String>,
}

impl LegacySigningKey {
    /// Makes a key of 2048 bits with e = 65537. `random` fills its argument with random bytes.
    ///
    /// # Errors
    /// When the random bytes cannot be had.
    pub fn generate<E>(random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, LegacyKeyError> {
        let mut rng = CallerRng::new(random);
        let key = RsaPrivateKey::new(&mut rng, 2048);
        rng.finish().map_err(|_| LegacyKeyError::Random)?;
        Self::from_rsa(key.map_err(|_| LegacyKeyError::Random)?)
    }

    /// Reads a PKCS #8 `PrivateKeyInfo` in DER. The key is checked: primes, exponents, size.
    ///
    /// # Errors
    /// When it is none, or breaks a rule for size or exponent.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, LegacyKeyError> {
        Self::from_rsa(RsaPrivateKey::from_pkcs8_der(der).map_err(|_| LegacyKeyError::Form)?)
    }

    /// Reads a `PRIVATE KEY` PEM text, not an encrypted one.
    ///
    /// # Errors
    /// As [`from_pkcs8_der`](Self::from_pkcs8_der).
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, LegacyKeyError> {
        Self::from_rsa(RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| LegacyKeyError::Form)?)
    }

    fn from_rsa(key: RsaPrivateKey) -> Result<Self, LegacyKeyError> {
        let spki = key.to_public_key().to_public_key_der().map_err(|_| LegacyKeyError::Form)?;
        let public = LegacyVerifyingKey::from_spki_der(spki.as_bytes())?;
        Ok(Self { key, public, magic: OnceLock::new() })
    }

    /// The secret itself: PKCS #8 in PEM, wiped when it goes. Store it sealed or in a file nobody else can read.
    ///
    /// # Errors
    /// When it cannot be written, which does not happen with an accepted key.
    pub fn expose_pkcs8_pem(&self) -> Result<Zeroizing<String>, LegacyKeyError> {
        self.key.to_pkcs8_pem(pkcs8::LineEnding::LF).map_err(|_| LegacyKeyError::Form)
    }

    /// The secret itself: PKCS #8 in DER, wiped when it goes.
    ///
    /// # Errors
    /// When it cannot be written, which does not happen with an accepted key.
    pub fn expose_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, LegacyKeyError> {
        Ok(self.key.to_pkcs8_der().map_err(|_| LegacyKeyError::Form)?.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> &LegacyVerifyingKey {
        &self.public
    }

    /// The RFC 7638 thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> KeyId {
        self.public.thumbprint()
    }

    /// SHA1withRSA, PKCS #1 v1.5 (older versions, section 5). The random bytes blind the operation; the result does
    /// not depend on them.
    ///
    /// # Errors
    /// When the random bytes cannot be had.
    pub fn sign<E>(
        &self,
        base: &[u8],
        random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, RawRsaError> {
        let message = encoded_message(base, self.key.size()).ok_or(RawRsaError::TooLong)?;
        self.insecure_raw(&message, random)
    }

    /// The `Magic` field, computed the first time.
    pub(in crate::legacy) fn magic<E>(
        &self,
        random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<&str, RawRsaError> {
        if let Some(magic) = self.magic.get() {
            return Ok(magic);
        }
        let computed = base64::encode(&self.insecure_raw(MAGIC.as_bytes(), random)?);
        Ok(self.magic.get_or_init(|| computed))
    }

    /// Textbook RSA with the private key: always as long as the modulus (older versions, section 4).
    ///
    /// Without padding this is no signature and no encryption. It is there for `Key` and `Magic`.
    ///
    /// # Errors
    /// When the input is longer than the modulus or not smaller than it, or the random bytes cannot be had.
    pub fn insecure_raw<E>(
        &self,
        input: &[u8],
        random: &mut impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, RawRsaError> {
        let len = self.key.size();
        if input.len() > len {
            return Err(RawRsaError::TooLong);
        }
        let number = BigUint::from_bytes_be(input);
        if &number >= self.key.n() {
            return Err(RawRsaError::NotBelowModulus);
        }
        let mut rng = CallerRng::new(random);
        let result = rsa::hazmat::rsa_decrypt_and_check(&self.key, Some(&mut rng), &number);
        rng.finish()?;
        let bytes = result.map_err(|_| RawRsaError::Private)?.to_bytes_be();
        let mut out = vec![0; len.saturating_sub(bytes.len())];
        out.extend_from_slice(&bytes);
        // The number 0 is written as one byte, so a result is never longer than the modulus.
        Ok(out)
    }
}

impl fmt::Debug for LegacySigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacySigningKey({}, {} bits)", self.thumbprint(), self.public.bits())
    }
}

/// The caller's random bytes in the form the `rsa` crate asks for.
///
/// That form cannot fail. After a failure it goes on with bytes that only keep the loops of key generation moving, and
/// [`finish`](Self::finish) makes sure that nothing made from them is used.
struct CallerRng<'a, F> {
    random: &'a mut F,
    failures: u64,
}

impl<'a, F> CallerRng<'a, F> {
    fn new(random: &'a mut F) -> Self {
        Self { random, failures: 0 }
    }

    fn finish(self) -> Result<(), RawRsaError> {
        if self.failures == 0 { Ok(()) } else { Err(RawRsaError::Private) }
    }
}

impl<E, F: FnMut(&mut [u8]) -> Result<(), E>> RngCore for CallerRng<'_, F> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        if self.failures == 0 && (self.random)(out).is_ok() {
            return;
        }
        for chunk in out.chunks_mut(32) {
            self.failures = self.failures.saturating_add(1);
            for (to, from) in chunk.iter_mut().zip(Sha256::digest(self.failures.to_le_bytes())) {
                *to = from;
            }
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RngError> {
        self.fill_bytes(out);
        Ok(())
    }
}

impl<E, F: FnMut(&mut [u8]) -> Result<(), E>> CryptoRng for CallerRng<'_, F> {}
