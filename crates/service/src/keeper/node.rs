use std::sync::{Mutex, PoisonError};

use taa_core::crypto::{Random, SystemRandom};
use taa_core::time::UnixMillis;
use taa_store::model::Node;
use taa_store::{Store, StoreError};

use super::problem::Problem;

/// This process in the list of those that answer for this application.
#[derive(Debug)]
pub(super) struct ThisNode {
    id: String,
    label: String,
    started: UnixMillis,
    /// The others, while they are a problem.
    others: Mutex<Vec<Problem>>,
}

impl ThisNode {
    pub(super) fn new(store: &Store, label: Option<&str>) -> Result<Self, StoreError> {
        let mut id = [0; 8];
        SystemRandom.fill(&mut id).map_err(|_| StoreError::Random)?;
        Ok(Self {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            label: label.map_or_else(usual_label, str::to_owned),
            started: store.clock().wall().map_err(|_| StoreError::Time)?,
            others: Mutex::default(),
        })
    }

    /// Says that it is there, and looks who else is.
    pub(super) async fn beat(&self, store: &Store, shared_nonces: bool) {
        let Ok(last_seen) = store.clock().wall() else { return };
        let node = Node {
            id: self.id.clone(),
            label: self.label.clone(),
            software: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).into(),
            shared_nonces,
            started: self.started,
            last_seen,
        };
        let nodes = match store.note_node(&node).await {
            Ok(()) => store.nodes().await,
            Err(error) => Err(error),
        };
        match nodes {
            Ok(nodes) => self.look(if shared_nonces { &[] } else { &nodes }),
            // That the store fails is logged where it is followed.
            Err(error) => tracing::debug!(target: "taa", %error, "this node could not say that it is there"),
        }
    }

    /// One that has said nothing since this process started may have been the one before it.
    fn look(&self, nodes: &[Node]) {
        let others = nodes.iter().filter(|node| node.id != self.id && node.last_seen > self.started);
        let found: Vec<_> = others.map(|node| Problem::AnotherNode { label: node.label.clone() }).collect();
        let mut known = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in found.iter().filter(|problem| !known.contains(problem)) {
            tracing::error!(target: "taa", "{problem}");
        }
        *known = found;
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says that it goes, so that nobody has to wait until it is missed.
    pub(super) async fn leave(&self, store: &Store) {
        if let Err(error) = store.remove_node(&self.id).await {
            tracing::debug!(target: "taa", %error, "this node could not say that it goes");
        }
    }
}

fn usual_label() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let process = std::process::id();
    match host.trim() {
        "" => format!("process {process}"),
        host => format!("{host}, process {process}"),
    }
}
