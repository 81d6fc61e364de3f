use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use taa_core::crypto::{CryptoProvider, Random, SystemRandom};
use taa_core::time::{Clock, SystemClock};
use url::Url;

use crate::seal::SealKey;

/// Where a store is: `sqlite:PATH` (or just a path), `postgres://…`. A password in it is shown nowhere.
///
/// A path takes no parameters, and a store in memory (`:memory:`) is refused: it would forget whom to trust. Of the
/// parameters of PostgreSQL, `options=-csearch_path%3DNAME` puts the tables into a schema of their own.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(pub(crate) Place);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Sqlite(std::path::PathBuf),
    Postgres(Url),
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self(Place::Postgres(text.parse().map_err(|_| StoreUrlError)?)));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" || path.contains("://") || path.contains(['\0', '?']) {
            return Err(StoreUrlError);
        }
        Ok(Self(Place::Sqlite(path.into())))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres(url) => {
                let mut url = url.clone();
                if url.password().is_some() && url.set_password(Some("***")).is_err() {
                    return f.write_str("postgres:(unprintable)");
                }
                // Parameters may hold a password as well.
                url.set_query(None);
                url.fmt(f)
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// A text is no place of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store is sqlite:PATH or postgres://USER@HOST/DATABASE")]
pub struct StoreUrlError;

/// How a [`Store`](crate::Store) is opened.
#[derive(Clone, Debug)]
#[must_use]
pub struct OpenOptions {
    pub(crate) url: StoreUrl,
    pub(crate) seal: SealKey,
    pub(crate) provider: Arc<dyn CryptoProvider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl OpenOptions {
    /// A store at `url`; RSA by `provider`.
    pub fn new(url: StoreUrl, provider: Arc<dyn CryptoProvider>) -> Self {
        Self {
            url,
            seal: SealKey::default(),
            provider,
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        }
    }

    /// What private keys are sealed under.
    pub fn seal(mut self, seal: SealKey) -> Self {
        self.seal = seal;
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of randomness than the system's.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<StoreUrl>().unwrap().to_string()
    }

    #[test]
    fn places() {
        assert_eq!(shown("sqlite:trust.db"), "sqlite:trust.db");
        assert_eq!(shown("sqlite:///var/lib/taa/trust.db"), "sqlite:/var/lib/taa/trust.db");
        assert_eq!(shown("/var/lib/taa/trust.db"), "sqlite:/var/lib/taa/trust.db");
        assert_eq!(shown("postgresql://db.example/trust"), "postgresql://db.example/trust");
        let none = ["", "sqlite:", "sqlite::memory:", ":memory:", "mysql://db/x", "a\0b", "sqlite:a?mode=ro"];
        for text in none {
            assert_eq!(text.parse::<StoreUrl>(), Err(StoreUrlError), "{text:?}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let url: StoreUrl = "postgres://taa:hunter2@db.example/trust?password=hunter3".parse().unwrap();
        for text in
            [url.to_string(), format!("{url:?}"), format!("{:?}", OpenOptions::new(url.clone(), provider()))]
        {
            assert!(!text.contains("hunter") && text.contains("db.example"), "{text}");
        }
    }

    fn provider() -> Arc<dyn CryptoProvider> {
        Arc::new(taa_core::crypto::AwsLc)
    }
}
