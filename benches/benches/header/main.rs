//! Encoding and decoding the header fields of versions 2, 3 and 4, next to what no implementation can do without.

mod primitives;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use taa_benches::{
    Client, KnownSessions, Older, SIZES, Speed, Tokens, Verifier, client_identity, parts, private_der,
    providers,
};
use taa_core::crypto::CryptoProvider;
use taa_core::decision::NoSessions;
use taa_core::identity::Identity;
use taa_core::key::PublicKey;
use taa_core::legacy::SignedVersion;

/// So few at a time that they stay in the cache, as a request does that has just come in.
const FEW: BatchSize = BatchSize::NumIterations(64);
const ONE_BY_ONE: BatchSize = BatchSize::PerIteration;
const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";

/// A client and a server that know each other.
struct Pair {
    provider: Arc<dyn CryptoProvider>,
    identity: Arc<Identity>,
    verifier: Verifier,
}

impl Pair {
    fn new(provider: &Arc<dyn CryptoProvider>, bits: usize) -> Self {
        let identity = client_identity(&**provider, bits, "confluence:6512");
        let verifier = Verifier::new(&**provider, bits, &identity);
        Self { provider: Arc::clone(provider), identity, verifier }
    }

    fn client(&self) -> Client {
        Client::new(&self.provider, &self.identity, self.verifier.identity().certificate())
    }
}

fn version4_in_session(criterion: &mut Criterion) {
    let mut group = Speed::Symmetric.group(criterion, "header/v4/in session");
    for provider in &providers() {
        for bits in SIZES {
            let pair = Pair::new(provider, bits);
            let client = pair.client();
            let sessions = KnownSessions::default();
            let first = client.signed(parts("GET", URL), None);
            pair.verifier.decide(&sessions, &first).expect("the first request opens the session");

            let id = |what| BenchmarkId::new(format!("{what}/{}", provider.name()), bits);
            group.bench_function(id("encode"), |bencher| {
                bencher.iter_batched_ref(|| parts("GET", URL), |parts| client.sign(parts, None), FEW);
            });
            group.bench_function(id("decode"), |bencher| {
                bencher.iter_batched_ref(
                    || {
                        pair.verifier.as_usual();
                        client.signed(parts("GET", URL), None)
                    },
                    |request| pair.verifier.decide(&sessions, request).expect("an allowed request"),
                    FEW,
                );
            });
        }
    }
    group.finish();
}

fn version4_new_session(criterion: &mut Criterion) {
    let mut group = Speed::Rsa.group(criterion, "header/v4/new session");
    for provider in &providers() {
        for bits in SIZES {
            let pair = Pair::new(provider, bits);
            let client = pair.client();
            let id = |what| BenchmarkId::new(format!("{what}/{}", provider.name()), bits);
            group.bench_function(id("encode"), |bencher| {
                bencher.iter_batched_ref(
                    || (pair.client(), parts("GET", URL)),
                    |(client, parts)| client.sign(parts, None),
                    ONE_BY_ONE,
                );
            });
            // To a server that keeps no session each request is the first one.
            group.bench_function(id("decode"), |bencher| {
                bencher.iter_batched_ref(
                    || client.signed(parts("GET", URL), None),
                    |request| pair.verifier.decide(&NoSessions, request).expect("an allowed request"),
                    FEW,
                );
            });
        }
    }
    group.finish();
}

fn older_versions(criterion: &mut Criterion) {
    for (version, name) in [(SignedVersion::V3, "header/v3"), (SignedVersion::V2, "header/v2")] {
        let mut group = Speed::Rsa.group(criterion, name);
        for bits in SIZES {
            let older = Older::new(version, bits);
            group.bench_function(BenchmarkId::new("encode", bits), |bencher| bencher.iter(|| older.sign()));
            group.bench_function(BenchmarkId::new("decode", bits), |bencher| {
                // Made here, so that it is young enough.
                let headers = older.sign();
                bencher.iter(|| older.decide(black_box(&headers)).expect("an allowed request"));
            });
        }
        group.finish();
    }
}

/// One HMAC over as much as a tag covers, and a token with its own.
fn symmetric_floor(criterion: &mut Criterion) {
    let mut group = Speed::Symmetric.group(criterion, "header/floor/hmac-sha256 of 200 B");
    let message = [0x42; 200];
    group.bench_function("rust-crypto", |bencher| {
        bencher.iter(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(black_box(&[7; 16])).expect("a key of any length");
            mac.update(black_box(&message));
            mac.finalize().into_bytes()
        });
    });
    group.bench_function("aws-lc", |bencher| {
        bencher.iter(|| {
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, black_box(&[7; 16]));
            aws_lc_rs::hmac::sign(&key, black_box(&message))
        });
    });
    group.finish();

    let mut group = Speed::Symmetric.group(criterion, "header/floor/jsonwebtoken HS256");
    let tokens = Tokens::new();
    group.bench_function("encode", |bencher| {
        bencher.iter_batched_ref(|| tokens.claims(), |claims| tokens.encode(claims), FEW);
    });
    group.bench_function("decode", |bencher| {
        let claims = tokens.claims();
        bencher.iter_batched_ref(|| tokens.encode(&claims), |token| tokens.decode(token), FEW);
    });
    group.finish();
}

/// The operations with RSA that a new session takes, and those of versions 2 and 3, on their own.
fn rsa_floor(criterion: &mut Criterion) {
    use taa_benches::Key;

    let message = [0x42; 330];
    let label = "6c".repeat(32);
    let mut group = Speed::Rsa.group(criterion, "header/floor/rsa");
    for provider in &providers() {
        for bits in SIZES {
            let (pair, name) = (Pair::new(provider, bits), provider.name());
            let public: &PublicKey = pair.identity.signing_key().public();
            let (client_key, server_key) = (private_der(Key::Client, bits), private_der(Key::Server, bits));
            let signer = provider.signer(&client_key).expect("a signing key");
            let verifier = provider.verifier(public).expect("a verifying key");
            let signature = signer.sign(&message).expect("a signature");
            group.bench_function(BenchmarkId::new(format!("pss sign/{name}"), bits), |bencher| {
                bencher.iter(|| signer.sign(black_box(&message)).expect("a signature"));
            });
            group.bench_function(BenchmarkId::new(format!("pss verify/{name}"), bits), |bencher| {
                bencher.iter(|| verifier.verify(black_box(&message), &signature).expect("a good one"));
            });

            let content = pair.verifier.identity().certificate().content();
            let key = content.current(taa_core::certificate::KeyUse::Decryption).expect("a key");
            let encrypter = provider.encrypter(&key.public).expect("an encryption key");
            let decrypter = provider.decrypter(&server_key).expect("a decryption key");
            let wrapped = encrypter.encrypt(&[3; 32], &label).expect("a ciphertext");
            group.bench_function(BenchmarkId::new(format!("oaep encrypt/{name}"), bits), |bencher| {
                bencher.iter(|| encrypter.encrypt(black_box(&[3; 32]), &label).expect("a ciphertext"));
            });
            group.bench_function(BenchmarkId::new(format!("oaep decrypt/{name}"), bits), |bencher| {
                bencher.iter(|| decrypter.decrypt(black_box(&wrapped), &label).expect("a plaintext"));
            });
        }
    }
    for bits in SIZES {
        let older = Older::new(SignedVersion::V3, bits);
        let mut random = |out: &mut [u8]| {
            out.fill(5);
            Ok::<(), ()>(())
        };
        let signature = older.key().sign(&message, &mut random).expect("a signature");
        let public = older.key().verifying_key();
        group.bench_function(BenchmarkId::new("sha1withrsa sign/older versions", bits), |bencher| {
            bencher.iter(|| older.key().sign(black_box(&message), &mut random).expect("a signature"));
        });
        group.bench_function(BenchmarkId::new("sha1withrsa verify/older versions", bits), |bencher| {
            bencher.iter(|| assert!(public.verify(black_box(&message), &signature)));
        });
    }
    group.finish();
}

criterion_group!(
    header,
    version4_in_session,
    primitives::one_by_one,
    symmetric_floor,
    version4_new_session,
    older_versions,
    rsa_floor
);
criterion_main!(header);
