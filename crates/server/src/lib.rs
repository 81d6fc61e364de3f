//! Trusted Applications Authentication: the side that trusts.
//!
//! A [`TrustLayer`] goes around the routes that trusted applications may call as their users. It verifies the request
//! (versions 4, and 2 and 3 where a record allows them), asks the service's user base, puts a [`Principal`] into the
//! request's extensions, and proves its answer. It is a tower layer over `http` 1, generic over both bodies, for hyper
//! 1, axum 0.8 and whatever else speaks tower.
//!
#![cfg_attr(all(feature = "aws-lc", feature = "axum"), doc = "```")]
#![cfg_attr(not(all(feature = "aws-lc", feature = "axum")), doc = "```text")]
//! use std::net::SocketAddr;
//!
//! use axum::{Router, extract::ConnectInfo, routing::get};
//! use taa_core::crypto::AwsLc;
//! use taa_core::directory::{Application, Directory};
//! use taa_core::policy::{AddressRules, GreatestTimeout, PathRules, Policy};
//! use taa_server::resolver::StaticUsers;
//! use taa_server::{CertificateLayer, Principal, Trust};
//! # use taa_core::id::AppId;
//! # use taa_core::identity::{Identity, OwnKey, Profile};
//! # use taa_core::key::{DecryptingKey, KeySize, SigningKey};
//! # fn identity(id: &str) -> Result<Identity, Box<dyn std::error::Error>> {
//! #     let base_url = format!("https://{id}.example/").parse()?;
//! #     let profile = Profile { id: AppId::parse(id)?, name: id.into(), base_url, seq: 1, iat: 0, older_protocols: vec![] };
//! #     let signing = OwnKey::current(SigningKey::generate(&AwsLc, KeySize::Rsa2048)?);
//! #     let decryption = OwnKey::current(DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?);
//! #     Ok(Identity::new(profile, vec![signing], vec![decryption])?)
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (us, wiki) = (identity("tracker")?, identity("wiki")?.certificate().clone());
//! // Whom a person decided to trust, and how far. `wiki` is its certificate, whose fingerprint was compared.
//! let policy = Policy::builder()
//!     .addresses(AddressRules::parse_list("192.0.2.0/24")?)
//!     .paths(PathRules::parse_list("/rest/api/2")?)
//!     .build(GreatestTimeout::default())?;
//! let directory = Directory::new([Application::new(&AwsLc, &wiki, policy)?])?;
//!
//! let certificate = CertificateLayer::new(&us);
//! let trust = Trust::builder(us, directory, StaticUsers::new(["admin", "fred"]))
//!     .peer_address(|request| request.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()))
//!     .build()?;
//!
//! async fn whoami(principal: Principal) -> String {
//!     format!("{}, sent by {}", principal.user(), principal.application())
//! }
//! let app: Router = Router::new()
//!     .route("/rest/api/2/myself", get(whoami))
//!     .layer(trust.layer())
//!     .layer(certificate);
//! // Rules about addresses need the socket's: serve it with the connection's.
//! let service = app.into_make_service_with_connect_info::<SocketAddr>();
//! # let _ = service;
//! # Ok(())
//! # }
//! ```
//!
//! # What happens to a request
//!
//! 1. An [`Outcome`] that is already in the extensions is written over, a principal beside it removed: only this layer names
//!    one.
//! 2. Without any field of the protocol the request goes on as it is, and its answer gets `Vary`.
//! 3. Otherwise steps 0–11 of the wire document, section 5, come before anything of the content is read; then the content
//!    is compared with its digest, before the handler can act on it.
//! 4. Refused: the answer is a rejection, or on a route with [`TrustLayer::anonymous_on_refusal`] and a safe method the
//!    handler runs without a user, as JIRA did. The exact [`Refusal`](taa_core::decision::Refusal) is in the answer's
//!    extensions for layers outside, and in an event of the target `taa::auth`; the caller gets its code.
//! 5. Trusted: `Authorization`, `Cookie` and the protocol's fields are removed, the handler finds the [`Principal`].
//! 6. The answer loses `Set-Cookie` and what would let caches keep it, and gets status, error, digest and proof.
//!
//! A failure of the clock, the user base or the nonce store, and a panic in any of them, is `SYSTEM`: never a principal.
//!
//! # Deploying
//!
//! * The layer needs the address of the socket: put a [`PeerAddress`] into the extensions, or say where it is
//!   ([`TrustBuilder::peer_address`]). Name the proxies in front ([`TrustBuilder::trusted_proxies`]); no other
//!   `X-Forwarded-For` is believed.
//! * Nonces are in memory. Several processes for one server id need a shared store ([`TrustBuilder::shared_nonces`]), and
//!   say so with [`TrustBuilder::replicas`].
//! * After a start, requests to a decryption key that is older than the process are refused with `REPLAYED` for 60 s: an
//!   earlier process may have accepted them. With marks in stable storage ([`TrustBuilder::durable`]) new requests are
//!   accepted at once.
//! * Who is trusted comes from outside: replace it with [`Trust::replace_directory`], and let a node that cannot ask
//!   refuse ([`TrustBuilder::lease`]). `taa-service` does both, out of a store in SQLite or PostgreSQL.
//! * RSA of a new session runs on the thread that polls: about 0.3 ms with 2048 bits, once in five minutes for each client.
//!
//! # Features
//!
//! * `aws-lc` (default), `rust-crypto`: the cryptography providers of `taa-core`.
//! * `metrics` (default): `taa_requests_total{outcome,code,version}` and `taa_request_check_seconds{outcome}` by the
//!   `metrics` facade. Labels are words of a fixed list.
//! * `axum`: [`Principal`] and `Option<Principal>` as extractors. A handler behind no layer answers 500 and names it.
//! * `legacy`: versions 2 and 3, accepted after `TrustBuilder::insecure_accept_older_versions` only.

pub mod certificate;
pub mod limit;
pub mod nonce;
pub mod resolver;
pub mod session;

mod answer;
mod body;
mod builder;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod judge;
mod layer;
mod lease;
#[cfg(feature = "legacy")]
mod legacy;
mod observe;
mod principal;
mod route;
mod service;
mod sessions;
mod trust;
mod write_ahead;

pub use body::{ContentError, RequestBody, ResponseBody};
pub use builder::TrustBuilder;
pub use certificate::CertificateLayer;
pub use error::TrustError;
#[cfg(feature = "axum")]
pub use extract::PrincipalRejection;
pub use layer::TrustLayer;
pub use principal::{Outcome, Principal};
pub use resolver::{Resolution, ResolveError, UserResolver};
pub use service::{ResponseFuture, TrustService};
pub use trust::{PeerAddress, Trust};
