//! Who is trusted, own keys, audit trail: in SQLite or PostgreSQL.
//!
//! A [`Store`] holds everything about trust that outlives a process. Every change is one transaction that also writes
//! its row of the audit trail and raises the *generation*; who decides about requests works on a [`model::Snapshot`], which
//! never changes. Private keys are sealed at rest ([`seal`]).
//!
//! The store decides nothing about requests and opens no connection but to its database. `taa-service` keeps a server
//! and a client in step with it, and fetches certificates.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```no_run")]
//! # use std::sync::Arc;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use taa_core::crypto::{AwsLc, SystemRandom};
//! use taa_core::id::AppId;
//! use taa_core::key::KeySize;
//! use taa_store::model::{Actor, NewIdentity};
//! use taa_store::seal::SealKey;
//! use taa_store::{OpenOptions, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let url = format!("sqlite:{}", folder.join("trust.db").display()).parse()?;
//! let seal = SealKey::make_key_file(folder.join("trust.key"), &SystemRandom)?;
//! let store = Store::open(OpenOptions::new(url, Arc::new(AwsLc)).seal(seal)).await?;
//! let new = NewIdentity {
//!     id: AppId::parse("tracker:4711")?,
//!     name: "Tracker".into(),
//!     base_url: "https://tracker.example/".parse()?,
//!     key_size: KeySize::default(),
//! };
//! let snapshot = store.init(new, &Actor::new("admin")).await?;
//! let own = snapshot.own.as_ref().ok_or("there is one now")?;
//! println!("compare this: {}", own.certificate.fingerprint());
//! assert!(store.verify_audit().await?.problems.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Several processes
//!
//! Any number of processes may have one store open. A change is in force in the process that made it before the call
//! returns; the others see it when they [`poll`](Store::poll), which [`Store::follow`] does for them: with PostgreSQL
//! within a second, because it tells them. Who must not go on with what was true a while ago looks at when
//! [`Store::observe`] last called.
//!
//! # Features
//!
//! * `sqlite` (default): a file, for one process and the command line beside it. SQLite is compiled in.
//! * `postgres`: one database for several nodes; a change reaches each within a second.
//! * `redis`: the module `redis`, nonces that several nodes share.
//!
//! Records of the older versions are kept as well, so the `legacy` feature of `taa-core` is on. Whether they are
//! accepted is the server's own decision.

pub mod model;
#[cfg(feature = "redis")]
pub mod redis;
pub mod seal;

mod db;
mod error;
mod open;
mod store;

pub use error::StoreError;
pub use open::{OpenOptions, StoreUrl, StoreUrlError};
pub use store::Store;
