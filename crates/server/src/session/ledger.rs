use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use taa_core::id::AppId;
use taa_core::time::UnixMillis;

use super::SessionName;

/// One session as the table holds it.
pub(super) struct Entry<S> {
    pub(super) name: SessionName,
    pub(super) app: AppId,
    pub(super) expires: UnixMillis,
    pub(super) value: Arc<S>,
    /// When it was last used: numbers that only grow.
    pub(super) used: AtomicU64,
    /// The `used` under which the ledger has filed it. Touched under the ledger's lock only.
    pub(super) filed: AtomicU64,
}

/// Who has which sessions, in the order of use, and when they end. For the slow ways: opening and removing.
///
/// A look-up does not come here; it only writes `used` in the entry. So sessions are filed under the `used` that they had when
/// they were last looked at here, which is never above the true one. The one filed lowest whose `used` has not changed since
/// is the least recently used of all; one that has changed is filed anew. Each such move was paid for by a use.
pub(super) struct Ledger<S> {
    by_application: HashMap<AppId, BTreeMap<u64, Arc<Entry<S>>>>,
    by_end: BTreeMap<(UnixMillis, SessionName), Arc<Entry<S>>>,
}

impl<S> Ledger<S> {
    pub(super) fn new() -> Self {
        Self { by_application: HashMap::new(), by_end: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_end.len()
    }

    pub(super) fn len_of(&self, app: &AppId) -> usize {
        self.by_application.get(app).map_or(0, BTreeMap::len)
    }

    pub(super) fn add(&mut self, entry: Arc<Entry<S>>) {
        let used = entry.used.load(Ordering::Relaxed);
        entry.filed.store(used, Ordering::Relaxed);
        self.by_end.insert((entry.expires, entry.name), entry.clone());
        self.by_application.entry(entry.app.clone()).or_default().insert(used, entry);
    }

    pub(super) fn remove(&mut self, entry: &Entry<S>) {
        self.by_end.remove(&(entry.expires, entry.name));
        if let Some(own) = self.by_application.get_mut(&entry.app) {
            own.remove(&entry.filed.load(Ordering::Relaxed));
            if own.is_empty() {
                self.by_application.remove(&entry.app);
            }
        }
    }

    /// One that is over at this time.
    pub(super) fn over(&self, now: UnixMillis) -> Option<Arc<Entry<S>>> {
        let (_, first) = self.by_end.first_key_value()?;
        (first.expires <= now).then(|| first.clone())
    }

    /// The one of this application that was used least recently.
    pub(super) fn least_recently_used(&mut self, app: &AppId) -> Option<Arc<Entry<S>>> {
        let own = self.by_application.get_mut(app)?;
        // Look-ups go on meanwhile. Each session is filed anew at most once here, so this ends.
        for _ in 0..own.len() {
            let (filed, entry) = own.pop_first()?;
            let used = entry.used.load(Ordering::Relaxed);
            let unchanged = used == filed;
            entry.filed.store(used, Ordering::Relaxed);
            own.insert(used, entry.clone());
            if unchanged {
                return Some(entry);
            }
        }
        own.first_key_value().map(|(_, entry)| entry.clone())
    }

    /// The application that has most.
    pub(super) fn largest(&self) -> Option<AppId> {
        self.by_application.iter().max_by_key(|(_, own)| own.len()).map(|(app, _)| app.clone())
    }

    pub(super) fn of_application(&self, app: &AppId) -> Vec<Arc<Entry<S>>> {
        self.by_application.get(app).map(|own| own.values().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Entry<S>>> {
        self.by_end.values()
    }
}
