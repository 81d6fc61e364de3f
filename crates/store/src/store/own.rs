//! Who this application is: its id, its certificate, its keys as a whole. How keys follow one another is in `rotation`.

use std::sync::Arc;

use taa_core::certificate::{Certificate, CertificateKey, Content, KeyStatus, KeyUse};
use taa_core::id::{AppId, KeyId};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::legacy::LegacySigningKey;
use taa_core::time::UnixMillis;
use url::Url;
use zeroize::Zeroizing;

use super::change::Change;
use super::detail::Detail;
use super::read::{Certificates, OwnRows, PrivateKey};
use super::{Store, aside};
use crate::db;
use crate::error::StoreError;
use crate::model::{Action, Actor, KeyPurpose, NewIdentity, Snapshot};

impl Store {
    /// Makes id, signing and decryption key, and certificate number 1.
    ///
    /// # Errors
    /// When there is an identity already, a peer has this id, name or base URL cannot stand in a certificate, or the
    /// database fails.
    pub async fn init(&self, new: NewIdentity, by: &Actor) -> Result<Arc<Snapshot>, StoreError> {
        if let Some(own) = &self.poll().await?.own {
            return Err(StoreError::AlreadyInitialised(own.certificate.content().iss.clone()));
        }
        let signing = self.make_key(KeyPurpose::Signing, new.key_size).await?;
        let decryption = self.make_key(KeyPurpose::Decryption, new.key_size).await?;
        let mut change = self.change(by).await?;
        if let Some((id, _)) = OwnRows::fetch(change.connection()).await?.own {
            return Err(StoreError::AlreadyInitialised(id));
        }
        change.check_seal().await?;
        change.check_no_peer(&new.id).await?;
        for key in [&signing, &decryption] {
            change.insert_key(&new.id, key, KeyStatus::Current).await?;
        }
        let base = Content {
            iss: new.id.clone(),
            name: new.name,
            base_url: new.base_url,
            seq: 0,
            iat: 0,
            protocols: Vec::new(),
            keys: Vec::new(),
        };
        let rows = OwnRows::fetch(change.connection()).await?;
        let certificate = change.issue(base, rows).await?;
        let insert = sqlx::query("INSERT INTO taa_own (id, app_id, certificate) VALUES (1, $1, $2)")
            .bind(new.id.as_str().to_owned())
            .bind(certificate.document().to_owned());
        change.execute(insert).await?;
        change.touch_own().await?;
        let detail = Detail::new()
            .with("name", certificate.content().name.as_str())
            .with("base_url", certificate.content().base_url.as_str())
            .with("fingerprint", certificate.fingerprint().to_string())
            .with("signing_key", signing.id().to_string())
            .with("decryption_key", decryption.id().to_string());
        change.audit(Action::IdentityMade, new.id.as_str(), detail).await?;
        change.commit().await
    }

    /// Changes name or base URL; the certificate gets the next number. Peers have to look at a changed base URL.
    ///
    /// # Errors
    /// When there is no identity, name or base URL cannot stand in a certificate, or the database fails.
    pub async fn change_profile(
        &self,
        name: &str,
        base_url: &Url,
        by: &Actor,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        let detail = Detail::new().change("name", own.content.name.as_str(), name).change(
            "base_url",
            own.content.base_url.as_str(),
            base_url.as_str(),
        );
        if detail.is_empty() {
            drop(change);
            return self.poll().await;
        }
        let base = Content { name: name.to_owned(), base_url: base_url.clone(), ..own.content };
        change.reissue(base).await?;
        change.audit(Action::IdentityChanged, own.id.as_str(), detail).await?;
        change.commit().await
    }

    /// The private key as PKCS#8 PEM; written into the audit trail before it is handed out.
    ///
    /// # Errors
    /// When there is no such key, it does not open, or the database fails.
    pub async fn export_key(&self, key: KeyId, by: &Actor) -> Result<Zeroizing<String>, StoreError> {
        let mut change = self.change(by).await?;
        let own = change.own().await?;
        let row = own.key(key)?;
        let pem = row.pem(&own.id, self.kek().as_deref())?;
        let detail = Detail::new().with("purpose", row.purpose.as_str());
        change.audit(Action::KeyExported, &key.to_string(), detail).await?;
        change.commit().await?;
        Ok(pem)
    }

    /// Makes a private key. That takes a while.
    pub(super) async fn make_key(
        &self,
        purpose: KeyPurpose,
        size: KeySize,
    ) -> Result<PrivateKey, StoreError> {
        let (provider, random) = (Arc::clone(&self.0.provider), Arc::clone(&self.0.random));
        aside(move || {
            let failed = |_| StoreError::Random;
            Ok(match purpose {
                KeyPurpose::Decryption => {
                    PrivateKey::Decryption(DecryptingKey::generate(&*provider, size).map_err(failed)?)
                }
                KeyPurpose::Legacy => {
                    let key = LegacySigningKey::generate(&mut |out: &mut [u8]| random.fill(out));
                    PrivateKey::Legacy(Arc::new(key.map_err(|_| StoreError::Random)?))
                }
                KeyPurpose::Signing => {
                    PrivateKey::Signing(SigningKey::generate(&*provider, size).map_err(failed)?)
                }
            })
        })
        .await
    }
}

/// The own identity as a change finds it.
pub(super) struct Own {
    pub(super) id: AppId,
    pub(super) content: Content,
    pub(super) rows: OwnRows,
}

impl Own {
    /// The key with this id.
    pub(super) fn key(&self, id: KeyId) -> Result<&super::read::OwnRow, StoreError> {
        let key = self.rows.keys.iter().find(|key| key.id == id);
        key.ok_or_else(|| StoreError::NotFound(format!("key {id} of this application")))
    }
}

impl Change {
    /// The own identity as it stands there now.
    pub(super) async fn own(&mut self) -> Result<Own, StoreError> {
        let rows = OwnRows::fetch(self.connection()).await?;
        let Some((id, document)) = rows.own.clone() else { return Err(StoreError::NoIdentity) };
        let provider = Arc::clone(&self.store().0.provider);
        let certificate = Certificates::new(&*provider)
            .read(document)
            .map_err(|error| StoreError::Unreadable(format!("the own certificate: {error}")))?;
        self.check_seal().await?;
        Ok(Own { id, content: certificate.content().clone(), rows })
    }

    /// Writes a private key down.
    pub(super) async fn insert_key(
        &mut self,
        app: &AppId,
        key: &PrivateKey,
        status: KeyStatus,
    ) -> Result<(), StoreError> {
        let (sealed, private) = self.at_rest(app, &key.id(), key.purpose(), &key.expose_pem()?)?;
        let insert = "INSERT INTO taa_own_keys (key_id, purpose, status, public, sealed, private, made, created_at, \
                      created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (at, actor) = self.stamped();
        let insert = sqlx::query(insert)
            .bind(key.id().to_string())
            .bind(key.purpose().as_str())
            .bind(status.to_string())
            .bind(key.public())
            .bind(db::flag(sealed))
            .bind(private)
            .bind(db::number(self.generation))
            .bind(at)
            .bind(actor);
        self.execute(insert).await.map(drop)
    }

    /// Makes the next certificate out of the keys that stand there now, and puts it in place of the one before.
    pub(super) async fn reissue(&mut self, base: Content) -> Result<Certificate, StoreError> {
        let rows = OwnRows::fetch(self.connection()).await?;
        let certificate = self.issue(base, rows).await?;
        let set = sqlx::query("UPDATE taa_own SET certificate = $1").bind(certificate.document().to_owned());
        self.execute(set).await?;
        self.touch_own().await?;
        Ok(certificate)
    }

    /// Makes the certificate that follows `base`, with these keys.
    async fn issue(&mut self, base: Content, rows: OwnRows) -> Result<Certificate, StoreError> {
        let (provider, kek, now) = (Arc::clone(&self.store().0.provider), self.store().kek(), self.at());
        aside(move || {
            let signer = rows.key(KeyPurpose::Signing, KeyStatus::Current);
            let signer =
                signer.ok_or_else(|| StoreError::Unreadable("there is no current signing key".into()))?;
            let PrivateKey::Signing(signer) = signer.open(&base.iss, &*provider, kek.as_deref())? else {
                return Err(StoreError::Unreadable("purpose of the current signing key".into()));
            };
            Ok(Certificate::make(content(base, &rows, now)?, &signer)?)
        })
        .await
    }

    /// Refuses an id that a peer has.
    async fn check_no_peer(&mut self, id: &AppId) -> Result<(), StoreError> {
        let peer = "SELECT app_id FROM taa_applications WHERE app_id = $1 \
                    UNION SELECT app_id FROM taa_servers WHERE app_id = $1";
        let peer = sqlx::query(peer).bind(id.as_str().to_owned());
        match db::first(self.connection(), peer).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::AlreadyThere(id.clone())),
        }
    }
}

/// What the next certificate says. Signing keys come first, as in the identity that is made of it; previous keys that
/// have ended are left out.
fn content(base: Content, rows: &OwnRows, now: UnixMillis) -> Result<Content, StoreError> {
    let mut keys = Vec::new();
    for (purpose, usage) in
        [(KeyPurpose::Signing, KeyUse::Signing), (KeyPurpose::Decryption, KeyUse::Decryption)]
    {
        let listed = rows.keys.iter().filter(|row| row.purpose == purpose);
        for row in listed.filter(|row| row.status != KeyStatus::Previous || now.is_before(row.exp)) {
            keys.push(CertificateKey { public: row.public()?, usage, status: row.status, exp: row.exp });
        }
    }
    let legacy = rows.keys.iter().any(|row| row.purpose == KeyPurpose::Legacy);
    Ok(Content {
        seq: base.seq.saturating_add(1),
        iat: now.seconds(),
        protocols: if legacy { vec![2, 3, 4] } else { vec![4] },
        keys,
        ..base
    })
}
