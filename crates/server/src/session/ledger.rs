use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use taa_core::id::AppId;

use super::{Kept, SessionName, Tabled};

/// Who has which sessions, in the order of use. For the slow ways: opening and removing.
///
/// A look-up does not come here; it only writes `used` in the session. So sessions are filed under the `used` that they had
/// when they were last looked at here, which is never above the true one. The one filed lowest whose `used` has not changed
/// since is the least recently used of all; one that has changed is filed anew. Each such move was paid for by a use.
pub(super) struct Ledger<S> {
    /// By the number under which each is filed and its name, the lowest first.
    by_application: HashMap<AppId, VecDeque<Arc<Kept<S>>>>,
    len: usize,
}

impl<S: Tabled> Ledger<S> {
    pub(super) fn new() -> Self {
        Self { by_application: HashMap::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn len_of(&self, app: &AppId) -> usize {
        self.by_application.get(app).map_or(0, VecDeque::len)
    }

    pub(super) fn add(&mut self, kept: Arc<Kept<S>>) {
        let own = self.by_application.entry(kept.application().clone()).or_default();
        if own.len() == own.capacity() {
            // By an eighth, not by as much again: the queue is a twentieth of what a session takes, and shall stay that.
            own.reserve_exact(own.len() / 8 + 4);
        }
        file(own, kept);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, kept: &Kept<S>) {
        let Some(own) = self.by_application.get_mut(kept.application()) else { return };
        if let Ok(at) = own.binary_search_by_key(&place(kept), |other| place(other)) {
            own.remove(at);
            self.len -= 1;
        }
        if own.is_empty() {
            self.by_application.remove(kept.application());
        } else if own.capacity() > 64 && own.capacity() > 4 * own.len() {
            own.shrink_to(2 * own.len());
        }
    }

    /// The one of this application that was used least recently.
    pub(super) fn least_recently_used(&mut self, app: &AppId) -> Option<Arc<Kept<S>>> {
        let own = self.by_application.get_mut(app)?;
        // Look-ups go on meanwhile. Each session is filed anew at most once here, so this ends.
        for _ in 0..own.len() {
            let first = own.front()?;
            if first.used.load(Ordering::Relaxed) == filed(first) {
                break;
            }
            let first = own.pop_front()?;
            file(own, first);
        }
        own.front().cloned()
    }

    /// The application that has most.
    pub(super) fn largest(&self) -> Option<AppId> {
        self.by_application.iter().max_by_key(|(_, own)| own.len()).map(|(app, _)| app.clone())
    }

    pub(super) fn of_application(&self, app: &AppId) -> Vec<Arc<Kept<S>>> {
        self.by_application.get(app).map(|own| own.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Kept<S>>> {
        self.by_application.values().flatten()
    }
}

/// Puts a session in its place, nearly always the last.
fn file<S>(own: &mut VecDeque<Arc<Kept<S>>>, kept: Arc<Kept<S>>) {
    let used = kept.used.load(Ordering::Relaxed);
    kept.filed.store(used, Ordering::Relaxed);
    let at = own.partition_point(|other| place(other) < (used, kept.name));
    own.insert(at, kept);
}

/// Where it stands in its application's queue. Names tell those apart that were used at once.
fn place<S>(kept: &Kept<S>) -> (u64, SessionName) {
    (filed(kept), kept.name)
}

/// Written under the ledger's lock only.
fn filed<S>(kept: &Kept<S>) -> u64 {
    kept.filed.load(Ordering::Relaxed)
}
