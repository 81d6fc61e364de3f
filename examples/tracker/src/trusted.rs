//! The tracker behind the trust layer: trusted applications ask as their users.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::map_request;
use http::StatusCode;
use taa_core::id::{AppId, UserName};
use taa_server::{CertificateLayer, Principal, Resolution, ResolveError, Trust, UserResolver};

use crate::tracker::Tracker;
use crate::user::UserBase;
use crate::viewer::ViewerName;

/// The tracker's user base, as the trust layer asks it.
#[derive(Clone, Debug)]
pub struct Users(Arc<UserBase>);

impl Users {
    /// The users of this tracker.
    #[must_use]
    pub fn of(tracker: &Tracker) -> Self {
        Self(Arc::clone(tracker.users()))
    }
}

impl UserResolver for Users {
    async fn resolve(&self, name: &UserName, _: &AppId) -> Result<Resolution, ResolveError> {
        let Some(user) = self.0.find(name.as_str()) else { return Ok(Resolution::Unknown) };
        if !user.may_log_in {
            return Ok(Resolution::MayNotLogIn);
        }
        UserName::parse(&user.name).map(Resolution::Known).map_err(ResolveError::new)
    }
}

/// Every route of the tracker behind the trust layer, with the certificate pages.
///
/// Programs that are refused get nothing; pages and the XML view show a refused request what anybody may see, as JIRA
/// did, and the answer's fields tell the application why.
///
/// `outside` holds routes that no trusted application gets to as a user, such as those of the administrator.
pub fn trusted_router(
    tracker: &Arc<Tracker>,
    trust: &Trust<Users>,
    certificate: CertificateLayer,
    outside: Router,
) -> Router {
    let known = map_request(name_the_viewer);
    let rest = crate::rest_routes(tracker).layer(known.clone()).layer(trust.layer());
    let pages = crate::page_routes(tracker).layer(known).layer(trust.layer().anonymous_on_refusal());
    // What is nowhere is refused like a program's question: only pages and views go on as nobody.
    let nowhere = Router::new().fallback(async || StatusCode::NOT_FOUND).layer(trust.layer());
    rest.merge(pages).merge(outside).fallback_service(nowhere).layer(certificate)
}

async fn name_the_viewer(mut request: Request) -> Request {
    request.extensions_mut().remove::<ViewerName>();
    if let Some(principal) = Principal::of(request.extensions()) {
        let name = ViewerName(principal.user().to_string());
        request.extensions_mut().insert(name);
    }
    request
}
