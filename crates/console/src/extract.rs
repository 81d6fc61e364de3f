use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::change::media_type;
use crate::failure::Failure;

/// The query of a request, or [`Failure::Malformed`].
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|error| Failure::Malformed(error.body_text()))
    }
}

/// The fields of a form, whose token was checked already, or [`Failure::Malformed`].
pub(crate) struct Posted<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Posted<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        axum::extract::Form::from_request(request, state)
            .await
            .map(|form| Self(form.0))
            .map_err(|error| Failure::Malformed(error.body_text()))
    }
}

/// A part of the path, decoded.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|error| Failure::Malformed(error.body_text()))
    }
}

/// A JSON body, or the failure that says what is wrong with it. An unknown member is wrong too: a misspelt rule would
/// otherwise be a rule that is not there.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if media_type(request.headers()) != "application/json" {
            return Err(Failure::UnsupportedMediaType("application/json"));
        }
        let content = Bytes::from_request(request, state).await.map_err(|_| Failure::TooLarge)?;
        serde_json::from_slice(&content)
            .map(Self)
            .map_err(|error| Failure::Malformed(format!("The content is not what is expected: {error}")))
    }
}
