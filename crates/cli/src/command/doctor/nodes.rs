//! The processes that answer for this application.

use std::collections::BTreeSet;

use taa_core::time::UnixMillis;
use taa_store::Store;

use super::Findings;
use crate::exit::chain;
use crate::text::count;
use crate::time::relative;

pub(super) async fn look(store: &Store, now: UnixMillis, findings: &mut Findings) {
    const ABOUT: &str = "nodes";
    let nodes = match store.nodes().await {
        Ok(nodes) => nodes,
        Err(error) => {
            findings.bad(ABOUT, chain(&error), "See the state of the database.");
            return;
        }
    };
    let labels: Vec<String> =
        nodes.iter().map(|node| format!("{}, started {}", node.label, relative(node.started, now))).collect();
    let running = match labels.as_slice() {
        [] => "no service runs on this store now".to_owned(),
        labels => format!("{}: {}", count(labels.len(), "process", "processes"), labels.join("; ")),
    };
    let alone = nodes.iter().find(|node| !node.shared_nonces);
    match alone {
        Some(node) if nodes.len() > 1 => findings.bad(
            ABOUT,
            format!(
                "{running}. {} does not share its nonces: a request can be used once at each",
                node.label
            ),
            "Give every process the same nonce store (Redis), or run one.",
        ),
        _ => findings.ok(ABOUT, running),
    }
    let versions: BTreeSet<&str> = nodes.iter().map(|node| node.software.as_str()).collect();
    if versions.len() > 1 {
        findings.warn(
            "software",
            format!(
                "the nodes run different versions: {}",
                versions.into_iter().collect::<Vec<_>>().join(", ")
            ),
            "Finish the update.",
        );
    }
}
