use std::fmt::Display;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::FieldErrors;
use crate::tracker::CreateError;

/// An answer that says what was wrong: general messages, and those of single fields.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    messages: Vec<String>,
    fields: FieldErrors,
}

#[derive(Serialize)]
struct ErrorBody {
    #[serde(rename = "errorMessages")]
    messages: Vec<String>,
    #[serde(rename = "errors")]
    fields: FieldErrors,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: &str) -> Self {
        Self { status, messages: vec![message.to_owned()], fields: FieldErrors::new() }
    }

    pub(crate) fn bad_request(why: &dyn Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, &why.to_string())
    }

    pub(crate) fn fields(fields: FieldErrors) -> Self {
        Self { status: StatusCode::BAD_REQUEST, messages: Vec::new(), fields }
    }

    pub(crate) fn not_logged_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "You are not logged in.")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), &rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        // A body that is JSON but no issue is the caller's mistake like any other: 400, not 422.
        let status = match rejection {
            JsonRejection::JsonDataError(_) => StatusCode::BAD_REQUEST,
            _ => rejection.status(),
        };
        Self::new(status, &rejection.body_text())
    }
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Anonymous => Self::not_logged_in(),
            CreateError::Assignee => Self::fields([("assignee", error.to_string())].into()),
            CreateError::Project => Self::fields([("project", error.to_string())].into()),
            CreateError::Full | CreateError::Time => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(ErrorBody { messages: self.messages, fields: self.fields })).into_response()
    }
}
