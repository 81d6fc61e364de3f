//! Records of peers. Each is a value or [`Row::Broken`]; none keeps the others from being read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::any::AnyRow;
use taa_core::certificate::{Certificate, KeyUse};
use taa_core::envelope::Lifetime;
use taa_core::id::{AppId, KeyId};
use taa_core::legacy::LegacyVerifyingKey;
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;
use url::Url;

use super::rows::PeerRow;
use super::{Certificates, Rows, key_id};
use crate::db::Columns;
use crate::error::StoreError;
use crate::model::{
    KeyPurpose, OwnIdentity, PeerKeys, PeerLegacyKey, Refreshed, Row, Rules, TrustedApplication,
    TrustingServer,
};

type Lists = (Vec<Row<TrustedApplication>>, Vec<Row<TrustingServer>>);

pub(super) fn read(
    rows: &Rows,
    own: Option<&OwnIdentity>,
    certificates: &mut Certificates<'_>,
) -> Result<Lists, StoreError> {
    let mut applications: Vec<_> =
        rows.applications.iter().map(|row| kept(row, |row| application(row, certificates))).collect();
    let mut servers: Vec<_> =
        rows.servers.iter().map(|row| kept(row, |row| server(row, certificates))).collect();
    let mut owners = Owners::default();
    if let Some(own) = own {
        owners.add_own(own);
    }
    applications.iter().filter_map(Row::good).for_each(|peer| owners.add(&peer.id, peer_keys(&peer.keys)));
    servers
        .iter()
        .filter_map(Row::good)
        .for_each(|peer| owners.add(&peer.id, certificate_keys(peer.certificate.as_ref())));
    for row in &mut applications {
        owners.check(row, |peer| (&peer.id, peer.name.as_str(), peer_keys(&peer.keys)));
    }
    for row in &mut servers {
        owners.check(row, |peer| (&peer.id, peer.name.as_str(), certificate_keys(peer.certificate.as_ref())));
    }
    add_use(&mut applications, &rows.peer_keys);
    add_revoked(&mut applications, &rows.revoked_keys)?;
    applications.sort_by_cached_key(|row| place(row, |peer| (peer.name.as_str(), peer.id.as_str())));
    servers.sort_by_cached_key(|row| place(row, |peer| (peer.name.as_str(), peer.id.as_str())));
    Ok((applications, servers))
}

/// A record of the table of applications, without what stands in other tables.
pub(in crate::store) fn application(
    row: &AnyRow,
    certificates: &mut Certificates<'_>,
) -> Result<TrustedApplication, StoreError> {
    let id = id(row)?;
    let certificate = certificate(row, &id, certificates)?;
    let legacy = row.bytes_if_any("legacy_key")?.map(|der| legacy_key(&der)).transpose()?;
    if certificate.is_none() && legacy.is_none() {
        return Err(StoreError::Unreadable("there is neither a certificate nor a key".into()));
    }
    let rules: Rules = serde_json::from_str(&row.text("rules")?)
        .map_err(|error| StoreError::Unreadable(format!("rules: {error}")))?;
    Ok(TrustedApplication {
        name: row.text("name")?,
        base_url: url(&row.text("base_url")?)?,
        keys: PeerKeys { certificate, legacy },
        rules,
        enabled: row.flag("enabled")?,
        seen_v4: row.flag("seen_v4")?,
        version: row.number("version")?,
        created: row.stamp("created_at", "created_by")?,
        updated: row.stamp("updated_at", "updated_by")?,
        last_used: row.time_if_any("last_used")?,
        keys_last_used: HashMap::new(),
        refreshed: refreshed(row)?,
        revoked_keys: Vec::new(),
        id,
    })
}

/// A record of the table of servers.
pub(in crate::store) fn server(
    row: &AnyRow,
    certificates: &mut Certificates<'_>,
) -> Result<TrustingServer, StoreError> {
    let id = id(row)?;
    let certificate = certificate(row, &id, certificates)?;
    let protocol =
        u8::try_from(row.number("protocol")?).ok().and_then(|number| Protocol::try_from(number).ok());
    let protocol = protocol.ok_or_else(|| StoreError::Unreadable("protocol version".into()))?;
    if certificate.is_none() && !protocol.is_legacy() {
        return Err(StoreError::Unreadable("there is no certificate for version 4".into()));
    }
    let lifetime = u32::try_from(row.number("lifetime_seconds")?).ok().map(Lifetime::from_secs);
    let Some(Ok(lifetime)) = lifetime else { return Err(StoreError::Unreadable("lifetime".into())) };
    Ok(TrustingServer {
        name: row.text("name")?,
        base_url: url(&row.text("base_url")?)?,
        certificate,
        protocol,
        lifetime,
        insecure_allow_http: row.flag("insecure_http")?,
        require_content_digest: row.flag("require_digest")?,
        enabled: row.flag("enabled")?,
        version: row.number("version")?,
        created: row.stamp("created_at", "created_by")?,
        updated: row.stamp("updated_at", "updated_by")?,
        last_used: row.time_if_any("last_used")?,
        refreshed: refreshed(row)?,
        id,
    })
}

fn id(row: &AnyRow) -> Result<AppId, StoreError> {
    AppId::parse(&row.text("app_id")?).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn certificate(
    row: &AnyRow,
    id: &AppId,
    certificates: &mut Certificates<'_>,
) -> Result<Option<Certificate>, StoreError> {
    let Some(document) = row.text_if_any("certificate")? else { return Ok(None) };
    let certificate = certificates
        .read(document)
        .map_err(|error| StoreError::Unreadable(format!("certificate: {error}")))?;
    if certificate.content().iss != *id {
        return Err(StoreError::Unreadable("the certificate is of another application".into()));
    }
    Ok(Some(certificate))
}

fn legacy_key(der: &[u8]) -> Result<PeerLegacyKey, StoreError> {
    LegacyVerifyingKey::from_spki_der(der)
        .map(PeerLegacyKey)
        .map_err(|error| StoreError::Unreadable(format!("key of versions 2 and 3: {error}")))
}

fn url(text: &str) -> Result<Url, StoreError> {
    Url::parse(text).map_err(|error| StoreError::Unreadable(format!("base URL: {error}")))
}

fn refreshed(row: &AnyRow) -> Result<Option<Refreshed>, StoreError> {
    let Some(at) = row.time_if_any("refreshed_at")? else { return Ok(None) };
    let other_base_url = row.text_if_any("refreshed_other_url")?.map(|text| url(&text)).transpose()?;
    Ok(Some(Refreshed { at, problem: row.text_if_any("refreshed_problem")?, other_base_url }))
}

fn kept<T>(row: &PeerRow, read: impl FnOnce(&AnyRow) -> Result<T, StoreError>) -> Row<T> {
    let row = match row {
        PeerRow::Readable(row) => row,
        PeerRow::Unreadable { id, name } => {
            let problem = "the row holds bytes that are no text".into();
            return Row::Broken { id: id.clone(), name: name.clone(), problem };
        }
    };
    match read(row) {
        Ok(record) => Row::Good(Box::new(record)),
        Err(error) => Row::Broken {
            id: row.text("app_id").unwrap_or_default(),
            name: row.text("name").unwrap_or_default(),
            problem: error.to_string(),
        },
    }
}

/// The keys of a certificate with their purpose.
pub(in crate::store) fn certificate_keys(certificate: Option<&Certificate>) -> Vec<(KeyId, KeyPurpose)> {
    let keys = certificate.map(|certificate| certificate.content().keys.as_slice()).unwrap_or_default();
    keys.iter()
        .map(|key| {
            let purpose = match key.usage {
                KeyUse::Decryption => KeyPurpose::Decryption,
                KeyUse::Signing => KeyPurpose::Signing,
            };
            (key.public.id(), purpose)
        })
        .collect()
}

/// The keys of a peer with their purpose.
pub(in crate::store) fn peer_keys(keys: &PeerKeys) -> Vec<(KeyId, KeyPurpose)> {
    let mut all = certificate_keys(keys.certificate.as_ref());
    all.extend(keys.legacy.as_ref().map(|key| (key.0.thumbprint(), KeyPurpose::Legacy)));
    all
}

/// Under whom and for what each key stands. A key in two places could be either of them.
#[derive(Default)]
struct Owners {
    own: Option<AppId>,
    keys: BTreeMap<KeyId, BTreeSet<(AppId, &'static str)>>,
}

impl Owners {
    fn add_own(&mut self, own: &OwnIdentity) {
        let id = &own.certificate.content().iss;
        self.own = Some(id.clone());
        self.add(id, own.keys.iter().map(|key| (key.id, key.purpose)).collect());
    }

    fn add(&mut self, id: &AppId, keys: Vec<(KeyId, KeyPurpose)>) {
        for (key, purpose) in keys {
            self.keys.entry(key).or_default().insert((id.clone(), purpose.as_str()));
        }
    }

    fn check<T>(&self, row: &mut Row<T>, parts: impl Fn(&T) -> (&AppId, &str, Vec<(KeyId, KeyPurpose)>)) {
        let Row::Good(record) = &*row else { return };
        let (id, name, keys) = parts(record);
        let problem = if self.own.as_ref() == Some(id) {
            Some("this is the id of this application itself".into())
        } else {
            keys.iter().find_map(|(key, purpose)| self.conflict(id, *key, *purpose))
        };
        if let Some(problem) = problem {
            *row = Row::Broken { id: id.to_string(), name: name.to_owned(), problem };
        }
    }

    fn conflict(&self, id: &AppId, key: KeyId, purpose: KeyPurpose) -> Option<String> {
        let here = (id.clone(), purpose.as_str());
        let (other, for_what) = self.keys.get(&key)?.iter().find(|place| **place != here)?;
        Some(if other == id {
            format!("the key {key} stands for two purposes, {purpose} and {for_what}")
        } else {
            format!("the key {key} stands under {other} as well")
        })
    }
}

fn add_use(applications: &mut [Row<TrustedApplication>], rows: &[AnyRow]) {
    let mut used: HashMap<String, HashMap<KeyId, UnixMillis>> = HashMap::new();
    for row in rows {
        // What does not parse here only tells when something was used.
        let (Ok(app), Ok(key), Ok(at)) = (row.text("app_id"), row.text("key_id"), row.time("last_used"))
        else {
            continue;
        };
        if let Ok(key) = key.parse() {
            used.entry(app).or_default().insert(key, at);
        }
    }
    for application in applications {
        if let Row::Good(application) = application {
            application.keys_last_used = used.remove(application.id.as_str()).unwrap_or_default();
        }
    }
}

fn add_revoked(applications: &mut [Row<TrustedApplication>], rows: &[AnyRow]) -> Result<(), StoreError> {
    let mut revoked: HashMap<String, Vec<KeyId>> = HashMap::new();
    for row in rows {
        revoked.entry(row.text("app_id")?).or_default().push(key_id(&row.text("key_id")?)?);
    }
    for application in applications {
        if let Row::Good(application) = application {
            application.revoked_keys = revoked.remove(application.id.as_str()).unwrap_or_default();
        }
    }
    Ok(())
}

fn place<T>(row: &Row<T>, parts: impl Fn(&T) -> (&str, &str)) -> (String, String) {
    let (name, id) = match row {
        Row::Good(record) => parts(record),
        Row::Broken { id, name, .. } => (name.as_str(), id.as_str()),
    };
    (name.to_lowercase(), id.to_owned())
}
