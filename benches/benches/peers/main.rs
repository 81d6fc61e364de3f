//! Other ways to authenticate a request, next to ours, in one run: only figures of one run can be compared.
//!
//! *Sign* takes the head of a request that was made before, and ends when the fields are in it. *Verify* takes such a head
//! and ends when it is known who sent it for which user. Keys are prepared; an RSA key has 2048 bits. The request is a `GET`
//! with a query and without content, on behalf of `fred`.
//!
//! What each does of our job, and what it leaves out:
//!
//! | | covers | fresh | once | also checked | cryptography |
//! |---|---|---|---|---|---|
//! | version 4, in session | server, method, path, query, content type, digest | 60 s | nonce recorded | address, path, method, user rules; user's name is hidden | RustCrypto |
//! | version 4, new session | the same | the same | the same | the same, and two RSA operations on each side | AWS-LC |
//! | version 3 | URL without method, content | 60 s | nonce looked up | path | RustCrypto's `rsa`, own public operation |
//! | version 2 | user and time | 60 s | nonce looked up | path | the same |
//! | `jsonwebtoken` | nothing of the request | `exp` | `jti` is there, nobody remembers it | issuer, audience | AWS-LC |
//! | `httpsig-hyper` (RFC 9421) | method, URL, the field with the user | `expires` | a nonce is there, nobody remembers it | nothing | RustCrypto |
//! | `hawk` | method, host, port, path, query, `ext` with the user | 60 s | a nonce is there, nobody remembers it | nothing | ring |
//! | `aws-sigv4` | method, path, query, host, the field with the user, digest of no content | its time | no | the crate has no verifier | RustCrypto |
//!
//! Version 4 records a nonce for every request that is verified. It begins anew when 100,000 are live, which is what some hundred
//! requests a second leave; `scale` tells what a million cost.
//!
//! None of the peers has rules or a proof of the answer, and none looks for the fields that make servers disagree about a
//! request. With a token and a shared key each server can pass for the client at every other that has the key.

mod hawk;
mod httpsig;
mod jwt;
mod ours;
mod sigv4;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use taa_benches::{SIZES, Speed};
use taa_core::legacy::SignedVersion;

pub(crate) const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
pub(crate) const USER: &str = "fred";
/// RSA keys of all.
pub(crate) const BITS: usize = SIZES[0];
/// So few at a time that they stay in the cache, as a request does that has just come in.
const FEW: BatchSize = BatchSize::NumIterations(64);

/// A way to authenticate a request.
pub(crate) trait Peer {
    /// A request as its functions take it.
    type Message;

    /// A request without credentials.
    fn request(&self) -> Self::Message;

    /// Puts the credentials in.
    fn sign(&self, message: &mut Self::Message);

    /// Finds out who sent it for whom. Panics when it is refused.
    fn verify(&self, message: &Self::Message);
}

type Group<'c> = BenchmarkGroup<'c, WallTime>;

fn sign<P: Peer>(group: &mut Group<'_>, name: &str, peer: &P) {
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(|| peer.request(), |message| peer.sign(message), FEW);
    });
}

fn verify<P: Peer>(group: &mut Group<'_>, name: &str, peer: &P) {
    group.bench_function(name, |bencher| bencher.iter_batched_ref(|| signed(peer), |m| peer.verify(m), FEW));
}

/// For those that remember nothing, and whose signature takes too long to be made for each round.
fn verify_again<P: Peer>(group: &mut Group<'_>, name: &str, peer: &P) {
    group.bench_function(name, |bencher| {
        let message = signed(peer);
        bencher.iter(|| peer.verify(&message));
    });
}

fn signed<P: Peer>(peer: &P) -> P::Message {
    let mut message = peer.request();
    peer.sign(&mut message);
    message
}

fn symmetric(criterion: &mut Criterion) {
    let (ours, tokens, hawk) = (ours::InSession::new(), jwt::Jwt::hs256(), hawk::Hawk::new());
    let (messages, amazon) = (httpsig::HttpSig::hmac_sha256(), sigv4::SigV4::new());
    let mut group = Speed::Symmetric.group(criterion, "peers/symmetric sign");
    sign(&mut group, "version 4, in session", &ours);
    sign(&mut group, "jsonwebtoken HS256", &tokens);
    sign(&mut group, "hawk", &hawk);
    sign(&mut group, "httpsig-hyper hmac-sha256", &messages);
    sign(&mut group, "aws-sigv4", &amazon);
    group.finish();

    let mut group = Speed::Symmetric.group(criterion, "peers/symmetric verify");
    verify(&mut group, "version 4, in session", &ours);
    verify(&mut group, "jsonwebtoken HS256", &tokens);
    verify(&mut group, "hawk", &hawk);
    verify(&mut group, "httpsig-hyper hmac-sha256", &messages);
    group.finish();
}

fn rsa(criterion: &mut Criterion) {
    let (ours, tokens) = (ours::NewSession::new(), jwt::Jwt::rs256());
    let messages = httpsig::HttpSig::rsa_sha256();
    let (third, second) = (ours::older(SignedVersion::V3), ours::older(SignedVersion::V2));
    let mut group = Speed::Rsa.group(criterion, "peers/rsa sign");
    group.bench_function("version 4, new session", |bencher| {
        bencher.iter_batched_ref(|| ours.fresh(), ours::sign_fresh, BatchSize::PerIteration);
    });
    sign(&mut group, "version 3", &third);
    sign(&mut group, "version 2", &second);
    sign(&mut group, "jsonwebtoken RS256", &tokens);
    sign(&mut group, "httpsig-hyper rsa-v1_5-sha256", &messages);
    group.finish();

    let mut group = Speed::Rsa.group(criterion, "peers/rsa verify");
    verify(&mut group, "version 4, new session", &ours);
    verify_again(&mut group, "version 3", &third);
    verify_again(&mut group, "version 2", &second);
    verify_again(&mut group, "jsonwebtoken RS256", &tokens);
    verify_again(&mut group, "httpsig-hyper rsa-v1_5-sha256", &messages);
    group.finish();
}

criterion_group!(peers, symmetric, rsa);
criterion_main!(peers);
