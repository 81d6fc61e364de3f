use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey};
use rsa::pss::{BlindedSigningKey, Signature, VerifyingKey};
use rsa::rand_core::OsRng;
use rsa::sha2::Sha256;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Verifier as _};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use zeroize::Zeroizing;

use super::{CryptoError, CryptoProvider, OaepDecrypt, OaepEncrypt, PssSign, PssVerify};
use crate::key::{KeySize, PublicKey};

/// RSA by the pure-Rust `rsa` crate: no C compiler, every private operation blinded.
///
/// <div class="warning">
///
/// Its private-key operations are open to RUSTSEC-2023-0071 (timing) and several times slower than
/// [`AwsLc`](super::AwsLc)'s. Use it where no C compiler can be had, not where an attacker can measure.
///
/// </div>
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl CryptoProvider for RustCrypto {
    fn name(&self) -> &'static str {
        "rust-crypto"
    }

    fn generate(&self, size: KeySize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = RsaPrivateKey::new(&mut OsRng, size.bits()).map_err(|_| CryptoError)?;
        let der = key.to_pkcs8_der().map_err(|_| CryptoError)?;
        Ok(Zeroizing::new(der.as_bytes().to_vec()))
    }

    fn signer(&self, pkcs8_der: &[u8]) -> Result<Box<dyn PssSign>, CryptoError> {
        Ok(Box::new(Signer(BlindedSigningKey::new(private(pkcs8_der)?))))
    }

    fn verifier(&self, key: &PublicKey) -> Result<Box<dyn PssVerify>, CryptoError> {
        Ok(Box::new(Verifier(VerifyingKey::new(public(key)?))))
    }

    fn decrypter(&self, pkcs8_der: &[u8]) -> Result<Box<dyn OaepDecrypt>, CryptoError> {
        Ok(Box::new(Decrypter(private(pkcs8_der)?)))
    }

    fn encrypter(&self, key: &PublicKey) -> Result<Box<dyn OaepEncrypt>, CryptoError> {
        Ok(Box::new(Encrypter(public(key)?)))
    }
}

fn private(pkcs8_der: &[u8]) -> Result<RsaPrivateKey, CryptoError> {
    let key = RsaPrivateKey::from_pkcs8_der(pkcs8_der).map_err(|_| CryptoError)?;
    key.validate().map_err(|_| CryptoError)?;
    Ok(key)
}

fn public(key: &PublicKey) -> Result<RsaPublicKey, CryptoError> {
    RsaPublicKey::from_public_key_der(&key.to_spki_der()).map_err(|_| CryptoError)
}

struct Signer(BlindedSigningKey<Sha256>);

impl PssSign for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.0.try_sign_with_rng(&mut OsRng, message).map_err(|_| CryptoError)?.to_vec())
    }
}

struct Verifier(VerifyingKey<Sha256>);

impl PssVerify for Verifier {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let signature = Signature::try_from(signature).map_err(|_| CryptoError)?;
        self.0.verify(message, &signature).map_err(|_| CryptoError)
    }
}

struct Decrypter(RsaPrivateKey);

impl OaepDecrypt for Decrypter {
    fn decrypt(&self, ciphertext: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.0
            .decrypt_blinded(&mut OsRng, Oaep::new_with_label::<Sha256, _>(label), ciphertext)
            .map(Zeroizing::new)
            .map_err(|_| CryptoError)
    }
}

struct Encrypter(RsaPublicKey);

impl OaepEncrypt for Encrypter {
    fn encrypt(&self, plaintext: &[u8], label: &str) -> Result<Vec<u8>, CryptoError> {
        self.0
            .encrypt(&mut OsRng, Oaep::new_with_label::<Sha256, _>(label), plaintext)
            .map_err(|_| CryptoError)
    }
}
