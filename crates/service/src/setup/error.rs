use taa_client::fetch::FetchError;
use taa_store::StoreError;
use taa_store::model::FieldErrors;

use super::why::fetch_failed;

/// Why a peer cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The base URL is blank or malformed, or its host is not found; a sentence for its field.
    #[error("{0}")]
    BaseUrl(String),
    /// It is to be called and has no decryption key.
    #[error("this application has no decryption key: it can be trusted to call, and cannot be called")]
    ClientOnly,
    /// It could not be fetched; the text is a sentence for the field of the base URL.
    #[error("{}", fetch_failed(.0))]
    Fetch(#[from] FetchError),
    /// What was shown is not what waits.
    #[error("the fingerprint shown is not that of the certificate that waits: begin again")]
    Fingerprint,
    /// It is to be neither trusted nor called.
    #[error("say what becomes of it: whether it is trusted, or called, or both")]
    Nothing,
    /// It has this application's own id.
    #[error(
        "this is this application's own id: an application is not its own peer, and a clone needs an id of its own"
    )]
    OwnId,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why what waits was not saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Fields.
    #[error(transparent)]
    Fields(#[from] FieldErrors),
    /// Something else.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl From<StoreError> for SaveError {
    fn from(error: StoreError) -> Self {
        Self::Setup(error.into())
    }
}
