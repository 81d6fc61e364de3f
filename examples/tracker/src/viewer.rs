use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

/// The name of the user a request is made for, put into the request's extensions by whatever authenticated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerName(pub String);

/// Who is looking: a user's name, or nobody.
///
/// This is the one place where handlers learn it. A name is not yet a right: [`crate::UserBase`] may not know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ViewerName>().map(|name| name.0.clone())))
    }
}
