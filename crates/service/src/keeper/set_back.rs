//! The fence where marks of it are lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use taa_core::durable::Mark;
use taa_core::legacy::EARLY;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use taa_store::Store;

const FENCE: Duration = Duration::from_secs(60);

/// What stands in for the marks of a time of which none tells: nothing of that time is accepted by a process that begins
/// with these. Peers of the older versions date their requests ahead.
pub(super) fn lost_marks(now: UnixMillis) -> [Mark; 3] {
    [(Protocol::V4, FENCE), (Protocol::V3, FENCE + EARLY), (Protocol::V2, FENCE + EARLY)]
        .map(|(protocol, ahead)| Mark { application: None, protocol, at: now.plus(ahead) })
}

/// Writes marks anew after an older copy of the store was put in its place. This process knows in its memory what it
/// accepted; the next one would know by the marks of the copy alone.
#[derive(Debug, Default)]
pub(super) struct SetBack {
    /// The last one of which the marks are written, in Unix milliseconds.
    written: AtomicU64,
}

impl SetBack {
    pub(super) async fn write_marks(&self, store: &Store) {
        let Some(at) = store.snapshot().set_back.filter(|at| at.0 != self.written.load(Ordering::Relaxed))
        else {
            return;
        };
        for mark in lost_marks(at) {
            if let Err(error) = store.raise_mark_for_all(mark.protocol, mark.at).await {
                // The next beat tries again.
                tracing::debug!(target: "taa", %error, "the marks could not be written anew");
                return;
            }
        }
        self.written.store(at.0, Ordering::Relaxed);
    }
}
