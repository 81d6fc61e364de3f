use taa_core::certificate::KeyStatus;
use taa_core::time::UnixMillis;
use taa_store::model::{Node, Row, Snapshot};

use crate::console::Console;
use crate::failure::Failure;

/// How this service and its store are doing.
#[derive(Clone, Debug)]
pub(crate) struct SystemState {
    pub(crate) now: UnixMillis,
    /// The version of this software.
    pub(crate) software: &'static str,
    /// The protocol versions that are accepted, lowest first.
    pub(crate) protocols: &'static [u8],
    pub(crate) store: &'static str,
    pub(crate) sealed: bool,
    /// Whether other machines can use the store too.
    pub(crate) shared: bool,
    pub(crate) generation: u64,
    pub(crate) nodes: Vec<NodeView>,
    /// What somebody should look at, as sentences.
    pub(crate) problems: Vec<String>,
}

/// A process that answers for this application.
#[derive(Clone, Debug)]
pub(crate) struct NodeView {
    pub(crate) node: Node,
    /// Whether it has said nothing for too long.
    pub(crate) gone: bool,
}

impl SystemState {
    pub(crate) async fn of(console: &Console) -> Result<Self, Failure> {
        let snapshot = console.snapshot().await?;
        let now = console.now()?;
        let store = console.store();
        let nodes: Vec<_> = store
            .nodes()
            .await?
            .into_iter()
            .map(|node| NodeView { gone: now.0.saturating_sub(node.last_seen.0) > Node::GONE_AFTER, node })
            .collect();
        let mut problems = Vec::new();
        if !store.is_sealed() {
            problems.push(UNSEALED.to_owned());
        }
        problems.extend(own_problems(&snapshot, now));
        problems.extend(record_problems(&snapshot));
        problems.extend(node_problems(&nodes));
        problems.extend(console.inner().problems.iter().flat_map(|problems| problems()));
        Ok(Self {
            now,
            software: env!("CARGO_PKG_VERSION"),
            protocols: if console.inner().older_versions { &[2, 3, 4] } else { &[4] },
            store: if store.is_shared() { "PostgreSQL" } else { "SQLite" },
            sealed: store.is_sealed(),
            shared: store.is_shared(),
            generation: snapshot.generation,
            nodes,
            problems,
        })
    }
}

/// What it means that keys are not sealed.
pub(crate) const UNSEALED: &str = "The private keys are not sealed at rest: whoever can read the database or a backup of \
                                   it can act as this application. Seal them with a passphrase or a key file.";

fn own_problems(snapshot: &Snapshot, now: UnixMillis) -> Vec<String> {
    let Some(own) = &snapshot.own else {
        return vec!["This application has no identity yet: make one with `taa init`.".to_owned()];
    };
    let ended = own.keys.iter().filter(|key| key.status == KeyStatus::Current && !now.is_before(key.exp));
    let mut problems: Vec<_> =
        ended.map(|key| format!("This application's {} key has ended: rotate it.", key.purpose)).collect();
    if snapshot.secrets.is_none() {
        problems.push("The private keys of this application cannot be used.".to_owned());
    }
    problems
}

fn record_problems(snapshot: &Snapshot) -> Vec<String> {
    let broken =
        |id: &str, what| format!("The record of the {what} {id} cannot be read: it counts as unknown.");
    let mut problems = Vec::new();
    for row in &snapshot.applications {
        match row {
            Row::Broken { id, .. } => problems.push(broken(id, "application")),
            Row::Good(application) => {
                if let Some(other) =
                    application.refreshed.as_ref().and_then(|last| last.other_base_url.as_ref())
                {
                    problems.push(format!("{} may have a clone at {other}.", application.id));
                }
            }
        }
    }
    for row in &snapshot.servers {
        if let Row::Broken { id, .. } = row {
            problems.push(broken(id, "server"));
        }
    }
    problems
}

fn node_problems(nodes: &[NodeView]) -> Vec<String> {
    let here: Vec<_> = nodes.iter().filter(|node| !node.gone).collect();
    let mut problems = Vec::new();
    let alone = here.iter().filter(|node| !node.node.shared_nonces).count();
    if here.len() > 1 && alone > 0 {
        problems.push(format!(
            "{} nodes answer for this application, and {alone} of them do not share their nonces: a request can be \
             repeated at another node.",
            here.len()
        ));
    }
    let first = here.first().map(|node| node.node.software.as_str());
    if here.iter().any(|node| Some(node.node.software.as_str()) != first) {
        problems.push("Nodes run different versions of this software.".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(label: &str, software: &str, shared_nonces: bool, gone: bool) -> NodeView {
        NodeView {
            node: Node {
                id: label.into(),
                label: label.into(),
                software: software.into(),
                shared_nonces,
                started: UnixMillis(1),
                last_seen: UnixMillis(1),
            },
            gone,
        }
    }

    #[test]
    fn nodes_that_do_not_fit_together() {
        assert!(node_problems(&[]).is_empty());
        assert!(node_problems(&[node("a", "1", false, false), node("b", "2", false, true)]).is_empty());
        assert!(node_problems(&[node("a", "1", true, false), node("b", "1", true, false)]).is_empty());
        let both = node_problems(&[node("a", "1", true, false), node("b", "2", false, false)]);
        assert_eq!(both.len(), 2, "{both:?}");
        assert!(both[0].starts_with("2 nodes answer") && both[1].contains("different versions"));
    }
}
