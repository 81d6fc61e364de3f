//! Extractors for axum 0.8.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::principal::{Outcome, Principal};

/// Why a handler that wants a [`Principal`] does not get one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrincipalRejection {
    /// The route is not behind a [`TrustLayer`](crate::TrustLayer): 500, the service's mistake.
    #[error("this route wants a taa_server::Principal but is not behind a taa_server::TrustLayer")]
    LayerMissing,
    /// Nobody is proven: 401.
    #[error("this request needs a user that a trusted application has proven")]
    Nobody,
}

impl IntoResponse for PrincipalRejection {
    fn into_response(self) -> Response {
        match self {
            Self::LayerMissing => {
                tracing::error!("{self}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Nobody => {
                (StatusCode::UNAUTHORIZED, [(http::header::WWW_AUTHENTICATE, "TAA")], self.to_string())
                    .into_response()
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = PrincipalRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PrincipalRejection> {
        principal(parts)?.ok_or(PrincipalRejection::Nobody)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = PrincipalRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, PrincipalRejection> {
        principal(parts)
    }
}

fn principal(parts: &Parts) -> Result<Option<Principal>, PrincipalRejection> {
    match parts.extensions.get::<Outcome>() {
        None => Err(PrincipalRejection::LayerMissing),
        Some(_) => Ok(Principal::of(&parts.extensions).cloned()),
    }
}
