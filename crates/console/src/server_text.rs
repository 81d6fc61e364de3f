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
    /// 2, 3 or 4.
    pub(crate) protocol: String,
    pub(crate) lifetime: String,
    pub(crate) require_content_digest: bool,
    pub(crate) insecure_allow_http: bool,
}

impl ServerText {
    pub(crate) fn of(server: &TrustingServer) -> Self {
        Self {
            name: server.name.clone(),
            base_url: server.base_url.to_string(),
            protocol: server.protocol.to_string(),
            lifetime: server.lifetime.as_secs().to_string(),
            require_content_digest: server.require_content_digest,
            insecure_allow_http: server.insecure_allow_http,
        }
    }

    /// The change of this server. Base URL and version are judged as the client will judge them.
    ///
    /// # Errors
    /// All fields that are wrong.
    pub(crate) fn update(&self, server: &TrustingServer, version: u64) -> Result<ServerUpdate, Failure> {
        let mut problems = Vec::new();
        let name = name(&self.name, &mut problems);
        let base_url = match base_url(&self.base_url) {
            Ok(base_url) => Some(base_url),
            Err(message) => {
                problems.push(FieldProblem::new("base_url", message));
                None
            }
        };
        let protocol = protocol(&self.protocol, server, &mut problems);
        if let Some(base_url) = &base_url {
            // Also where the version is wrong, so that all errors are shown together.
            let spoken = protocol.unwrap_or(server.protocol);
            problems.extend(hindrance(server, spoken, base_url, self.insecure_allow_http));
        }
        let lifetime = match self.lifetime.trim() {
            "" => Some(Lifetime::default()),
            typed => typed.parse().ok().and_then(|seconds| Lifetime::from_secs(seconds).ok()),
        };
        if lifetime.is_none() {
            problems
                .push(FieldProblem::new("lifetime", "A session lasts 1 to 900 seconds, as a whole number."));
        }
        match (name, base_url, protocol, lifetime) {
            (Some(name), Some(base_url), Some(protocol), Some(lifetime)) if problems.is_empty() => {
                Ok(ServerUpdate {
                    version,
                    name,
                    base_url,
                    protocol,
                    lifetime,
                    insecure_allow_http: self.insecure_allow_http,
                    require_content_digest: self.require_content_digest,
                    enabled: server.enabled,
                })
            }
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

/// A version as a person types it.
fn protocol(typed: &str, server: &TrustingServer, problems: &mut Vec<FieldProblem>) -> Option<Protocol> {
    let wrong = match typed.trim().parse() {
        Ok(Protocol::V4) if server.certificate.is_none() => {
            "Version 4 needs its certificate, and none is held. Fetch it under “Outgoing servers”, compare it and take \
             its keys; then change the version."
        }
        Ok(protocol) => return Some(protocol),
        Err(_) => "The version is 2, 3 or 4.",
    };
    problems.push(FieldProblem::new("protocol", wrong));
    None
}

/// Why nothing could be signed for it in this version and at this place.
fn hindrance(
    server: &TrustingServer,
    protocol: Protocol,
    base_url: &Url,
    insecure_allow_http: bool,
) -> Option<FieldProblem> {
    let older = |version| ServerRecord::insecure_legacy(server.id.clone(), base_url.clone(), version);
    let record = match (&server.certificate, protocol) {
        (Some(certificate), Protocol::V4) => ServerRecord::builder(certificate).base_url(base_url.clone()),
        (_, Protocol::V2) => older(SignedVersion::V2),
        (_, Protocol::V3 | Protocol::V4) => older(SignedVersion::V3),
    };
    let error = record.insecure_allow_http(insecure_allow_http).build().err()?;
    let field = if error == RecordError::NoDecryptionKey { "protocol" } else { "base_url" };
    Some(FieldProblem::new(field, error.to_string()))
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
