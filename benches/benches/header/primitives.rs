//! What a decision in a session is made of, each part on its own: their sum is what no way of putting them together can
//! save. The lengths are those of the request that `header/v4/in session` decides on.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, KeyIvInit};
use criterion::{BatchSize, Criterion};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use taa_benches::{Speed, USUAL_NONCES, many_nonces, policy};
use taa_core::id::{AppId, UserName};
use taa_core::nonce::NonceKey;
use taa_core::time::{Clock, ManualClock, SystemClock, UnixMillis};
use taa_server::nonce::MemoryNonces;
use taa_server::session::{NameKey, SessionName, SignatureName};

/// An envelope and a signature under keys of 2,048 bits, and a certificate, as base64url.
const KEY_FIELD: [u8; 382] = [b'k'; 382];
const SIGNATURE_FIELD: [u8; 342] = [b's'; 342];
const CERT: [u8; 48] = [0x42; 48];
/// What the tag covers: additional data, iv, ciphertext, length.
const COVERED: [u8; 107] = [0x42; 107];

pub(crate) fn one_by_one(criterion: &mut Criterion) {
    let mut group = Speed::Symmetric.group(criterion, "header/floor/of one decision");
    let (name_key, app) = (NameKey::from_random([9; 16]), AppId::parse("confluence:6512").expect("an id"));
    group.bench_function("name of the session", |bencher| {
        bencher.iter(|| SessionName::of(&name_key, app.as_str(), black_box(&KEY_FIELD)));
    });
    group.bench_function("name of its signature", |bencher| {
        bencher.iter(|| {
            SignatureName::of(&name_key, black_box(&SIGNATURE_FIELD)) == SignatureName::of(&name_key, b"")
        });
    });
    let cert = URL_SAFE_NO_PAD.encode(CERT);
    group.bench_function("base64 of the certificate", |bencher| {
        bencher.iter(|| URL_SAFE_NO_PAD.decode_slice(black_box(&cert), &mut [0; 304]).expect("base64"));
    });
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 16]).expect("a key of any length");
    group.bench_function("tag, with the key hashed in", |bencher| {
        bencher.iter(|| {
            let mut mac = keyed.clone();
            mac.update(black_box(&COVERED));
            mac.finalize().into_bytes()
        });
    });
    let sealed = {
        use cbc::cipher::BlockEncryptMut;
        cbc::Encryptor::<Aes128>::new(&[7; 16].into(), &[1; 16].into())
            .encrypt_padded_vec_mut::<Pkcs7>(b"12345678fred")
    };
    group.bench_function("decryption", |bencher| {
        bencher.iter(|| {
            let mut space = [0; 304];
            let length = cbc::Decryptor::<Aes128>::new(black_box(&[7; 16].into()), &[1; 16].into())
                .decrypt_padded_b2b_mut::<Pkcs7>(black_box(&sealed), &mut space)
                .expect("padding")
                .len();
            (space, length)
        });
    });
    group.bench_function("name of the user", |bencher| {
        bencher.iter(|| UserName::from_bytes(black_box(b"fred")).expect("a name"));
    });
    let clock = SystemClock::new();
    group.bench_function("two clocks", |bencher| bencher.iter(|| (clock.wall(), clock.monotonic())));
    let rules = policy();
    group.bench_function("address", |bencher| {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        bencher.iter(|| rules.addresses().allows(black_box(address)));
    });
    group.bench_function("path", |bencher| {
        bencher.iter(|| {
            rules.paths().allows_raw(black_box("/jira/rest/api/2/search")).expect("an allowed path")
        });
    });
    // It stands still: the clocks are counted above.
    let still = Arc::new(ManualClock::new(UnixMillis(0)));
    let nonces = MemoryNonces::new(Arc::<ManualClock>::clone(&still), [7; 16], many_nonces());
    let mut number = 0_u32;
    group.bench_function("nonce", |bencher| {
        let next = || {
            if number.is_multiple_of(USUAL_NONCES) {
                still.advance(2 * many_nonces().ordinary_keep);
            }
            number = number.wrapping_add(1);
            NonceKey::of_request(&[1; 32], &u128::from(number).to_be_bytes())
        };
        let record = |key| nonces.record_now(&app, key, Duration::from_secs(90)).expect("room");
        bencher.iter_batched(next, record, BatchSize::NumIterations(64));
    });
    group.finish();
}
