use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use taa_core::crypto::Random;
use taa_core::id::{AppId, KeyId};
use zeroize::Zeroizing;

use super::{SealError, SealKey};
use crate::error::StoreError;
use crate::model::KeyPurpose;

/// What a passphrase costs: 19 MiB, two passes, one lane, as OWASP names it.
const COST: Cost = Cost { memory: 19 * 1024, passes: 2, lanes: 1 };
/// More than this in a database was not written by this software, and would only keep the machine busy.
const GREATEST: Cost = Cost { memory: 1024 * 1024, passes: 32, lanes: 16 };

const VERIFIER: &[u8] = b"TAA store verifier";
const VERIFIER_DATA: &[u8] = b"TAA store verifier 1\0";
const NONCE_LEN: usize = 12;

/// How the private keys of a store are sealed, as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SealState {
    None,
    Passphrase { salt: Vec<u8>, cost: Cost, verifier: Vec<u8> },
    File { verifier: Vec<u8> },
}

/// The parameters of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// KiB.
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// The key-encryption key. Wiped when it goes.
pub(crate) struct Kek(Aes256Gcm);

impl Kek {
    /// The key-encryption key of a store that is sealed, if the right secret was given.
    pub(crate) fn open(given: &SealKey, state: &SealState) -> Result<Option<Self>, StoreError> {
        let (kek, verifier) = match (given, state) {
            (_, SealState::None) => return Ok(None),
            (SealKey::InsecureNone, SealState::Passphrase { .. }) => {
                return Err(SealError::PassphraseNeeded.into());
            }
            (SealKey::InsecureNone, SealState::File { .. }) => return Err(SealError::KeyFileNeeded.into()),
            (SealKey::Passphrase(text), SealState::Passphrase { salt, cost, verifier }) => {
                (Self::from_passphrase(text, salt, *cost)?, verifier)
            }
            (SealKey::File(bytes), SealState::File { verifier }) => (Self::from_bytes(bytes), verifier),
            _ => return Err(SealError::Wrong.into()),
        };
        if kek.is_of(verifier) { Ok(Some(kek)) } else { Err(SealError::Wrong.into()) }
    }

    /// A new seal under `given`.
    pub(crate) fn make(
        given: &SealKey,
        random: &dyn Random,
    ) -> Result<(Option<Self>, SealState), StoreError> {
        match given {
            SealKey::InsecureNone => Ok((None, SealState::None)),
            SealKey::Passphrase(text) => {
                if text.is_empty() {
                    return Err(SealError::Empty.into());
                }
                let mut salt = vec![0; 16];
                random.fill(&mut salt).map_err(|_| StoreError::Random)?;
                let kek = Self::from_passphrase(text, &salt, COST)?;
                let verifier = kek.seal(random, VERIFIER_DATA, VERIFIER)?;
                Ok((Some(kek), SealState::Passphrase { salt, cost: COST, verifier }))
            }
            SealKey::File(bytes) => {
                let kek = Self::from_bytes(bytes);
                let verifier = kek.seal(random, VERIFIER_DATA, VERIFIER)?;
                Ok((Some(kek), SealState::File { verifier }))
            }
        }
    }

    /// Whether this is the key of a store with this verifier.
    pub(crate) fn is_of(&self, verifier: &[u8]) -> bool {
        self.unseal(VERIFIER_DATA, verifier).is_ok_and(|text| *text == VERIFIER)
    }

    fn from_passphrase(text: &str, salt: &[u8], cost: Cost) -> Result<Self, StoreError> {
        let absurd = || StoreError::Unreadable("the parameters of the passphrase".into());
        if cost.memory > GREATEST.memory || cost.passes > GREATEST.passes || cost.lanes > GREATEST.lanes {
            return Err(absurd());
        }
        let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(|_| absurd())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(text.as_bytes(), salt, &mut *key)
            .map_err(|_| absurd())?;
        Ok(Self::from_bytes(&key))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(bytes.into()))
    }

    /// Seals: nonce, ciphertext, tag.
    pub(crate) fn seal(&self, random: &dyn Random, data: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce).map_err(|_| SealError::Random)?;
        let payload = Payload { msg: text, aad: data };
        let sealed = self.0.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| SealError::Wrong)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made with the same associated data.
    pub(crate) fn unseal(&self, data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Wrong)?;
        let payload = Payload { msg: sealed, aad: data };
        let text = self.0.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealError::Wrong)?;
        Ok(Zeroizing::new(text))
    }

    /// What a sealed private key is bound to.
    pub(crate) fn data(app: &AppId, key: &KeyId, purpose: KeyPurpose) -> Vec<u8> {
        let mut data = b"TAA store private key 1\0".to_vec();
        // An id has at most 128 bytes.
        data.extend(u16::try_from(app.as_str().len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend(app.as_str().as_bytes());
        data.extend(key.as_bytes());
        data.extend(purpose.to_string().as_bytes());
        data
    }
}

impl std::fmt::Debug for Kek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kek(..)")
    }
}

#[cfg(test)]
mod tests {
    use taa_core::crypto::SystemRandom;

    use super::*;

    fn passphrase(text: &str) -> SealKey {
        SealKey::Passphrase(Zeroizing::new(text.into()))
    }

    fn file(byte: u8) -> SealKey {
        SealKey::File(Zeroizing::new([byte; 32]))
    }

    fn error(outcome: Result<Option<Kek>, StoreError>) -> SealError {
        match outcome {
            Err(StoreError::Seal(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_secret_it_was_made_with() {
        for (right, wrong, needed) in [
            (passphrase("correct horse"), passphrase("correct horse "), SealError::PassphraseNeeded),
            (file(1), file(2), SealError::KeyFileNeeded),
            (passphrase("x"), file(1), SealError::PassphraseNeeded),
            (file(1), passphrase("x"), SealError::KeyFileNeeded),
        ] {
            let (made, state) = Kek::make(&right, &SystemRandom).unwrap();
            assert!(made.is_some());
            assert!(Kek::open(&right, &state).unwrap().is_some());
            assert_eq!(error(Kek::open(&wrong, &state)), SealError::Wrong);
            assert_eq!(error(Kek::open(&SealKey::InsecureNone, &state)), needed);
        }
        assert!(Kek::open(&file(1), &SealState::None).unwrap().is_none());
        let empty = Kek::make(&passphrase(""), &SystemRandom);
        assert!(matches!(empty, Err(StoreError::Seal(SealError::Empty))));
    }

    #[test]
    fn each_store_has_a_salt_of_its_own_and_each_sealing_a_nonce() {
        let (first, one) = Kek::make(&passphrase("x"), &SystemRandom).unwrap();
        let (_, other) = Kek::make(&passphrase("x"), &SystemRandom).unwrap();
        let (SealState::Passphrase { salt, cost, .. }, SealState::Passphrase { salt: other, .. }) =
            (one, other)
        else {
            panic!()
        };
        assert_ne!(salt, other);
        assert_eq!(cost, COST);
        let kek = first.unwrap();
        let seal = || kek.seal(&SystemRandom, b"data", b"text").unwrap();
        let (a, b) = (seal(), seal());
        assert_ne!(a[..NONCE_LEN], b[..NONCE_LEN]);
        assert_ne!(a[NONCE_LEN..], b[NONCE_LEN..]);
    }

    #[test]
    fn bound_to_application_key_and_purpose() {
        let kek = Kek::from_bytes(&[7; 32]);
        let (app, other) = (AppId::parse("a").unwrap(), AppId::parse("b").unwrap());
        let (key, next) = (KeyId::from_bytes([1; 32]), KeyId::from_bytes([2; 32]));
        let data = Kek::data(&app, &key, KeyPurpose::Signing);
        let sealed = kek.seal(&SystemRandom, &data, b"private").unwrap();
        assert_eq!(**kek.unseal(&data, &sealed).unwrap(), *b"private");
        for moved in [
            Kek::data(&other, &key, KeyPurpose::Signing),
            Kek::data(&app, &next, KeyPurpose::Signing),
            Kek::data(&app, &key, KeyPurpose::Decryption),
        ] {
            assert_eq!(kek.unseal(&moved, &sealed), Err(SealError::Wrong));
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(kek.unseal(&data, &changed), Err(SealError::Wrong), "{at}");
            assert_eq!(kek.unseal(&data, &sealed[..at]), Err(SealError::Wrong), "{at}");
        }
    }

    #[test]
    fn absurd_parameters_are_not_tried() {
        for cost in [
            Cost { memory: u32::MAX, ..COST },
            Cost { passes: u32::MAX, ..COST },
            Cost { lanes: u32::MAX, ..COST },
            Cost { memory: 0, passes: 0, lanes: 0 },
        ] {
            let outcome = Kek::from_passphrase("x", &[0; 16], cost);
            assert!(matches!(outcome, Err(StoreError::Unreadable(_))));
        }
    }
}
