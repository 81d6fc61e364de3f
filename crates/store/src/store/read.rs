//! Reading: all rows in one transaction, then all values, away from the threads that serve requests. What was expensive
//! and has not changed is taken over from the time before.

mod own;
mod peers;
mod rows;

use std::collections::HashMap;

use sqlx::AnyConnection;
use taa_core::certificate::{Certificate, CertificateError};
use taa_core::crypto::CryptoProvider;
use taa_core::id::KeyId;
use taa_core::time::UnixMillis;

pub(super) use own::{OwnRow, OwnRows, PrivateKey};
pub(super) use peers::{application, certificate_keys, peer_keys, server};
pub(super) use rows::Rows;

use super::audit::Link;
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{RevokedUser, Snapshot};
use crate::seal::Kek;

/// What tells whether a snapshot is the newest. The end of the audit trail is part of it: a database that was put back and
/// changed since may have come to the same numbers, not to the same trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) own_generation: u64,
    uses: u64,
    trail: Link,
}

impl State {
    pub(super) async fn read(at: &mut AnyConnection) -> Result<Self, StoreError> {
        let select = "SELECT generation, own_generation, uses, audit_seq, audit_hash FROM taa_state";
        let row = db::first(at, sqlx::query(select)).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("the state of the store is gone".into()))?;
        Ok(Self {
            generation: row.number("generation")?,
            own_generation: row.number("own_generation")?,
            uses: row.number("uses")?,
            trail: Link::of_state(&row)?,
        })
    }
}

/// What is taken over from one reading to the next.
#[derive(Default)]
pub(super) struct Cache {
    seen: Option<State>,
    /// Where the trail ended when it was last read well.
    trail: Link,
    /// Certificates by their document.
    certificates: HashMap<String, Certificate>,
    own: own::OwnCache,
}

impl Cache {
    /// What was published last.
    pub(super) fn seen(&self) -> Option<&State> {
        self.seen.as_ref()
    }

    /// Whether the trail in the database still goes through where it ended before. It does unless an older copy of the
    /// database, or another one, stands in its place.
    pub(super) async fn is_past_of(&self, at: &mut AnyConnection) -> Result<bool, StoreError> {
        self.trail.is_in(at).await
    }

    /// Takes everything out but where the trail ended: whoever reads may go away before it is put back.
    pub(super) fn take(&mut self) -> Self {
        let left = Self { trail: self.trail.clone(), ..Self::default() };
        std::mem::replace(self, left)
    }

    /// What is left of it when the database has another past than the one that was read.
    pub(super) fn without_own_keys(self) -> Self {
        Self { own: own::OwnCache::default(), ..self }
    }

    /// Makes a snapshot of the rows. Records of peers that cannot be read are named in it; everything else must be
    /// readable.
    pub(super) fn read(
        mut self,
        rows: Rows,
        provider: &dyn CryptoProvider,
        kek: Option<&Kek>,
    ) -> (Self, Result<Snapshot, StoreError>) {
        let before = std::mem::take(&mut self.certificates);
        let mut certificates = Certificates { provider, before, now: HashMap::new() };
        let snapshot = read(&rows, &mut certificates, &mut self.own, kek);
        self.certificates = certificates.now;
        self.seen = snapshot.is_ok().then_some(rows.state);
        if let Some(seen) = &self.seen {
            self.trail = seen.trail.clone();
        }
        (self, snapshot)
    }
}

fn read(
    rows: &Rows,
    certificates: &mut Certificates<'_>,
    cache: &mut own::OwnCache,
    kek: Option<&Kek>,
) -> Result<Snapshot, StoreError> {
    let (own, secrets) = cache.read(&rows.own, rows.state.own_generation, certificates, kek)?.unzip();
    let (applications, servers) = peers::read(rows, own.as_ref(), certificates)?;
    let revoked_users = rows.revoked_users.iter().map(|row| {
        let text = row.text("pattern")?;
        let pattern = text.parse().map_err(|_| StoreError::Unreadable(format!("revoked user {text:?}")))?;
        Ok(RevokedUser { pattern, revoked: row.stamp("revoked_at", "revoked_by")? })
    });
    Ok(Snapshot {
        generation: rows.state.generation,
        trail: rows.state.trail.hash.clone(),
        set_back: None,
        own,
        secrets,
        applications,
        servers,
        revoked_users: revoked_users.collect::<Result<_, StoreError>>()?,
    })
}

/// Reads certificates, each document once.
pub(super) struct Certificates<'a> {
    provider: &'a dyn CryptoProvider,
    before: HashMap<String, Certificate>,
    now: HashMap<String, Certificate>,
}

impl<'a> Certificates<'a> {
    /// For documents that were not read before.
    pub(super) fn new(provider: &'a dyn CryptoProvider) -> Self {
        Self { provider, before: HashMap::new(), now: HashMap::new() }
    }

    /// A held document, as of a time before every end: whether its signing key has ended meanwhile is looked at when
    /// that key is used.
    pub(super) fn read(&mut self, document: String) -> Result<Certificate, CertificateError> {
        if let Some(known) = self.now.get(&document) {
            return Ok(known.clone());
        }
        let certificate = match self.before.remove(&document) {
            Some(known) => known,
            None => Certificate::verify(self.provider, &document, UnixMillis(0))?,
        };
        self.now.insert(document, certificate.clone());
        Ok(certificate)
    }
}

fn key_id(text: &str) -> Result<KeyId, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable(format!("key id {text:?}")))
}
