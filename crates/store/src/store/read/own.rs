//! The own identity: certificate, keys, and the private keys opened.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use taa_core::certificate::{Certificate, Content, KeyStatus, KeyUse};
use taa_core::crypto::CryptoProvider;
use taa_core::id::{AppId, KeyId};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, PublicKey, SigningKey};
use taa_core::legacy::{LegacySigningKey, LegacyVerifyingKey};
use taa_core::time::UnixMillis;
use zeroize::Zeroizing;

use super::{Certificates, key_id};
use crate::db::{self, Columns};
use crate::error::StoreError;
use crate::model::{KeyPurpose, OwnIdentity, OwnKeyInfo, Secrets, Stamp};
use crate::seal::{Kek, SealError};

/// What stands in the database about the own identity.
pub(in crate::store) struct OwnRows {
    /// Id and certificate document; none before `init`.
    pub(in crate::store) own: Option<(AppId, String)>,
    /// Within a purpose the newest first.
    pub(in crate::store) keys: Vec<OwnRow>,
}

/// An own key as it stands in the database.
#[derive(Clone)]
pub(in crate::store) struct OwnRow {
    pub(in crate::store) id: KeyId,
    pub(in crate::store) purpose: KeyPurpose,
    pub(in crate::store) status: KeyStatus,
    pub(in crate::store) exp: Option<u64>,
    pub(in crate::store) public: Vec<u8>,
    pub(in crate::store) sealed: bool,
    pub(in crate::store) private: Zeroizing<Vec<u8>>,
    pub(in crate::store) created: Stamp,
    last_used: Option<UnixMillis>,
}

/// A private key, opened and checked.
#[derive(Clone)]
pub(in crate::store) enum PrivateKey {
    Decryption(DecryptingKey),
    Legacy(Arc<LegacySigningKey>),
    Signing(SigningKey),
}

impl OwnRows {
    pub(in crate::store) async fn fetch(at: &mut AnyConnection) -> Result<Self, StoreError> {
        let own = db::first(at, sqlx::query("SELECT app_id, certificate FROM taa_own")).await?;
        let own = own.map(|row| -> Result<_, StoreError> {
            let id = AppId::parse(&row.text("app_id")?);
            let id = id.map_err(|error| StoreError::Unreadable(format!("the own id: {error}")))?;
            Ok((id, row.text("certificate")?))
        });
        let keys = "SELECT * FROM taa_own_keys ORDER BY purpose, made DESC, key_id";
        let keys = db::all(at, sqlx::query(keys)).await?;
        Ok(Self {
            own: own.transpose()?,
            keys: keys.iter().map(OwnRow::read).collect::<Result<_, StoreError>>()?,
        })
    }

    /// The keys of one purpose and status.
    pub(in crate::store) fn key(&self, purpose: KeyPurpose, status: KeyStatus) -> Option<&OwnRow> {
        self.keys.iter().find(|key| key.purpose == purpose && key.status == status)
    }
}

impl OwnRow {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let unreadable = |what: &str| StoreError::Unreadable(format!("{what} of an own key"));
        Ok(Self {
            id: key_id(&row.text("key_id")?)?,
            purpose: row.text("purpose")?.parse().map_err(|_| unreadable("purpose"))?,
            status: status(&row.text("status")?).ok_or_else(|| unreadable("status"))?,
            exp: row.number_if_any("exp_seconds")?,
            public: row.bytes("public")?,
            sealed: row.flag("sealed")?,
            private: Zeroizing::new(row.bytes("private")?),
            created: row.stamp("created_at", "created_by")?,
            last_used: row.time_if_any("last_used")?,
        })
    }

    /// Its private part as PKCS#8 PEM.
    pub(in crate::store) fn pem(
        &self,
        app: &AppId,
        kek: Option<&Kek>,
    ) -> Result<Zeroizing<String>, StoreError> {
        let bytes = if self.sealed {
            let kek = kek.ok_or(SealError::SealedMeanwhile)?;
            kek.unseal(&Kek::data(app, &self.id, self.purpose), &self.private)?
        } else {
            self.private.clone()
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| self.broken())?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Its private part, checked.
    pub(in crate::store) fn open(
        &self,
        app: &AppId,
        provider: &dyn CryptoProvider,
        kek: Option<&Kek>,
    ) -> Result<PrivateKey, StoreError> {
        let key = PrivateKey::parse(provider, self.purpose, &self.pem(app, kek)?);
        key.ok().filter(|key| key.id() == self.id).ok_or_else(|| self.broken())
    }

    fn broken(&self) -> StoreError {
        StoreError::Unreadable(format!("the private part of the own key {}", self.id))
    }

    /// Its public part, for the keys that a certificate lists.
    pub(in crate::store) fn public(&self) -> Result<PublicKey, StoreError> {
        let key = PublicKey::from_spki_der(&self.public).ok().filter(|key| key.id() == self.id);
        key.ok_or_else(|| StoreError::Unreadable(format!("the public part of the own key {}", self.id)))
    }

    fn info(&self) -> Result<OwnKeyInfo, StoreError> {
        let bits = match self.purpose {
            KeyPurpose::Legacy => {
                let key = LegacyVerifyingKey::from_spki_der(&self.public).map_err(|_| self.broken())?;
                usize::try_from(key.bits()).unwrap_or(usize::MAX)
            }
            KeyPurpose::Decryption | KeyPurpose::Signing => self.public()?.modulus_len().saturating_mul(8),
        };
        Ok(OwnKeyInfo {
            id: self.id,
            purpose: self.purpose,
            status: self.status,
            exp: self.exp,
            bits,
            created: self.created.clone(),
            last_used: self.last_used,
        })
    }
}

fn status(text: &str) -> Option<KeyStatus> {
    [KeyStatus::Next, KeyStatus::Current, KeyStatus::Previous]
        .into_iter()
        .find(|status| status.to_string() == text)
}

impl PrivateKey {
    /// Reads PKCS#8 PEM.
    ///
    /// # Errors
    /// A sentence that says what the key is not.
    pub(in crate::store) fn parse(
        provider: &dyn CryptoProvider,
        purpose: KeyPurpose,
        pem: &str,
    ) -> Result<Self, String> {
        match purpose {
            KeyPurpose::Decryption => DecryptingKey::from_pkcs8_pem(provider, pem)
                .map(Self::Decryption)
                .map_err(|error| error.to_string()),
            KeyPurpose::Legacy => LegacySigningKey::from_pkcs8_pem(pem)
                .map(|key| Self::Legacy(Arc::new(key)))
                .map_err(|error| error.to_string()),
            KeyPurpose::Signing => SigningKey::from_pkcs8_pem(provider, pem)
                .map(Self::Signing)
                .map_err(|error| error.to_string()),
        }
    }

    pub(in crate::store) fn id(&self) -> KeyId {
        match self {
            Self::Decryption(key) => key.id(),
            Self::Legacy(key) => key.thumbprint(),
            Self::Signing(key) => key.id(),
        }
    }

    pub(in crate::store) fn purpose(&self) -> KeyPurpose {
        match self {
            Self::Decryption(_) => KeyPurpose::Decryption,
            Self::Legacy(_) => KeyPurpose::Legacy,
            Self::Signing(_) => KeyPurpose::Signing,
        }
    }

    /// SubjectPublicKeyInfo.
    pub(in crate::store) fn public(&self) -> Vec<u8> {
        match self {
            Self::Decryption(key) => key.public().to_spki_der(),
            Self::Legacy(key) => key.verifying_key().spki_der().to_vec(),
            Self::Signing(key) => key.public().to_spki_der(),
        }
    }

    /// PKCS#8 PEM.
    pub(in crate::store) fn expose_pem(&self) -> Result<Zeroizing<String>, StoreError> {
        match self {
            Self::Decryption(key) => Ok(key.expose_pkcs8_pem()),
            Self::Legacy(key) => {
                key.expose_pkcs8_pem().map_err(|_| StoreError::Key("the key cannot be written".into()))
            }
            Self::Signing(key) => Ok(key.expose_pkcs8_pem()),
        }
    }
}

/// Opened private keys and the identity made of them. Checking an RSA key is expensive, so it is done once for each.
#[derive(Default)]
pub(super) struct OwnCache {
    keys: HashMap<KeyId, PrivateKey>,
    made: Option<(u64, Certificate, Secrets)>,
}

impl OwnCache {
    /// The own identity; none before `init`.
    pub(super) fn read(
        &mut self,
        rows: &OwnRows,
        generation: u64,
        certificates: &mut Certificates<'_>,
        kek: Option<&Kek>,
    ) -> Result<Option<(OwnIdentity, Secrets)>, StoreError> {
        let Some((id, document)) = &rows.own else {
            *self = Self::default();
            return Ok(None);
        };
        let (certificate, secrets) = match &self.made {
            Some((made, certificate, secrets)) if *made == generation => {
                (certificate.clone(), secrets.clone())
            }
            _ => {
                let (certificate, secrets) = self.make(id, document, &rows.keys, certificates, kek)?;
                self.made = Some((generation, certificate.clone(), secrets.clone()));
                (certificate, secrets)
            }
        };
        let older = certificate.content().protocols.iter().copied().filter(|version| *version != 4);
        let own = OwnIdentity {
            older_protocols: older.collect(),
            keys: rows.keys.iter().map(OwnRow::info).collect::<Result<_, StoreError>>()?,
            certificate,
        };
        Ok(Some((own, secrets)))
    }

    fn make(
        &mut self,
        id: &AppId,
        document: &str,
        rows: &[OwnRow],
        certificates: &mut Certificates<'_>,
        kek: Option<&Kek>,
    ) -> Result<(Certificate, Secrets), StoreError> {
        let certificate = certificates
            .read(document.to_owned())
            .map_err(|error| StoreError::Unreadable(format!("the own certificate: {error}")))?;
        if certificate.content().iss != *id {
            return Err(StoreError::Unreadable("the own certificate is of another application".into()));
        }
        let mut keys = HashMap::new();
        for row in rows {
            let key = match self.keys.get(&row.id) {
                Some(known) if known.purpose() == row.purpose => known.clone(),
                _ => row.open(id, certificates.provider, kek)?,
            };
            keys.insert(row.id, key);
        }
        self.keys = keys;
        let identity = identity(certificate.content(), &self.keys)?;
        let legacy = self.keys.values().find_map(|key| match key {
            PrivateKey::Legacy(key) => Some(Arc::clone(key)),
            _ => None,
        });
        Ok((certificate, Secrets { identity: Arc::new(identity), legacy }))
    }
}

/// The identity that a certificate describes. Its payload is that of the certificate; the signature under it is new.
fn identity(content: &Content, keys: &HashMap<KeyId, PrivateKey>) -> Result<Identity, StoreError> {
    let missing =
        |id: KeyId| StoreError::Unreadable(format!("the own key {id} of the certificate is not there"));
    let (mut signing, mut decryption) = (Vec::new(), Vec::new());
    for listed in &content.keys {
        let (id, status, exp) = (listed.public.id(), listed.status, listed.exp);
        match (listed.usage, keys.get(&id)) {
            (KeyUse::Signing, Some(PrivateKey::Signing(key))) => {
                signing.push(OwnKey { key: key.clone(), status, exp });
            }
            (KeyUse::Decryption, Some(PrivateKey::Decryption(key))) => {
                decryption.push(OwnKey { key: key.clone(), status, exp });
            }
            _ => return Err(missing(id)),
        }
    }
    let profile = Profile {
        id: content.iss.clone(),
        name: content.name.clone(),
        base_url: content.base_url.clone(),
        seq: content.seq,
        iat: content.iat,
        older_protocols: content.protocols.iter().copied().filter(|version| *version != 4).collect(),
    };
    let identity = Identity::new(profile, signing, decryption)?;
    if identity.certificate().content() != content {
        return Err(StoreError::Unreadable("the own certificate is not in the order it is made in".into()));
    }
    Ok(identity)
}
