//! Other applications.

use std::sync::OnceLock;
use std::time::Duration;

use taa_core::certificate::{Certificate, KeyStatus};
use taa_core::envelope::Lifetime;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::policy::{AddressRules, MethodRules, NeverAs, PathRules, Protocol};
use taa_store::model::{NewApplication, NewServer, PeerKeys, Rules};

use crate::place::{START, id, provider};

/// Keys are expensive, so tests share them.
fn keys() -> &'static [(SigningKey, DecryptingKey)] {
    static KEYS: OnceLock<Vec<(SigningKey, DecryptingKey)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let size = KeySize::Rsa2048;
        (0..3)
            .map(|_| {
                let signing = SigningKey::generate(&*provider(), size).unwrap();
                (signing, DecryptingKey::generate(&*provider(), size).unwrap())
            })
            .collect()
    })
}

pub(crate) fn signing(number: usize) -> SigningKey {
    keys()[number].0.clone()
}

pub(crate) fn decrypting(number: usize) -> DecryptingKey {
    keys()[number].1.clone()
}

pub(crate) fn profile(name: &str, seq: u64) -> Profile {
    Profile {
        id: id(name),
        name: format!("Peer {name}"),
        base_url: format!("https://{}.example/", name.replace(':', "-")).parse().unwrap(),
        seq,
        iat: START.seconds(),
        older_protocols: Vec::new(),
    }
}

/// A peer with the pair of keys of this number.
pub(crate) fn certificate(name: &str, seq: u64, number: usize) -> Certificate {
    let signing = vec![OwnKey::current(signing(number))];
    let decryption = vec![OwnKey::current(decrypting(number))];
    Identity::new(profile(name, seq), signing, decryption).unwrap().certificate().clone()
}

/// The same with the signing key of another number announced.
pub(crate) fn announcing(name: &str, seq: u64, number: usize, next: usize) -> Certificate {
    let next = OwnKey { key: signing(next), status: KeyStatus::Next, exp: None };
    let signing = vec![OwnKey::current(signing(number)), next];
    let decryption = vec![OwnKey::current(decrypting(number))];
    Identity::new(profile(name, seq), signing, decryption).unwrap().certificate().clone()
}

pub(crate) fn rules() -> Rules {
    Rules {
        addresses: AddressRules::parse_list("10.0.0.0/8").unwrap(),
        paths: PathRules::parse_list("/rest").unwrap(),
        methods: MethodRules::read_only(),
        never_as: NeverAs::parse_list("admin").unwrap(),
        timeout: Duration::from_secs(30),
        min_protocol: Protocol::V4,
        allow_repeats: false,
    }
}

pub(crate) fn application(certificate: &Certificate) -> NewApplication {
    let content = certificate.content();
    NewApplication {
        id: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        keys: PeerKeys { certificate: Some(certificate.clone()), legacy: None },
        rules: rules(),
    }
}

pub(crate) fn server(certificate: &Certificate) -> NewServer {
    let content = certificate.content();
    NewServer {
        id: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        certificate: Some(certificate.clone()),
        protocol: Protocol::V4,
        lifetime: Lifetime::default(),
        insecure_allow_http: false,
        require_content_digest: false,
    }
}
