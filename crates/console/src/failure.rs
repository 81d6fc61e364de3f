use axum::response::{IntoResponse, Response};
use http::StatusCode;
use taa_client::fetch::FetchError;
use taa_service::{SaveError, SetupError};
use taa_store::StoreError;
use taa_store::model::{Field, FieldErrors};

/// Why a request was not carried out; pages and the REST interface say the same in their own way. Nothing has changed,
/// unless the database went away in the middle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Somebody else has changed the record since the version that was named.
    Changed,
    /// It does not fit the state of things; says why.
    Conflict(String),
    /// A browser sent it for another site.
    CrossSite,
    /// Another application was asked and did not answer as it should.
    Fetch(String),
    /// Fields are wrong: name and message of each.
    Fields(Vec<FieldProblem>),
    /// Something broke here. The log says what.
    Internal,
    /// The request is no request of this interface.
    Malformed(String),
    /// The method is none of this address.
    MethodNotAllowed,
    /// The administrator has to confirm who they are first.
    MustConfirm {
        /// Where.
        at: String,
    },
    /// There is no such thing.
    NotFound(String),
    /// Who asks is no administrator.
    NotAdministrator,
    /// Nobody is logged in.
    NotLoggedIn {
        /// Where to log in.
        at: Option<String>,
    },
    /// A change came without the token of this session.
    Token,
    /// The content is too long.
    TooLarge,
    /// The database cannot be asked: nothing can be shown or changed, and it is not known what became of a change under
    /// way.
    Unavailable,
    /// The content is of another media type.
    UnsupportedMediaType(&'static str),
}

/// One field is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldProblem {
    /// Its name, as forms and JSON have it.
    pub(crate) field: &'static str,
    /// What is wrong, as a sentence.
    pub(crate) message: String,
}

impl FieldProblem {
    pub(crate) fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl Failure {
    /// One field alone.
    pub(crate) fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Fields(vec![FieldProblem::new(field, message)])
    }

    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Changed | Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Fetch(_) => StatusCode::BAD_GATEWAY,
            Self::Fields(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::CrossSite | Self::MustConfirm { .. } | Self::NotAdministrator | Self::Token => {
                StatusCode::FORBIDDEN
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotLoggedIn { .. } => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// A stable word for programs.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Conflict(_) => "conflict",
            Self::CrossSite => "cross_site",
            Self::Fetch(_) => "fetch_failed",
            Self::Fields(_) => "invalid_fields",
            Self::Internal => "internal",
            Self::Malformed(_) => "malformed",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MustConfirm { .. } => "confirmation_required",
            Self::NotAdministrator => "not_administrator",
            Self::NotFound(_) => "not_found",
            Self::NotLoggedIn { .. } => "not_logged_in",
            Self::Token => "token",
            Self::TooLarge => "too_large",
            Self::Unavailable => "store_unavailable",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
        }
    }

    /// What happened, for a person.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Changed => "Somebody else has changed this meanwhile. Look at it again.".to_owned(),
            Self::Conflict(text) | Self::Fetch(text) | Self::Malformed(text) => sentence(text),
            Self::CrossSite => {
                "This was sent from another site. Changes are only taken from the console's own pages.".to_owned()
            }
            Self::Fields(fields) => {
                fields.iter().map(|problem| sentence(&problem.message)).collect::<Vec<_>>().join(" ")
            }
            Self::Internal => "Something went wrong in this service. Its log says what.".to_owned(),
            Self::MethodNotAllowed => "This address does not take this method.".to_owned(),
            Self::MustConfirm { .. } => {
                "Before you change anything, confirm once more who you are. Nothing was changed.".to_owned()
            }
            Self::NotAdministrator => "Only administrators may look at trust or change it.".to_owned(),
            Self::NotFound(what) => format!("There is no {what}."),
            Self::NotLoggedIn { .. } => "Log in as an administrator first.".to_owned(),
            Self::Token => "The form does not belong to this session, or is too old. Nothing was changed.".to_owned(),
            Self::TooLarge => "The request is too long.".to_owned(),
            Self::Unavailable => {
                "The database that holds trust cannot be reached, so nothing can be shown or changed now. If you were \
                 changing something, look whether it was done before you try again."
                    .to_owned()
            }
            Self::UnsupportedMediaType(wanted) => format!("The content has to be {wanted}."),
        }
    }

    pub(crate) fn fields(&self) -> &[FieldProblem] {
        match self {
            Self::Fields(fields) => fields,
            _ => &[],
        }
    }
}

/// Errors are written without capital and full stop; on a page they stand alone.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len().saturating_add(1));
    // A quoted item or an id keeps its case.
    let first_word_is_plain =
        text.split(' ').next().is_some_and(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    if let Some(first) = chars.next() {
        out.push(if first_word_is_plain { first.to_ascii_uppercase() } else { first });
    }
    out.push_str(chars.as_str());
    if !out.is_empty() && !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Changed => Self::Changed,
            StoreError::NotFound(what) => Self::NotFound(what),
            StoreError::AlreadyInitialised(_)
            | StoreError::AlreadyThere(_)
            | StoreError::Certificate(_)
            | StoreError::Key(_)
            | StoreError::KeyInUse { .. }
            | StoreError::NoIdentity => Self::Conflict(error.to_string()),
            StoreError::Database(_) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the store failed");
                Self::Unavailable
            }
            StoreError::Unreadable(_) => {
                let logged: &dyn std::error::Error = &error;
                tracing::error!(error = logged, "the store holds something unreadable");
                Self::Conflict(error.to_string())
            }
            error => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the store did not do what the console asked for");
                Self::Internal
            }
        }
    }
}

impl From<FieldErrors> for Failure {
    fn from(errors: FieldErrors) -> Self {
        let problem =
            |error: taa_store::model::FieldError| FieldProblem::new(name(error.field), error.message);
        Self::Fields(errors.0.into_iter().map(problem).collect())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::BaseUrl(message) => Self::field("base_url", message),
            SetupError::Fetch(_) => fetch(&error),
            SetupError::Store(error) => error.into(),
            error => Self::Conflict(error.to_string()),
        }
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Fields(errors) => errors.into(),
            SaveError::Setup(error) => error.into(),
            error => Self::Conflict(error.to_string()),
        }
    }
}

/// What the person typed is a wrong field; what the other side did is not.
fn fetch(error: &SetupError) -> Failure {
    let message = error.to_string();
    match error {
        SetupError::Fetch(FetchError::Address | FetchError::PlainHttp | FetchError::Scheme) => {
            Failure::field("base_url", message)
        }
        error => {
            let error: &dyn std::error::Error = error;
            tracing::info!(error, "a certificate could not be fetched");
            Failure::Fetch(message)
        }
    }
}

/// The name of a field, as forms and JSON have it.
pub(crate) const fn name(field: Field) -> &'static str {
    match field {
        Field::AllowRepeats => "allow_repeats",
        Field::Addresses => "addresses",
        Field::BaseUrl => "base_url",
        Field::Lifetime => "lifetime",
        Field::MethodList => "methods",
        Field::MinProtocol => "min_protocol",
        Field::Name => "name",
        Field::NeverAs => "never_as",
        Field::Paths => "paths",
        Field::Timeout => "timeout",
    }
}

/// The failure travels in the answer's extensions; the guard makes a page or JSON of it.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        for (text, out) in [
            ("the path does not begin with /", "The path does not begin with /."),
            ("\"docs\": bad", "\"docs\": bad."),
            ("confluence:1 is there already", "confluence:1 is there already."),
            ("a key file has exactly 32 bytes", "A key file has exactly 32 bytes."),
            ("Done.", "Done."),
            ("", ""),
        ] {
            assert_eq!(sentence(text), out);
        }
    }
}
