use std::convert::Infallible;

use super::*;
use crate::legacy::LegacySigningKey;

/// A generator for tests: repeatable, and good enough to make a key with.
fn counter() -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    let mut count = 0u64;
    move |out| {
        for chunk in out.chunks_mut(32) {
            count += 1;
            let block = Sha256::digest(count.to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

#[test]
fn made_written_read() {
    let key = LegacySigningKey::generate(&mut counter()).unwrap();
    assert_eq!(key.verifying_key().bits(), 2048);
    let again = LegacySigningKey::from_pkcs8_der(&key.expose_pkcs8_der().unwrap()).unwrap();
    assert_eq!(again.thumbprint(), key.thumbprint());
    let public = LegacyVerifyingKey::from_page_line(&key.verifying_key().page_line()).unwrap();
    assert_eq!(&public, key.verifying_key());

    let signature = key.sign(b"base", &mut counter()).unwrap();
    assert!(public.verify(b"base", &signature));
    assert!(!public.verify(b"Base", &signature));
    let longer = [&[0][..], &signature].concat();
    assert!(!public.verify(b"base", &longer));
    assert!(!public.verify(b"base", &signature[..255]));
    assert!(!public.verify(b"base", &[0; 256]));
    assert!(!public.verify(b"base", &[0xff; 256]));

    let magic = base64::decode(key.magic(&mut counter()).unwrap().as_bytes()).unwrap();
    assert!(!public.magic_matches(&[0xff; 256]));
    assert!(!public.magic_matches(&signature));
    assert!(public.magic_matches(&magic), "computed");
    assert!(public.magic_matches(&magic), "remembered");
    assert!(!public.magic_matches(&signature), "compared");
    assert!(!public.magic_matches(&[&[0][..], &magic].concat()), "too long");

    let secret = format!("{key:?}");
    assert!(secret.starts_with("LegacySigningKey(") && secret.len() < 80, "{secret}");
}

#[test]
fn no_random_bytes() {
    let mut broken = |_: &mut [u8]| Err(());
    assert_eq!(LegacySigningKey::generate(&mut broken).err(), Some(LegacyKeyError::Random));
    let key = LegacySigningKey::generate(&mut counter()).unwrap();
    assert_eq!(key.sign(b"base", &mut broken), Err(RawRsaError::Private));
}

#[test]
fn rules_for_public_keys() {
    let modulus = |bits: usize| {
        let mut bytes = vec![0xff; bits / 8];
        *bytes.first_mut().unwrap() = 0x80;
        bytes
    };
    let read = |modulus: &[u8], exponent: &[u8]| {
        LegacyVerifyingKey::from_parts(&[], modulus, exponent).map(|key| key.bits())
    };
    assert_eq!(read(&modulus(1024), &[3]), Ok(1024));
    assert_eq!(read(&modulus(4096), &[1, 0, 1]), Ok(4096));
    assert_eq!(read(&modulus(1016), &[1, 0, 1]), Err(LegacyKeyError::Size));
    assert_eq!(read(&modulus(4104), &[1, 0, 1]), Err(LegacyKeyError::Size));
    assert_eq!(read(&[], &[1, 0, 1]), Err(LegacyKeyError::Size));
    for bad in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[3, 0, 0, 0, 1], &[1; 9]] {
        assert_eq!(read(&modulus(2048), bad), Err(LegacyKeyError::Exponent), "{bad:?}");
    }
    let mut even = modulus(2048);
    *even.last_mut().unwrap() = 0xfe;
    assert_eq!(read(&even, &[3]), Err(LegacyKeyError::Modulus));
    for bad in ["", "AAAA", "***", "<html>"] {
        assert_eq!(LegacyVerifyingKey::from_page_line(bad), Err(LegacyKeyError::Form));
        assert_eq!(LegacyVerifyingKey::from_spki_pem(bad), Err(LegacyKeyError::Form));
    }
}
