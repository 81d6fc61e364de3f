//! Where both applications keep their trust, if they do.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use example_support::{Secret, write_secret_file};
use sqlx::{Connection as _, PgConnection};
use url::Url;

/// One database for each side. A password in it is shown nowhere.
#[derive(Clone)]
pub(crate) enum Place {
    /// A folder with a file for each.
    Sqlite(PathBuf),
    /// A database with a schema for each.
    Postgres(Url),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(dir) => write!(f, "Sqlite({})", dir.display()),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// Who keeps something there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Tracker,
    Wiki,
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.parse()?));
        }
        match text.strip_prefix("sqlite:") {
            Some(dir) if !dir.is_empty() => Ok(Self::Sqlite(dir.into())),
            _ => bail!("a store is sqlite:DIR or postgres://USER@HOST/DATABASE"),
        }
    }
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Wiki => "wiki",
        }
    }
}

impl Place {
    /// Makes the folder or the schemas, if they are not there.
    pub(crate) async fn prepare(&self) -> Result<()> {
        match self {
            Self::Sqlite(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url.as_str()).await.context("the database")?;
                for schema in [
                    "CREATE SCHEMA IF NOT EXISTS taa_demo_tracker",
                    "CREATE SCHEMA IF NOT EXISTS taa_demo_wiki",
                ] {
                    sqlx::raw_sql(schema).execute(&mut connection).await.context("the database")?;
                }
                Ok(connection.close().await?)
            }
        }
    }

    /// The options that send one side there.
    pub(crate) fn options(&self, side: Side) -> Vec<String> {
        match self {
            Self::Sqlite(dir) => {
                let file = |end: &str| dir.join(format!("{}{end}", side.name())).display().to_string();
                vec![format!("--store=sqlite:{}", file(".db")), format!("--key-file={}", file(".key"))]
            }
            Self::Postgres(url) => {
                let mut url = url.clone();
                let path = format!("-csearch_path=taa_demo_{}", side.name());
                url.query_pairs_mut().append_pair("options", &path);
                vec![format!("--store={url}")]
            }
        }
    }

    /// The file with the administrator's password, made with a random one when there is none. A database has none: it is
    /// named by an option.
    pub(crate) fn password_file(&self) -> Result<Option<PathBuf>> {
        let Self::Sqlite(dir) = self else { return Ok(None) };
        let file = dir.join("admin-password");
        if !file.exists() {
            write_secret_file(&file, &Secret::random()?.reveal())?;
        }
        Ok(Some(file))
    }

    /// Whether several nodes can share it.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}
