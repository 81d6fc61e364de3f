//! What was fetched and waits for a person.

use taa_core::certificate::Certificate;
use taa_core::crypto::CryptoProvider;
use taa_core::legacy::{CertificatePage, MAGIC};
use taa_core::time::UnixMillis;
use url::Url;

use super::Store;
use super::detail::Detail;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{Action, Pending, PendingId, Presented};

impl Store {
    /// Keeps what was fetched until a person has compared it. That it was fetched goes into the audit trail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_pending(&self, pending: Pending) -> Result<(), StoreError> {
        let mut change = self.change(&pending.fetched.by).await?;
        let lapsed = change.at().0.saturating_sub(Pending::LAPSES_AFTER);
        let lapsed = sqlx::query("DELETE FROM taa_pending WHERE fetched_at <= $1").bind(db::number(lapsed));
        change.execute(lapsed).await?;
        let (kind, body) = written(&pending.presented);
        let insert = "INSERT INTO taa_pending (id, base_url, kind, body, insecure_http, fetched_at, fetched_by) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let insert = sqlx::query(insert)
            .bind(pending.id.as_str().to_owned())
            .bind(pending.base_url.to_string())
            .bind(kind)
            .bind(body)
            .bind(db::flag(pending.insecure_http))
            .bind(db::number(pending.fetched.at.0))
            .bind(pending.fetched.by.as_str().to_owned());
        change.execute(insert).await?;
        let detail = Detail::new()
            .with("base_url", pending.base_url.as_str())
            .with("kind", kind)
            .with("fingerprint", pending.fingerprint())
            .with("insecure_http", pending.insecure_http);
        change.audit(Action::CertificateFetched, pending.app_id().as_str(), detail).await?;
        change.commit().await.map(drop)
    }

    /// What was fetched, while it has not lapsed.
    ///
    /// # Errors
    /// When it is not there or has lapsed, cannot be read, or the database fails.
    pub async fn pending(&self, id: &PendingId) -> Result<Pending, StoreError> {
        let gone =
            || StoreError::NotFound("such pending certificate: it was saved, given up, or has lapsed".into());
        let mut connection = self.connection().await?;
        let select = sqlx::query("SELECT * FROM taa_pending WHERE id = $1").bind(id.as_str().to_owned());
        let row = db::first(&mut connection, select).await?.ok_or_else(gone)?;
        let base_url = Url::parse(&row.text("base_url")?);
        let pending = Pending {
            id: id.clone(),
            base_url: base_url.map_err(|_| StoreError::Unreadable("base URL".into()))?,
            presented: read(&*self.0.provider, &row.text("kind")?, &row.text("body")?)?,
            insecure_http: row.flag("insecure_http")?,
            fetched: row.stamp("fetched_at", "fetched_by")?,
        };
        if pending.lapsed(self.now()?) { Err(gone()) } else { Ok(pending) }
    }

    /// Forgets it: it was saved or given up. That it is not there is no error.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_pending(&self, id: &PendingId) -> Result<(), StoreError> {
        let (mut connection, _turn) = self.writing().await?;
        let delete = "DELETE FROM taa_pending WHERE id = $1 OR fetched_at <= $2";
        let lapsed = self.now()?.0.saturating_sub(Pending::LAPSES_AFTER);
        let delete = sqlx::query(delete).bind(id.as_str().to_owned()).bind(db::number(lapsed));
        db::execute(&mut connection, delete).await.map(drop)
    }
}

const CERTIFICATE: &str = "certificate";
const PAGE: &str = "page";

fn written(presented: &Presented) -> (&'static str, String) {
    match presented {
        Presented::Certificate(certificate) => (CERTIFICATE, certificate.document().to_owned()),
        Presented::LegacyPage(page) => {
            let lines = format!("{}\n{}", page.app_id, page.key.page_line());
            let rest = page.version.map(|version| format!("\n{version}\n{MAGIC}")).unwrap_or_default();
            (PAGE, lines + &rest)
        }
    }
}

fn read(provider: &dyn CryptoProvider, kind: &str, body: &str) -> Result<Presented, StoreError> {
    match kind {
        // It was verified when it was fetched, less than an hour ago.
        CERTIFICATE => Certificate::verify(provider, body, UnixMillis(0))
            .map(|certificate| Presented::Certificate(Box::new(certificate)))
            .map_err(|error| StoreError::Unreadable(format!("pending certificate: {error}"))),
        PAGE => CertificatePage::read(body)
            .map(Presented::LegacyPage)
            .map_err(|error| StoreError::Unreadable(format!("pending page: {error}"))),
        _ => Err(StoreError::Unreadable("kind of a pending certificate".into())),
    }
}
