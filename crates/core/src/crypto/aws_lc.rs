use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{
    KeySize as AwsKeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use super::{CryptoError, CryptoProvider, OaepDecrypt, OaepEncrypt, PssSign, PssVerify};
use crate::key::{KeySize, PublicKey};

/// RSA by AWS-LC (crate `aws-lc-rs`): constant-time private operations. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl CryptoProvider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc"
    }

    fn generate(&self, size: KeySize) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let size = match size {
            KeySize::Rsa2048 => AwsKeySize::Rsa2048,
            KeySize::Rsa3072 => AwsKeySize::Rsa3072,
            KeySize::Rsa4096 => AwsKeySize::Rsa4096,
        };
        let key = PrivateDecryptingKey::generate(size).map_err(|_| CryptoError)?;
        let der = key.as_der().map_err(|_| CryptoError)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    fn signer(&self, pkcs8_der: &[u8]) -> Result<Box<dyn PssSign>, CryptoError> {
        Ok(Box::new(Signer(RsaKeyPair::from_pkcs8(pkcs8_der).map_err(|_| CryptoError)?)))
    }

    fn verifier(&self, key: &PublicKey) -> Result<Box<dyn PssVerify>, CryptoError> {
        let key =
            ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.to_spki_der()).map_err(|_| CryptoError)?;
        Ok(Box::new(Verifier(key)))
    }

    fn decrypter(&self, pkcs8_der: &[u8]) -> Result<Box<dyn OaepDecrypt>, CryptoError> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8_der).map_err(|_| CryptoError)?;
        Ok(Box::new(Decrypter(OaepPrivateDecryptingKey::new(key).map_err(|_| CryptoError)?)))
    }

    fn encrypter(&self, key: &PublicKey) -> Result<Box<dyn OaepEncrypt>, CryptoError> {
        let key = PublicEncryptingKey::from_der(&key.to_spki_der()).map_err(|_| CryptoError)?;
        Ok(Box::new(Encrypter(OaepPublicEncryptingKey::new(key).map_err(|_| CryptoError)?)))
    }
}

struct Signer(RsaKeyPair);

impl PssSign for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PSS_SHA256, &aws_lc_rs::rand::SystemRandom::new(), message, &mut signature)
            .map_err(|_| CryptoError)?;
        Ok(signature)
    }
}

struct Verifier(ParsedPublicKey);

impl PssVerify for Verifier {
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.0.verify_sig(message, signature).map_err(|_| CryptoError)
    }
}

struct Decrypter(OaepPrivateDecryptingKey);

impl OaepDecrypt for Decrypter {
    fn decrypt(&self, ciphertext: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut out = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let length = self
            .0
            .decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut out, Some(label.as_bytes()))
            .map_err(|_| CryptoError)?
            .len();
        out.truncate(length);
        Ok(out)
    }
}

struct Encrypter(OaepPublicEncryptingKey);

impl OaepEncrypt for Encrypter {
    fn encrypt(&self, plaintext: &[u8], label: &str) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; self.0.ciphertext_size()];
        let length = self
            .0
            .encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut out, Some(label.as_bytes()))
            .map_err(|_| CryptoError)?
            .len();
        out.truncate(length);
        Ok(out)
    }
}
