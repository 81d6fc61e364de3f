use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use taa_core::certificate::KeyStatus;
use taa_core::id::KeyId;
use taa_core::time::UnixMillis;
use taa_store::model::{KeyPurpose, OwnKeyInfo, Promotion, Snapshot};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::model::{CertificateJson, StampJson};
use crate::console::Console;
use crate::extract::{self, Path};
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::own_key::{change_profile, promotable_at};
use crate::visit::Visit;

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(get))
        .routes(routes!(profile))
        .routes(routes!(publish))
        .routes(routes!(promote))
        .routes(routes!(revoke))
        .routes(routes!(remove_ended))
}

/// Who this application is. Private keys are in no answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Own {
    /// Its application id.
    id: String,
    /// What an administrator of a peer compares.
    fingerprint: String,
    /// Where its certificate is served.
    certificate_url: String,
    certificate: CertificateJson,
    /// Newest first within a purpose.
    keys: Vec<OwnKey>,
    /// Whether private keys are sealed at rest.
    sealed: bool,
}

/// A key of this application, without its private part.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnKey {
    /// The SHA-256 thumbprint of its public part (RFC 7638), base64url.
    id: String,
    purpose: Purpose,
    /// `next`, `current` or `previous`.
    status: String,
    bits: usize,
    /// When it ends; null: it has no end.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// When and by whom it was made.
    created: StampJson,
    /// When it was last used, to about a minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// From when on a `next` key may become current.
    #[schema(format = DateTime)]
    promotable_at: Option<String>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Opens envelopes of version 4.
    Decryption,
    /// Signs requests of versions 2 and 3.
    Legacy,
    /// Signs envelopes and the certificate.
    Signing,
}

/// Another name or base URL.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileChange {
    name: String,
    /// When it changes, a person has to look at it at every peer.
    base_url: String,
}

/// Which key to make.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyWanted {
    purpose: Purpose,
}

/// Which next key becomes current.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyPromotion {
    purpose: Purpose,
    /// Even if it was published less than a day ago: peers that have not fetched the certificate since refuse this
    /// application until they do.
    #[serde(default)]
    insecure_at_once: bool,
}

/// How many keys were deleted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct KeysRemoved {
    removed: usize,
}

/// Get this application's certificate and keys.
#[utoipa::path(get, path = "/own", tag = "own", operation_id = "get_own",
    responses((status = 200, body = Own), (status = 409, body = Error)))]
async fn get(State(console): State<Console>) -> Result<Json<Own>, Failure> {
    shown(&console, &*console.snapshot().await?)
}

/// Change this application's name or base URL.
#[utoipa::path(put, path = "/own/profile", tag = "own", operation_id = "change_own_profile",
    request_body = ProfileChange,
    responses((status = 200, body = Own), (status = 409, body = Error), (status = 422, body = Error)))]
async fn profile(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(change): extract::Json<ProfileChange>,
) -> Result<Json<Own>, Failure> {
    let snapshot = change_profile(&console, &visit, &change.name, &change.base_url).await?;
    shown(&console, &snapshot)
}

/// Make a next key and publish it (`legacy`: the one key of the older versions, if there is none).
#[utoipa::path(post, path = "/own/keys", tag = "own", operation_id = "publish_own_key", request_body = KeyWanted,
    responses((status = 201, body = OwnKey), (status = 409, body = Error)))]
async fn publish(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(wanted): extract::Json<KeyWanted>,
) -> Result<(StatusCode, Json<OwnKey>), Failure> {
    let id = console.store().publish_next_key(wanted.purpose.into(), visit.actor()).await?;
    Ok((StatusCode::CREATED, key(&console.store().snapshot(), &id)?))
}

/// Make the next key current.
#[utoipa::path(post, path = "/own/keys/promote", tag = "own", operation_id = "promote_own_key",
    request_body = KeyPromotion,
    responses((status = 200, body = OwnKey), (status = 409, body = Error)))]
async fn promote(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(promotion): extract::Json<KeyPromotion>,
) -> Result<Json<OwnKey>, Failure> {
    let when = if promotion.insecure_at_once { Promotion::InsecureAtOnce } else { Promotion::AfterADay };
    let id = console.store().promote_key(promotion.purpose.into(), when, visit.actor()).await?;
    key(&console.store().snapshot(), &id)
}

/// Revoke a key that may have leaked. Every peer then has to be looked at by a person.
#[utoipa::path(post, path = "/own/keys/{id}/revoke", tag = "own", operation_id = "revoke_own_key",
    params(("id" = String, Path, description = "Key id")),
    responses((status = 200, body = Own), (status = 404, body = Error)))]
async fn revoke(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Own>, Failure> {
    let id: KeyId = id.parse().map_err(|_| Failure::NotFound("such key".to_owned()))?;
    let snapshot = console.store().revoke_own_key(id, visit.actor()).await?;
    shown(&console, &snapshot)
}

/// Delete previous keys that have ended.
#[utoipa::path(post, path = "/own/keys/remove-ended", tag = "own", operation_id = "remove_ended_own_keys",
    responses((status = 200, body = KeysRemoved)))]
async fn remove_ended(State(console): State<Console>, visit: Visit) -> Result<Json<KeysRemoved>, Failure> {
    Ok(Json(KeysRemoved { removed: console.store().remove_ended_keys(visit.actor()).await? }))
}

fn shown(console: &Console, snapshot: &Snapshot) -> Result<Json<Own>, Failure> {
    let own = snapshot.own.as_ref().ok_or_else(no_identity)?;
    let content = own.certificate.content();
    Ok(Json(Own {
        id: content.iss.to_string(),
        fingerprint: own.certificate.fingerprint().to_string(),
        certificate_url: taa_client::certificate_url(&content.base_url).to_string(),
        certificate: (&own.certificate).into(),
        keys: own.keys.iter().map(OwnKey::of).collect(),
        sealed: console.store().is_sealed(),
    }))
}

fn key(snapshot: &Snapshot, id: &KeyId) -> Result<Json<OwnKey>, Failure> {
    let own = snapshot.own.as_ref().ok_or_else(no_identity)?;
    let key = own.keys.iter().find(|key| key.id == *id);
    key.map(OwnKey::of).map(Json).ok_or_else(|| Failure::NotFound("such key".to_owned()))
}

fn no_identity() -> Failure {
    taa_store::StoreError::NoIdentity.into()
}

impl OwnKey {
    fn of(key: &OwnKeyInfo) -> Self {
        Self {
            id: key.id.to_string(),
            purpose: key.purpose.into(),
            status: key.status.to_string(),
            bits: key.bits,
            ends_at: key.exp.map(|seconds| rfc3339(UnixMillis(seconds.saturating_mul(1000)))),
            created: (&key.created).into(),
            last_used_at: key.last_used.map(rfc3339),
            promotable_at: (key.status == KeyStatus::Next).then(|| rfc3339(promotable_at(key))),
        }
    }
}

impl From<Purpose> for KeyPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Decryption => Self::Decryption,
            Purpose::Legacy => Self::Legacy,
            Purpose::Signing => Self::Signing,
        }
    }
}

impl From<KeyPurpose> for Purpose {
    fn from(purpose: KeyPurpose) -> Self {
        match purpose {
            KeyPurpose::Decryption => Self::Decryption,
            KeyPurpose::Legacy => Self::Legacy,
            KeyPurpose::Signing => Self::Signing,
        }
    }
}
