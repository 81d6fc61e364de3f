//! Trusted Applications Authentication: the server side.

pub mod certificate;
pub mod limit;
pub mod nonce;
pub mod resolver;
pub mod session;

mod answer;
mod body;
#[cfg(feature = "axum")]
mod extract;
mod judge;
mod layer;
#[cfg(feature = "legacy")]
mod legacy;
mod observe;
mod principal;
mod service;
mod sessions;
mod trust;

pub use body::{ContentError, RequestBody, ResponseBody};
pub use certificate::CertificateLayer;
#[cfg(feature = "axum")]
pub use extract::PrincipalRejection;
pub use layer::TrustLayer;
pub use principal::{Outcome, Principal};
pub use resolver::{Resolution, ResolveError, UserResolver};
pub use service::{ResponseFuture, TrustService};
pub use trust::{PeerAddress, Trust, TrustBuilder, TrustError};
