use std::sync::Arc;

use http::Uri;
use taa_core::id::AppId;

use crate::base_url::Origin;
use crate::error::BuildError;
use crate::server::Server;

/// The servers of a signer, found by URL.
///
/// They are sorted by origin, and those of one origin with the longest base path first.
#[derive(Clone, Debug)]
pub(crate) struct Servers(Vec<Arc<Server>>);

impl Servers {
    pub(crate) fn with_room(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// The server that a request to this URI is for.
    pub(crate) fn find(&self, uri: &Uri) -> Option<&Arc<Server>> {
        let origin = Origin::of(uri)?;
        let compared = |server: &Server| server.record().base().origin().compare(&origin);
        let first = self.0.partition_point(|server| compared(server).is_lt());
        let path = uri.path();
        let mut of_origin = self.0.iter().skip(first).take_while(|server| compared(server).is_eq());
        of_origin.find(|server| server.record().base().covers_path(path))
    }

    /// # Errors
    /// When it could not be told apart from another.
    pub(crate) fn add(&mut self, server: Server) -> Result<(), BuildError> {
        for other in self.iter().map(|server| server.record()) {
            if other.id() == server.record().id() {
                return Err(BuildError::SameId(other.id().clone()));
            }
            if other.base().same_place(server.record().base()) {
                return Err(BuildError::SameBaseUrl(server.record().base_url().clone()));
            }
        }
        self.0.push(Arc::new(server));
        self.0.sort_by(|one, other| {
            let (one, other) = (one.record().base(), other.record().base());
            one.origin().compare(&other.origin()).then(other.path().len().cmp(&one.path().len()))
        });
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: &AppId) -> Option<Arc<Server>> {
        let at = self.iter().position(|server| server.record().id() == id)?;
        Some(self.0.remove(at))
    }

    /// Takes these out.
    pub(crate) fn take(&mut self, which: impl Fn(&Server) -> bool) -> Vec<Arc<Server>> {
        let (taken, kept) = self.0.drain(..).partition(|server| which(server));
        self.0 = kept;
        taken
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.0.iter()
    }
}
