use url::Url;

use crate::error::StoreError;
use crate::open::Place;

/// Which database it is, as far as that makes a difference after opening.
#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite,
    Postgres {
        /// Where to listen for changes.
        #[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "it never comes to that"))]
        url: Url,
        /// What changes are announced on. One for each schema: there may be several stores in one database.
        channel: String,
    },
}

impl Engine {
    /// Refuses a database that was not compiled in.
    pub(crate) fn compiled_in(place: &Place) -> Result<(), StoreError> {
        match place {
            Place::Sqlite(_) if !cfg!(feature = "sqlite") => Err(StoreError::Feature("sqlite")),
            Place::Postgres(_) if !cfg!(feature = "postgres") => Err(StoreError::Feature("postgres")),
            _ => Ok(()),
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// Begins a transaction that writes. With PostgreSQL a change waits for the one before and then sees what that one
    /// did, whatever level the server is set to otherwise.
    pub(crate) fn begin_writing(&self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Begins a transaction that sees the database as it is at its first read.
    pub(crate) fn begin_reading(&self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}
