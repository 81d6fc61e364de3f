//! When one certificate document may follow another without a person.

use taa_core::certificate::{
    Certificate, CertificateKey, Content, KeyStatus, KeyUse, Succession, SuccessionError,
};
use taa_core::id::AppId;
use taa_core::key::{PublicKey, SigningKey};
use taa_core::time::UnixMillis;
use taa_tests::harness::{providers, spare_key_pem};

use crate::fixture::VECTORS;

/// Three keys of one application.
fn keys() -> [SigningKey; 3] {
    let provider = providers()[0];
    let pems = [
        spare_key_pem().unwrap(),
        &VECTORS.sessions[0].client_signing_key,
        &VECTORS.sessions[1].client_signing_key,
    ];
    pems.map(|pem| SigningKey::from_pkcs8_pem(provider, pem).unwrap())
}

fn listed(key: &SigningKey, status: KeyStatus, exp: Option<u64>) -> CertificateKey {
    let public: PublicKey = key.public().clone();
    CertificateKey { public, usage: KeyUse::Signing, status, exp }
}

fn certificate(seq: u64, signer: &SigningKey, keys: Vec<CertificateKey>) -> Certificate {
    let content = Content {
        iss: AppId::parse("wiki").unwrap(),
        name: "Wiki".into(),
        base_url: "https://wiki.example/".parse().unwrap(),
        seq,
        iat: 1_700_000_000,
        protocols: vec![4],
        keys,
    };
    let made = Certificate::make(content, signer).unwrap();
    Certificate::verify(providers()[0], made.document(), UnixMillis(0)).unwrap()
}

#[test]
fn only_an_announced_key_that_has_not_ended() {
    use KeyStatus::{Current, Next, Previous};
    let [a, b, stranger] = keys();
    let now = UnixMillis(1_000_000);
    let held = |next_exp| certificate(1, &a, vec![listed(&a, Current, None), listed(&b, Next, next_exp)]);
    let by = |signer: &SigningKey| certificate(2, signer, vec![listed(signer, Current, None)]);

    assert_eq!(by(&a).succeeds(&held(None), now), Ok(Succession::Newer));
    assert_eq!(by(&b).succeeds(&held(None), now), Ok(Succession::Newer));
    assert_eq!(by(&b).succeeds(&held(Some(1_001)), now), Ok(Succession::Newer));
    // The new document names no end, but the one that is held does.
    assert_eq!(by(&b).succeeds(&held(Some(1_000)), now), Err(SuccessionError::SignerEnded));
    assert_eq!(by(&stranger).succeeds(&held(None), now), Err(SuccessionError::Signer));

    let rotated = certificate(2, &b, vec![listed(&b, Current, None), listed(&a, Previous, Some(9_999))]);
    assert_eq!(rotated.succeeds(&held(None), now), Ok(Succession::Newer));
    let back = certificate(3, &a, vec![listed(&a, Current, None)]);
    assert_eq!(back.succeeds(&rotated, now), Err(SuccessionError::Signer));
    assert_eq!(rotated.succeeds(&rotated, now), Ok(Succession::Same));
    assert_eq!(held(None).succeeds(&by(&a), now), Err(SuccessionError::LowerSequence));
    assert_eq!(held(None).succeeds(&held(Some(9_999)), now), Err(SuccessionError::SameSequence));
}
