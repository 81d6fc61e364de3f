use std::sync::Arc;

use serde::Deserialize;
use taa_client::{RecordError, ServerRecord};
use taa_core::envelope::Lifetime;
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use taa_store::model::{Row, ServerUpdate, Snapshot, TrustingServer};
use url::Url;

use crate::console::Console;
use crate::failure::{Failure, FieldProblem};
use crate::visit::Visit;

/// How a server is called, as a form or a program writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ServerText {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) lifetime: String,
    pub(crate) require_content_digest: bool,
    pub(crate) insecure_allow_http: bool,
}

impl ServerText {
    pub(crate) fn of(server: &TrustingServer) -> Self {
        Self {
            name: server.name.clone(),
            base_url: server.base_url.to_string(),
            lifetime: server.lifetime.as_secs().to_string(),
            require_content_digest: server.require_content_digest,
            insecure_allow_http: server.insecure_allow_http,
        }
    }

    /// The change of this server. A server's base URL is judged as the client will judge it.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(crate) fn update(&self, server: &TrustingServer, version: u64) -> Result<ServerUpdate, Failure> {
        let mut problems = Vec::new();
        let name = name(&self.name, &mut problems);
        let base_url = match base_url(&self.base_url) {
            Ok(base_url) => match usable(server, &base_url, self.insecure_allow_http) {
                Ok(()) => Some(base_url),
                Err(error) => {
                    problems.push(FieldProblem::new("base_url", error.to_string()));
                    None
                }
            },
            Err(message) => {
                problems.push(FieldProblem::new("base_url", message));
                None
            }
        };
        let lifetime = match self.lifetime.trim() {
            "" => Some(Lifetime::default()),
            typed => typed.parse().ok().and_then(|seconds| Lifetime::from_secs(seconds).ok()),
        };
        if lifetime.is_none() {
            problems
                .push(FieldProblem::new("lifetime", "A session lasts 1 to 900 seconds, as a whole number."));
        }
        match (name, base_url, lifetime) {
            (Some(name), Some(base_url), Some(lifetime)) => Ok(ServerUpdate {
                version,
                name,
                base_url,
                lifetime,
                insecure_allow_http: self.insecure_allow_http,
                require_content_digest: self.require_content_digest,
                enabled: server.enabled,
            }),
            _ => Err(Failure::Fields(problems)),
        }
    }
}

/// The server with this id, if its record can be used.
pub(crate) fn find<'s>(snapshot: &'s Snapshot, id: &str) -> Result<&'s TrustingServer, Failure> {
    let broken = |row: &Row<TrustingServer>| matches!(row, Row::Broken { id: there, .. } if there == id);
    match snapshot.server(id) {
        Some(server) => Ok(server),
        None if snapshot.servers.iter().any(broken) => Err(Failure::Conflict(
            "The record of this server cannot be read. It can only be deleted.".to_owned(),
        )),
        None => Err(missing()),
    }
}

pub(crate) fn missing() -> Failure {
    Failure::NotFound("such server".to_owned())
}

/// Switches a server on or off, and changes nothing else of it.
pub(crate) async fn switch(
    console: &Console,
    visit: &Visit,
    id: &str,
    on: bool,
) -> Result<Arc<Snapshot>, Failure> {
    let snapshot = console.snapshot().await?;
    let server = find(&snapshot, id)?;
    let update = ServerUpdate { enabled: on, ..ServerUpdate::of(server) };
    Ok(console.store().update_server(&server.id, update, visit.actor()).await?)
}

/// A name for people.
pub(crate) fn name(typed: &str, problems: &mut Vec<FieldProblem>) -> Option<String> {
    let name = typed.trim();
    let wrong = if name.is_empty() {
        "Give it a name."
    } else if name.len() > 255 || name.chars().any(char::is_control) {
        "A name has at most 255 bytes and no control characters."
    } else {
        return Some(name.to_owned());
    };
    problems.push(FieldProblem::new("name", wrong));
    None
}

/// A base URL as a person types it.
pub(crate) fn base_url(typed: &str) -> Result<Url, &'static str> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("The base URL is required, such as https://wiki.example/confluence");
    }
    if typed.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("A base URL has no blanks and no backslashes.");
    }
    let Ok(url) = Url::parse(typed) else { return Err("Type the base URL with its scheme: https://…") };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("A base URL begins with https:// (or http://, where that is allowed) and names a host.");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("A base URL has no user name, no password, no query (?…) and no fragment (#…).");
    }
    Ok(url)
}

fn usable(server: &TrustingServer, base_url: &Url, insecure_allow_http: bool) -> Result<(), RecordError> {
    let record = match (&server.certificate, server.protocol) {
        (Some(certificate), Protocol::V4) => ServerRecord::builder(certificate).base_url(base_url.clone()),
        (_, Protocol::V2) => {
            ServerRecord::insecure_legacy(server.id.clone(), base_url.clone(), SignedVersion::V2)
        }
        (_, Protocol::V3 | Protocol::V4) => {
            ServerRecord::insecure_legacy(server.id.clone(), base_url.clone(), SignedVersion::V3)
        }
    };
    record.insecure_allow_http(insecure_allow_http).build().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        assert_eq!(base_url("  https://Wiki.example/c \n").unwrap().as_str(), "https://wiki.example/c");
        for bad in [
            "",
            "  ",
            "wiki.example",
            "ftp://x/",
            "https://u@x/",
            "https://:p@x/",
            "https://x/?",
            "https://x/#",
            "https://a b/",
            "https://x\\y",
            "mailto:a@b",
            "file:///etc/passwd",
            "https://",
        ] {
            assert!(base_url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names() {
        let mut problems = Vec::new();
        assert_eq!(name(" A wiki ", &mut problems).as_deref(), Some("A wiki"));
        for bad in ["", " ", "a\nb", &"x".repeat(256)] {
            assert_eq!(name(bad, &mut problems), None, "{bad:?}");
        }
        assert_eq!(problems.len(), 4);
    }
}
