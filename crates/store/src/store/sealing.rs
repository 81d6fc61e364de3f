//! How private keys lie in the database.

use std::sync::Arc;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use taa_core::id::{AppId, KeyId};

use super::change::Change;
use super::detail::Detail;
use super::read::OwnRows;
use super::{Store, aside};
use crate::db::{self, Columns, Engine};
use crate::error::StoreError;
use crate::model::{Action, Actor, KeyPurpose};
use crate::seal::{Cost, Kek, SealError, SealKey, SealState};

impl Store {
    /// Seals all private keys anew under another passphrase or key file. Processes that have the store open go on with
    /// the keys they know; for new ones they have to be started again with the new passphrase or key file.
    ///
    /// What lay in the clear before is overwritten in SQLite's file. PostgreSQL keeps old rows and its log for a while, as
    /// does every backup: keys that were in the clear there are safe only once they were replaced.
    ///
    /// [`SealKey::InsecureNone`] puts them in the clear.
    ///
    /// # Errors
    /// When this process does not hold the seal that is in force, the passphrase is empty, or the database fails. Then
    /// the keys lie as they did.
    pub async fn reseal(&self, seal: SealKey, by: &Actor) -> Result<(), StoreError> {
        let kind = seal.kind();
        let random = Arc::clone(&self.0.random);
        let (kek, state) = aside(move || Kek::make(&seal, &*random)).await?;
        let mut change = self.change(by).await?;
        change.check_seal().await?;
        let old = SealState::read(change.connection()).await?.kind();
        let keys = change.reseal(kek.as_ref(), &state).await?;
        let detail = Detail::new().with("old", old).with("new", kind).with("keys", keys);
        change.audit(Action::StoreResealed, "store", detail).await?;
        change.use_kek(kek);
        change.scrub_after();
        change.commit().await?;
        if kind == SealKey::InsecureNone.kind() {
            warn();
        }
        Ok(())
    }

    /// Takes what was given for opening the private keys.
    pub(super) async fn unlock(&self, given: SealKey) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let mut state = SealState::read(&mut connection).await?;
        drop(connection);
        if state == SealState::None {
            if matches!(given, SealKey::InsecureNone) {
                warn();
                return Ok(());
            }
            match self.seal_first(&given).await? {
                None => return Ok(()),
                Some(sealed_meanwhile) => state = sealed_meanwhile,
            }
        }
        let kek = aside(move || Kek::open(&given, &state)).await?;
        self.set_kek(kek);
        Ok(())
    }

    /// Seals a store that was not, when it is opened. Another process may have been first: then its seal.
    async fn seal_first(&self, given: &SealKey) -> Result<Option<SealState>, StoreError> {
        let kind = given.kind();
        let (given, random) = (given.clone(), Arc::clone(&self.0.random));
        let (kek, state) = aside(move || Kek::make(&given, &*random)).await?;
        let mut change = self.change(&Actor::system()).await?;
        let found = SealState::read(change.connection()).await?;
        if found != SealState::None {
            return Ok(Some(found));
        }
        let keys = change.reseal(kek.as_ref(), &state).await?;
        if keys > 0 {
            let detail = Detail::new().with("old", found.kind()).with("new", kind).with("keys", keys);
            change.audit(Action::StoreResealed, "store", detail).await?;
            change.scrub_after();
        }
        change.use_kek(kek);
        change.commit().await?;
        Ok(None)
    }

    /// Has SQLite put its log into the file, in which what was deleted is overwritten, and empty it.
    pub(super) async fn scrub(&self) {
        if !matches!(self.0.engine, Engine::Sqlite) {
            return;
        }
        let scrubbed = async {
            let mut connection = self.connection().await?;
            let row = db::first(&mut connection, sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")).await?;
            match row.map(|row| row.flag("busy")).transpose()? {
                Some(true) => Err(StoreError::Database("others are reading".into())),
                _ => Ok(()),
            }
        };
        if let Err(error) = scrubbed.await {
            tracing::warn!(target: "taa", %error, "old private keys may still lie in the log of the database");
        }
    }
}

fn warn() {
    tracing::warn!(
        target: "taa",
        "private keys lie in the store in the clear: whoever can read it can act as this application; seal it with a \
         passphrase or a key file"
    );
}

impl Change {
    /// Refuses to write keys under a seal that is not in force any more.
    pub(super) async fn check_seal(&mut self) -> Result<(), StoreError> {
        let state = SealState::read(self.connection()).await?;
        match (self.store().kek(), state.verifier()) {
            (None, None) => Ok(()),
            (Some(kek), Some(verifier)) if kek.is_of(verifier) => Ok(()),
            (None, Some(_)) => Err(SealError::SealedMeanwhile.into()),
            (Some(_), _) => Err(SealError::Wrong.into()),
        }
    }

    /// A private key as it is written: whether it is sealed, and the bytes.
    pub(super) fn at_rest(
        &self,
        app: &AppId,
        key: &KeyId,
        purpose: KeyPurpose,
        pem: &str,
    ) -> Result<(bool, Vec<u8>), StoreError> {
        at_rest(self.store(), self.store().kek().as_deref(), app, key, purpose, pem)
    }

    /// Writes all private keys under this seal. The number of keys.
    async fn reseal(&mut self, kek: Option<&Kek>, state: &SealState) -> Result<usize, StoreError> {
        let rows = OwnRows::fetch(self.connection()).await?;
        let keys = rows.keys.len();
        if let Some((app, _)) = &rows.own {
            let old = self.store().kek();
            for row in &rows.keys {
                let pem = row.pem(app, old.as_deref())?;
                let (sealed, private) = at_rest(self.store(), kek, app, &row.id, row.purpose, &pem)?;
                let set = sqlx::query("UPDATE taa_own_keys SET sealed = $2, private = $3 WHERE key_id = $1")
                    .bind(row.id.to_string())
                    .bind(db::flag(sealed))
                    .bind(private);
                self.execute(set).await?;
            }
        }
        self.execute(state.written()).await?;
        self.touch_own().await?;
        Ok(keys)
    }
}

fn at_rest(
    store: &Store,
    kek: Option<&Kek>,
    app: &AppId,
    key: &KeyId,
    purpose: KeyPurpose,
    pem: &str,
) -> Result<(bool, Vec<u8>), StoreError> {
    match kek {
        Some(kek) => Ok((true, kek.seal(&*store.0.random, &Kek::data(app, key, purpose), pem.as_bytes())?)),
        None => Ok((false, pem.as_bytes().to_vec())),
    }
}

impl SealState {
    async fn read(at: &mut AnyConnection) -> Result<Self, StoreError> {
        let select =
            "SELECT seal_kind, seal_salt, seal_memory, seal_passes, seal_lanes, seal_verifier FROM taa_state";
        let row = db::first(at, sqlx::query(select)).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("the state of the store is gone".into()))?;
        match row.text("seal_kind")?.as_str() {
            "none" => Ok(Self::None),
            "file" => Ok(Self::File { verifier: row.bytes("seal_verifier")? }),
            "passphrase" => Ok(Self::Passphrase {
                salt: row.bytes("seal_salt")?,
                cost: Cost {
                    memory: small(&row, "seal_memory")?,
                    passes: small(&row, "seal_passes")?,
                    lanes: small(&row, "seal_lanes")?,
                },
                verifier: row.bytes("seal_verifier")?,
            }),
            _ => Err(StoreError::Unreadable("the kind of the seal".into())),
        }
    }

    fn written(&self) -> db::Statement {
        let (salt, cost) = match self {
            Self::Passphrase { salt, cost, .. } => (Some(salt.clone()), Some(*cost)),
            Self::None | Self::File { .. } => (None, None),
        };
        let number = |number: fn(&Cost) -> u32| cost.as_ref().map(|cost| i64::from(number(cost)));
        let set = "UPDATE taa_state SET seal_kind = $1, seal_salt = $2, seal_memory = $3, seal_passes = $4, \
                   seal_lanes = $5, seal_verifier = $6";
        sqlx::query(set)
            .bind(self.kind())
            .bind(salt)
            .bind(number(|cost| cost.memory))
            .bind(number(|cost| cost.passes))
            .bind(number(|cost| cost.lanes))
            .bind(self.verifier().map(<[u8]>::to_vec))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Passphrase { .. } => "passphrase",
            Self::File { .. } => "file",
        }
    }

    fn verifier(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Passphrase { verifier, .. } | Self::File { verifier } => Some(verifier),
        }
    }
}

fn small(row: &AnyRow, column: &str) -> Result<u32, StoreError> {
    u32::try_from(row.number(column)?).map_err(|_| StoreError::Unreadable(format!("column {column}")))
}
