//! Trusted Applications Authentication: the client side.
//!
//! An application that is trusted by another one calls it on behalf of whoever is logged in: no password, no redirect.
//! This crate signs such requests with version 4 of the protocol and reads what the server says about them.
//!
//! 1. An [`Identity`](taa_core::identity::Identity) is who this application is: its id and its signing key.
//! 2. A [`ServerRecord`] is a server that a person confirmed: its base URL and its decryption key.
//! 3. A [`Signer`] holds both. [`Signer::sign`] puts the fields into a request and gives back a [`Pending`].
//! 4. [`Pending::read`] makes a [`TrustAnswer`] of the answer; its [`TrustStatus`] says whether the user was accepted,
//!    and [`TrustStatus::warning`] what to tell the person who looks at the page if not.
//!
//! Nobody has to do steps 3 and 4 by hand: [`SignLayer`] does them for hyper clients, the module `reqwest` for reqwest.
//!
#![cfg_attr(feature = "aws-lc", doc = "```")]
#![cfg_attr(not(feature = "aws-lc"), doc = "```text")]
//! use std::sync::Arc;
//! use taa_client::{ServerRecord, Signer, TrustStatus, Warning};
//! # use taa_core::crypto::AwsLc;
//! # use taa_core::id::{AppId, UserName};
//! # use taa_core::identity::{Identity, OwnKey, Profile};
//! # use taa_core::key::{DecryptingKey, KeySize, SigningKey};
//! # fn identity(id: &str, url: &str, server: bool) -> Result<Identity, Box<dyn std::error::Error>> {
//! #     let (id, name, base_url) = (AppId::parse(id)?, id.to_owned(), url.parse()?);
//! #     let profile = Profile { id, name, base_url, seq: 1, iat: 0, older_protocols: Vec::new() };
//! #     let signing = OwnKey::current(SigningKey::generate(&AwsLc, KeySize::Rsa2048)?);
//! #     let decryption = OwnKey::current(DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?);
//! #     Ok(Identity::new(profile, vec![signing], if server { vec![decryption] } else { Vec::new() })?)
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let wiki = Arc::new(identity("wiki", "https://wiki.example", false)?);
//! # let confirmed = identity("tracker", "https://tracker.example/jira", true)?.certificate().clone();
//! // Once: who we are, and the server whose fingerprint a person compared.
//! let tracker = ServerRecord::builder(&confirmed).build()?;
//! let signer = Signer::builder(wiki).server(tracker).build()?;
//!
//! // For every request: the user who is logged in, and the request as it will be sent.
//! let user = UserName::parse("fred")?;
//! let request = http::Request::get("https://tracker.example/jira/rest/api/2/search?jql=project=HSP").body(())?;
//! let (mut head, ()) = request.into_parts();
//! let pending = signer.sign(&mut head, &user, None)?;
//! assert_eq!(head.headers["x-seraph-trusted-app-id"], "wiki");
//!
//! // The answer. This one says nothing about trust, so the user is told.
//! let (answer, ()) = http::Response::new(()).into_parts();
//! let trust = pending.read(&answer);
//! assert_eq!(*trust.status(), TrustStatus::NotSupported);
//! assert!(trust.status().warning().is_some_and(|warning| warning.may_be_switched_off()));
//! # Ok(())
//! # }
//! ```
//!
//! # What it takes care of
//!
//! * Fields go only to URLs below the base URL of a server that is known, over `https` unless the server is on loopback
//!   or its record says otherwise, and never along a redirect.
//! * One session serves all requests to a server; the next one is made before it ends, by a thread that is there only for
//!   that, and nobody waits for it.
//! * A status is believed only with a valid proof. The offset to a server's clock is learned only from such answers.
//! * What is sent again is signed again, and only when it was certainly not carried out.
//!
//! # Features
//!
//! * `aws-lc` (default): AWS-LC is the cryptography provider unless another is given. Needs a C compiler.
//! * `rust-crypto`: the pure-Rust provider, to be passed to [`SignerBuilder::provider`].
//! * `reqwest`: the modules `reqwest`, with a client that signs, and `fetch`, which fetches certificates.
//! * `legacy`: `ServerRecord::insecure_legacy`, for servers that only speak version 2 or 3.

mod answer;
mod base_url;
mod body;
mod error;
#[cfg(feature = "reqwest")]
pub mod fetch;
mod layer;
#[cfg(feature = "legacy")]
mod legacy;
mod offset;
mod outgoing;
mod peer;
mod pending;
mod record;
mod renewal;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod server;
mod servers;
mod session;
mod sessions;
mod signer;
mod status;

pub use answer::{Retry, TrustAnswer};
pub use base_url::{BaseUrlError, certificate_url, legacy_certificate_url};
pub use body::{BodyCheck, BodyDigestError, BodyError, VerifiedBody};
pub use error::{BuildError, SignError};
pub use layer::{DEFAULT_BODY_LIMIT, OnBehalfOf, ResponseFuture, ServiceError, SignLayer, SignService};
pub use pending::Pending;
pub use record::{RecordError, ServerRecord, ServerRecordBuilder};
pub use session::Session;
pub use signer::{Signer, SignerBuilder};
pub use status::{Claim, TrustStatus, Warning};
