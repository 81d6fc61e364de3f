//! Trusted Applications Authentication: the protocol and the decision.
//!
//! One application (the *trusted* one, a wiki) calls another (the *trusting* one, an issue tracker) on behalf of the
//! user who is logged in: no password, no redirect, no central server. This crate is the protocol both sides speak. It
//! is synchronous, does no I/O, has no runtime and no unsafe code; clocks, randomness and cryptography are passed in.
//! The client and the server layer are the crates `taa-client` and `taa-server`.
//!
//! # Version 4 in one picture
//!
//! ```text
//!   trusted application                                         trusting application
//!   ───────────────────                                         ────────────────────
//!   envelope::seal    ── once per session: RSA ──────────────▶  decision::open     signature, then secret
//!   request::seal     ── every request: one HMAC, AES ───────▶  Opened::prove      tag, then user and time
//!                                                               Proven::allow      not used before, of this time, rules
//!   ProvenAnswer::is_proven_by  ◀─── status, error, digest ───  Prover::prove
//! ```
//!
//! # An example
//!
//! A wiki makes a session with a tracker and signs one request; the tracker decides about it.
//!
#![cfg_attr(feature = "aws-lc", doc = "```")]
#![cfg_attr(not(feature = "aws-lc"), doc = "```text")]
//! use taa_core::crypto::{AwsLc, SystemRandom};
//! use taa_core::decision::{self, CertificateSpace, Context, NoSessions, NonceOutcome, Presented};
//! use taa_core::directory::{Application, Directory};
//! use taa_core::envelope::{self, Lifetime};
//! use taa_core::id::{AppId, UserName};
//! use taa_core::identity::{Identity, OwnKey, Profile};
//! use taa_core::key::{DecryptingKey, EncryptingKey, KeySize, SigningKey};
//! use taa_core::policy::{ClientAddress, Policy, Skew, GreatestTimeout};
//! use taa_core::request::{self, Covered, Target};
//! use taa_core::time::UnixMillis;
//! # use base64::Engine as _;
//! # use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = UnixMillis(1_790_000_000_000);
//! let profile = |id: &str| -> Result<Profile, Box<dyn std::error::Error>> {
//!     let base_url = format!("https://{id}.example/").parse()?;
//!     Ok(Profile { id: AppId::parse(id)?, name: id.into(), base_url, seq: 1, iat: now.seconds(), older_protocols: vec![] })
//! };
//! let signing = SigningKey::generate(&AwsLc, KeySize::Rsa2048)?;
//! let wiki = Identity::new(profile("wiki")?, vec![OwnKey::current(signing)], vec![])?;
//! let signing = SigningKey::generate(&AwsLc, KeySize::Rsa2048)?;
//! let decryption = DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?;
//! let to_tracker = EncryptingKey::new(&AwsLc, decryption.public().clone())?;
//! let tracker = Identity::new(profile("tracker")?, vec![OwnKey::current(signing)], vec![OwnKey::current(decryption)])?;
//!
//! // The wiki: once per session, then per request.
//! let session = envelope::seal(
//!     wiki.id(), wiki.signing_key(), tracker.id(), &to_tracker, now, Lifetime::default(), &SystemRandom,
//! )?;
//! let covered = Covered {
//!     method: &http::Method::GET, target: Target::parse("/rest/api/2/search?jql=a")?, content_type: "", content_digest: "",
//! };
//! let iv = [7; 16]; // fresh and random in life
//! let sealed = request::seal(&session.keys, &covered, now, &UserName::parse("fred")?, &iv);
//! let mut headers = http::HeaderMap::new();
//! headers.insert("x-seraph-trusted-app-version", "4".parse()?);
//! headers.insert("x-seraph-trusted-app-id", "wiki".parse()?);
//! headers.insert("x-seraph-trusted-app-key", B64.encode(&session.envelope).parse()?);
//! headers.insert("x-seraph-trusted-app-signature", B64.encode(&session.signature).parse()?);
//! headers.insert("x-seraph-trusted-app-cert", B64.encode(&sealed).parse()?);
//!
//! // The tracker: whom it trusts, and the decision step by step.
//! let directory = Directory::new([Application::new(&AwsLc, wiki.certificate(), Policy::insecure_allow_any())?])?;
//! let context = Context {
//!     identity: &tracker, directory: &directory, sessions: &NoSessions, random: &SystemRandom,
//!     skew: Skew::default(), greatest_timeout: GreatestTimeout::default(),
//! };
//! let from = ClientAddress { addr: "192.0.2.7".parse()?, forwarded: false };
//! let mut space = CertificateSpace::new();
//! let presented = Presented::parse(&http::Method::GET, "/rest/api/2/search?jql=a", &headers, &mut space)?;
//! let (proven, prover) = decision::open(presented, &context, Ok(from), now)?.prove()?;
//! let allowed = proven.allow(&context, NonceOutcome::First, None, now)?;
//! assert_eq!(allowed.user().as_str(), "fred");
//! # let _ = prover;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! It remembers nothing: sessions ([`decision::Sessions`]) and nonces ([`decision::NonceClaim`]) are the server's. It
//! opens no connection and reads no file. It has no algorithm to choose: suite 1 is all there is.
//!
//! # Features
//!
//! * `aws-lc` (default): [`crypto::AwsLc`], RSA by AWS-LC. Needs a C compiler.
//! * `rust-crypto`: [`crypto::RustCrypto`](crypto), RSA by the `rsa` crate, no C. Open to RUSTSEC-2023-0071.
//! * `legacy`: versions 0–3 (module `legacy`): textbook RSA, RC4 and SHA-1, for peers that know nothing newer.
//!
//! Log messages, errors and `Debug` output of this crate contain no secret and no key.

pub mod answer;
pub mod certificate;
pub mod crypto;
pub mod decision;
pub mod directory;
pub mod durable;
pub mod envelope;
pub mod fields;
pub mod id;
pub mod identity;
pub mod key;
#[cfg(feature = "legacy")]
pub mod legacy;
pub mod nonce;
pub mod policy;
pub mod request;
pub mod time;

mod encoding;
mod mac;
