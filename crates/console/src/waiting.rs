use taa_service::{Fetched, Setup};
use taa_store::model::PendingId;

use crate::failure::Failure;

/// What was fetched and waits under this id.
pub(crate) async fn waiting(setup: &Setup, id: &str) -> Result<Fetched, Failure> {
    let id: PendingId = id.parse().map_err(|_| lapsed())?;
    setup.fetched(&id).await.map_err(|error| match Failure::from(error) {
        Failure::NotFound(_) => lapsed(),
        failure => failure,
    })
}

pub(crate) fn lapsed() -> Failure {
    Failure::NotFound(
        "certificate waiting here: it was saved or given up, or it waited more than an hour. Fetch it again"
            .to_owned(),
    )
}
