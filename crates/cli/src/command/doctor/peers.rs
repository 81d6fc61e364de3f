//! Peers: their records, and whether the certificate they present still is the one held.

use std::collections::BTreeMap;

use taa_client::fetch::{FetchError, Fetcher};
use taa_core::certificate::{Certificate, KeyUse, Succession};
use taa_core::id::KeyId;
use taa_core::time::UnixMillis;
use taa_store::model::{OwnIdentity, Row, Snapshot, TrustedApplication, TrustingServer};
use url::Url;

use super::own::SOON_MS;
use super::{Findings, clock};
use crate::exit::{Failure, chain};
use crate::store;
use crate::time::relative;

/// A peer, wherever it stands.
struct Peer<'s> {
    base_url: &'s Url,
    certificate: Option<&'s Certificate>,
    legacy: Option<KeyId>,
}

/// What others see of this application.
pub(super) async fn look_at_self(
    own: &OwnIdentity,
    now: UnixMillis,
    findings: &mut Findings,
) -> Result<(), Failure> {
    const ABOUT: &str = "own certificate as served";
    let (held, fetcher) = (own.certificate.content(), fetcher()?);
    let advice = "Start the service, or correct the base URL: taa certificate set --base-url URL";
    match fetcher.certificate(&*store::provider(), &held.base_url, now).await {
        Err(error) => findings.warn(ABOUT, format!("{}: {}", held.base_url, chain(&error)), advice),
        Ok(served) => {
            let content = served.content();
            if content.iss != held.iss {
                let found = format!("{} is served by {}", held.base_url, content.iss);
                findings.bad(ABOUT, found, "Another application answers at this base URL. Correct it.");
            } else if served.document() == own.certificate.document() {
                findings.ok(ABOUT, format!("is number {}", content.seq));
            } else {
                findings.warn(
                    ABOUT,
                    format!("is number {}, and the store has number {}", content.seq, held.seq),
                    "The service runs on another store, or does not follow this one: restart it.",
                );
            }
        }
    }
    Ok(())
}

/// All peers, by id.
pub(super) async fn look(
    snapshot: &Snapshot,
    now: UnixMillis,
    offline: bool,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let mut peers: BTreeMap<&str, Peer<'_>> = BTreeMap::new();
    for row in &snapshot.applications {
        match row {
            Row::Good(application) => {
                look_at_application(application, findings);
                if application.enabled {
                    let legacy = application.keys.legacy.as_ref().map(|key| key.0.thumbprint());
                    let certificate = application.keys.certificate.as_ref();
                    let peer = Peer { base_url: &application.base_url, certificate, legacy };
                    peers.insert(application.id.as_str(), peer);
                }
            }
            Row::Broken { id, problem, .. } => broken("application", "trust", id, problem, findings),
        }
    }
    for row in &snapshot.servers {
        match row {
            Row::Good(server) => {
                look_at_server(server, findings);
                if server.enabled {
                    let (base_url, certificate) = (&server.base_url, server.certificate.as_ref());
                    peers.entry(server.id.as_str()).or_insert(Peer { base_url, certificate, legacy: None });
                }
            }
            Row::Broken { id, problem, .. } => broken("server", "server", id, problem, findings),
        }
    }
    if offline {
        return Ok(());
    }
    let fetcher = fetcher()?;
    for (id, peer) in peers {
        look_at_certificate(&fetcher, id, &peer, now, findings).await;
        clock::look_at_peer(id, peer.base_url, findings).await;
    }
    Ok(())
}

/// A person allowed plain http where a peer was added with it, as the refresh does.
fn fetcher() -> Result<Fetcher, Failure> {
    Ok(Fetcher::new().map_err(|error| Failure::of(&error))?.insecure_allow_http())
}

fn broken(what: &str, command: &str, id: &str, problem: &str, findings: &mut Findings) {
    findings.bad(
        format!("{what} {id}"),
        format!("its record cannot be used: {problem}"),
        format!("It counts as unknown. Remove it and add it again: taa {command} remove '{id}'"),
    );
}

fn look_at_application(application: &TrustedApplication, findings: &mut Findings) {
    let id = &application.id;
    let about = format!("application {id}");
    if !application.enabled {
        findings.ok(about, "is disabled");
        return;
    }
    let rules = &application.rules;
    let mut wide = Vec::new();
    if rules.never_as.is_empty() {
        wide.push("it may act as every user, administrators included");
    }
    if rules.addresses.names_any() {
        wide.push("it may call from anywhere");
    }
    if rules.paths.names_any() {
        wide.push("it may use every path");
    }
    if rules.min_protocol.is_legacy() && !application.seen_v4 {
        wide.push("it may speak the older versions, which sign neither method nor content");
    }
    if rules.allow_repeats {
        wide.push("its requests of the older versions may be repeated");
    }
    if wide.is_empty() {
        findings.ok(about, "its rules name what it may do");
    } else {
        findings.warn(
            about,
            wide.join("; "),
            format!("If that is more than it needs: taa trust set {id} --never-as … --addresses … --paths …"),
        );
    }
}

fn look_at_server(server: &TrustingServer, findings: &mut Findings) {
    let about = format!("server {}", server.id);
    if !server.enabled {
        findings.ok(about, "is disabled");
    } else if server.insecure_allow_http && server.base_url.scheme() == "http" {
        findings.warn(
            about,
            "is called over plain http: everybody on the way reads along",
            format!("taa server set {} --base-url https://… --insecure-allow-http no", server.id),
        );
    } else {
        findings.ok(about, format!("is called in version {}", server.protocol));
    }
}

async fn look_at_certificate(
    fetcher: &Fetcher,
    id: &str,
    peer: &Peer<'_>,
    now: UnixMillis,
    findings: &mut Findings,
) {
    let about = format!("certificate of {id}");
    let unreachable = |error: &FetchError| format!("{} cannot be asked: {}", peer.base_url, chain(error));
    let advice =
        "Requests go on with the certificate held. See whether the peer runs and can be reached from here.";
    let Some(held) = peer.certificate else {
        match (fetcher.legacy_page(peer.base_url).await, peer.legacy) {
            (Err(error), _) => findings.warn(about, unreachable(&error), advice),
            (Ok(page), Some(key)) if page.app_id.as_str() != id || page.key.thumbprint() != key => findings
                .bad(
                    about,
                    "its page shows another id or key than the one held",
                    format!("Compare the key over another channel: taa trust refresh {id} --compare"),
                ),
            (Ok(_), _) => findings.ok(about, "its page shows the key held"),
        }
        return;
    };
    let soon = held.content().current(KeyUse::Signing).and_then(|key| key.exp);
    let soon = soon.map(|exp| UnixMillis(exp.saturating_mul(1000)));
    if let Some(ends) = soon.filter(|ends| ends.0 < now.0.saturating_add(SOON_MS)) {
        findings.warn(
            about.clone(),
            format!("its signing key ends {}", relative(ends, now)),
            "Its people have to rotate it; then: taa trust refresh",
        );
    }
    match fetcher.certificate(&*store::provider(), peer.base_url, now).await {
        Err(error) => findings.warn(about, unreachable(&error), advice),
        Ok(served) => match served.succeeds(held, now) {
            Ok(Succession::Same) => {
                findings.ok(about, format!("number {} is the one held", held.content().seq))
            }
            Ok(Succession::Newer) => findings.warn(
                about,
                format!("number {} is served, {} is held", served.content().seq, held.content().seq),
                format!("taa trust refresh {id}"),
            ),
            Err(why) => findings.bad(
                about,
                format!("what is served does not follow the one held: {why}"),
                format!("A person has to look at it: taa trust refresh {id} --compare"),
            ),
        },
    }
}
