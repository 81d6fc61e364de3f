//! What comes before every handler, and after it:
//!
//! 1. The service's administrator check. It alone decides who gets further; when it fails or panics nobody does.
//! 2. For a change, what [`change`](crate::change) asks for.
//! 3. The handler. A panic in it is a 500.
//! 4. A failure becomes a page, or JSON below `/api`.

use std::panic::AssertUnwindSafe;

use axum::extract::{OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::FutureExt;
use http::Uri;

use crate::admin::{Access, Administrator};
use crate::console::Console;
use crate::failure::Failure;
use crate::links::Links;
use crate::visit::{Seen, Visit};
use crate::{api, change, page};

pub(crate) async fn guard(State(console): State<Console>, request: Request, next: Next) -> Response {
    let rest = is_rest(request.uri());
    let safe = request.method().is_safe();
    let links = links(&console, &request);
    let (request, administrator) = match identify(&console, request).await {
        Ok(found) => found,
        // A browser is sent on; what it wanted to change is not sent again elsewhere.
        Err(Failure::NotLoggedIn { at: Some(at) }) if safe && !rest => return redirect(&at),
        Err(failure) => return present(&console, rest, &links, None, failure),
    };
    let inner = console.inner();
    let seen = Seen::of(request.extensions(), request.headers(), &inner.proxies, inner.peer.as_ref());
    let visit = Visit::new(administrator, links.clone(), seen);
    let request = if safe {
        Ok(request)
    } else if rest {
        change::check_rest(&inner.form_key, visit.administrator(), request)
    } else {
        change::check_form(&inner.form_key, visit.administrator(), request).await
    };
    let mut request = match request {
        Ok(request) => request,
        Err(failure) => {
            tracing::warn!(actor = %visit.actor(), refused = failure.word(), "a change was refused");
            return present(&console, rest, &links, Some(&visit), failure);
        }
    };
    request.extensions_mut().insert(visit.clone());
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a panic in the console");
            Failure::Internal.into_response()
        }
    };
    match response.extensions_mut().remove::<Failure>() {
        Some(failure) => present(&console, rest, &links, Some(&visit), failure),
        None => response,
    }
}

/// Asks the administrator check, which sees the address as it came in.
async fn identify(console: &Console, request: Request) -> Result<(Request, Administrator), Failure> {
    let (mut parts, body) = request.into_parts();
    let inner_uri = parts.uri.clone();
    if let Some(OriginalUri(uri)) = parts.extensions.get::<OriginalUri>() {
        parts.uri = uri.clone();
    }
    // Making the future is inside: that may panic as well.
    let checking = async { console.inner().admin.check(&parts).await };
    let access = AssertUnwindSafe(checking).catch_unwind().await;
    parts.uri = inner_uri;
    let access = match access {
        Ok(Ok(access)) => access,
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "nobody is let in");
            return Err(Failure::Internal);
        }
        Err(_) => {
            tracing::error!("a panic of the administrator check: nobody is let in");
            return Err(Failure::Internal);
        }
    };
    match access {
        Access::Administrator(administrator) if administrator.session().is_empty() => {
            tracing::error!("the administrator check names no session: nobody is let in");
            Err(Failure::Internal)
        }
        Access::Administrator(administrator) => Ok((Request::from_parts(parts, body), administrator)),
        Access::NotAdministrator => Err(Failure::NotAdministrator),
        Access::NotLoggedIn { log_in_at } => Err(Failure::NotLoggedIn { at: log_in_at }),
    }
}

fn is_rest(uri: &Uri) -> bool {
    uri.path().strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn links(console: &Console, request: &Request) -> Links {
    if let Some(links) = &console.inner().base {
        return links.clone();
    }
    let outer = request.extensions().get::<OriginalUri>().map_or(request.uri(), |uri| &uri.0);
    Links::found(outer, request.uri())
}

fn redirect(at: &str) -> Response {
    // What is no header value would panic further in.
    match http::HeaderValue::from_str(at) {
        Ok(_) => Redirect::to(at).into_response(),
        Err(_) => Failure::Internal.status().into_response(),
    }
}

fn present(
    console: &Console,
    rest: bool,
    links: &Links,
    visit: Option<&Visit>,
    failure: Failure,
) -> Response {
    if rest { api::failure(failure) } else { page::failure(console, links, visit, &failure) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rest() {
        for (path, rest) in [
            ("/api", true),
            ("/api/", true),
            ("/api/x", true),
            ("/apix", false),
            ("/", false),
            ("/own/api", false),
        ] {
            assert_eq!(is_rest(&path.parse().unwrap()), rest, "{path}");
        }
    }
}
