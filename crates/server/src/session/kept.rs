use std::fmt;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;

use taa_core::decision::Session;
use taa_core::id::AppId;

use super::SessionName;

/// A session with what a [`SessionTable`](super::SessionTable) notes of it, in one piece of memory: whoever finds it has it.
pub struct Kept<S> {
    pub(super) name: SessionName,
    /// When it was last used: a number that only grows, the same for uses between two openings.
    pub(super) used: AtomicU64,
    /// The `used` under which the ledger has filed it.
    pub(super) filed: AtomicU64,
    pub(super) session: S,
}

/// What a table has to know of a session.
pub trait Tabled {
    /// The application that opened it.
    fn application(&self) -> &AppId;
}

impl<S> Deref for Kept<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.session
    }
}

impl<S: AsRef<Session>> AsRef<Session> for Kept<S> {
    fn as_ref(&self) -> &Session {
        self.session.as_ref()
    }
}

impl<S: fmt::Debug> fmt::Debug for Kept<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}
