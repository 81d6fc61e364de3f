use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use taa_core::id::{AppId, KeyId};
use taa_core::time::UnixMillis;

/// When what was last used, until it is written. As large as there are applications, servers and keys.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Newest>);

type Newest = HashMap<AppId, HashMap<Option<KeyId>, UnixMillis>>;

impl Uses {
    pub(super) fn note(&self, id: &AppId, key: Option<KeyId>, at: UnixMillis) {
        let mut newest = self.newest();
        // Without a copy of the id but for the first time.
        if let Some(keys) = newest.get_mut(id) {
            let known = keys.entry(key).or_default();
            *known = at.max(*known);
        } else {
            newest.insert(id.clone(), HashMap::from([(key, at)]));
        }
    }

    pub(super) fn all(&self) -> Vec<(AppId, Option<KeyId>, UnixMillis)> {
        let newest = self.newest();
        let of = |(id, keys): (&AppId, &HashMap<Option<KeyId>, UnixMillis>)| {
            keys.iter().map(|(key, at)| (id.clone(), *key, *at)).collect::<Vec<_>>()
        };
        newest.iter().flat_map(of).collect()
    }

    /// Forgets what was written and has not been used since.
    pub(super) fn written(&self, written: &[(AppId, Option<KeyId>, UnixMillis)]) {
        let mut newest = self.newest();
        for (id, key, at) in written {
            let Some(keys) = newest.get_mut(id) else { continue };
            keys.retain(|held, used| held != key || *used > *at);
            if keys.is_empty() {
                newest.remove(id);
            }
        }
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_until_it_is_written() {
        let (wiki, key) = (AppId::parse("wiki").unwrap(), KeyId::from_bytes([1; 32]));
        let uses = Uses::default();
        uses.note(&wiki, Some(key), UnixMillis(2));
        uses.note(&wiki, Some(key), UnixMillis(1));
        uses.note(&wiki, None, UnixMillis(1));
        let mut all = uses.all();
        all.sort_by_key(|(_, _, at)| *at);
        assert_eq!(all, [(wiki.clone(), None, UnixMillis(1)), (wiki.clone(), Some(key), UnixMillis(2))]);
        uses.note(&wiki, Some(key), UnixMillis(3));
        uses.written(&all);
        assert_eq!(uses.all(), [(wiki.clone(), Some(key), UnixMillis(3))]);
        uses.written(&uses.all());
        assert!(uses.all().is_empty());
    }
}
