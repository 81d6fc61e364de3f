use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use taa_service::{FetchWhat, Fetched, OutgoingText, Remark, SaveWhat};
use taa_store::model::{Pending, PendingId, Presented};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::model::{Application, CertificateJson, Key, Server, StampJson};
use super::rules::RulesJson;
use crate::console::Console;
use crate::extract::{self, Path};
use crate::failure::Failure;
use crate::moment::rfc3339;
use crate::view::PeerKey;
use crate::visit::Visit;
use crate::waiting::{lapsed, waiting};

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(fetch))
        .routes(routes!(fetch_again))
        .routes(routes!(get, give_up))
        .routes(routes!(save))
}

/// Which certificate to fetch.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpFetch {
    /// The other application's base URL.
    #[schema(example = "https://wiki.example/confluence")]
    base_url: String,
    /// Allows plain http to another host: whoever is on the path can swap the certificate.
    #[serde(default)]
    insecure_allow_http: bool,
    /// Takes the page of the older versions instead of the certificate.
    #[serde(default)]
    older_versions: bool,
}

/// A peer that is there already, whose present certificate is to be compared.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpAgain {
    /// Its application id.
    application: String,
}

/// What was fetched and waits for a person to compare its fingerprint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SetUp {
    /// Names it in the second step.
    id: String,
    /// The other application's id.
    application: String,
    /// Where it was fetched.
    base_url: String,
    /// What a person compares with what the other side shows.
    fingerprint: String,
    /// Null for an application that only knows the older versions.
    certificate: Option<CertificateJson>,
    /// Its keys.
    keys: Vec<Key>,
    /// What a person should know before going on.
    remarks: Vec<SetUpRemark>,
    /// Whether it can be saved at all.
    can_be_saved: bool,
    /// The name that is suggested.
    suggested_name: String,
    /// The rules that are suggested; null when there is nothing to suggest.
    suggested_rules: Option<RulesJson>,
    /// When it was fetched, and for whom.
    fetched: StampJson,
    /// When it stops waiting.
    #[schema(format = DateTime)]
    lapses_at: String,
}

/// Something a person should know before trusting a peer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SetUpRemark {
    /// A stable word.
    kind: &'static str,
    /// The sentence for a person.
    message: String,
}

/// What becomes of what was fetched: it is trusted, or called, or both. With neither, a peer that is there already only
/// gets its new keys.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpSave {
    /// The fingerprint as it was shown, which a person has compared with the one the other application shows.
    fingerprint: String,
    /// Trust it, with this name and these rules.
    #[serde(default)]
    incoming: Option<SetUpIncoming>,
    /// Call it.
    #[serde(default)]
    outgoing: Option<SetUpOutgoing>,
}

/// How it is trusted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpIncoming {
    name: String,
    rules: RulesJson,
}

/// How it is called.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpOutgoing {
    /// Its name for people; the one it gives itself when left out.
    #[serde(default)]
    name: String,
    /// How long a session lasts, in seconds: 1 to 900; 300 when left out.
    #[serde(default)]
    lifetime_s: Option<u32>,
    /// Whether content is only accepted with a proven digest.
    #[serde(default)]
    require_content_digest: bool,
}

/// What was saved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SetUpSaved {
    /// The trusted application, if it is one now.
    application: Option<Application>,
    /// The server, if it is one now.
    server: Option<Server>,
}

/// First step: fetch what another application presents, and keep it waiting for an hour.
#[utoipa::path(post, path = "/set-ups", tag = "set-up", operation_id = "fetch_set_up", request_body = SetUpFetch,
    responses((status = 201, body = SetUp), (status = 422, body = Error), (status = 502, body = Error)))]
async fn fetch(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(what): extract::Json<SetUpFetch>,
) -> Result<(StatusCode, Json<SetUp>), Failure> {
    let what = FetchWhat {
        base_url: what.base_url,
        insecure_allow_http: what.insecure_allow_http,
        older_versions: what.older_versions,
    };
    let fetched = console.inner().setup.fetch(&what, visit.actor()).await?;
    Ok((StatusCode::CREATED, Json(SetUp::of(&console, fetched)?)))
}

/// First step for a peer that is there already and whose new certificate needs a person.
#[utoipa::path(post, path = "/set-ups/again", tag = "set-up", operation_id = "fetch_set_up_again",
    request_body = SetUpAgain,
    responses((status = 201, body = SetUp), (status = 404, body = Error), (status = 502, body = Error)))]
async fn fetch_again(
    State(console): State<Console>,
    visit: Visit,
    extract::Json(again): extract::Json<SetUpAgain>,
) -> Result<(StatusCode, Json<SetUp>), Failure> {
    let id = super::applications::app_id(&again.application)?;
    let fetched = console.inner().setup.fetch_again(&id, visit.actor()).await?;
    Ok((StatusCode::CREATED, Json(SetUp::of(&console, fetched)?)))
}

/// Get what waits.
#[utoipa::path(get, path = "/set-ups/{id}", tag = "set-up", operation_id = "get_set_up",
    params(("id" = String, Path, description = "Id of what waits")),
    responses((status = 200, body = SetUp), (status = 404, body = Error)))]
async fn get(State(console): State<Console>, Path(id): Path<String>) -> Result<Json<SetUp>, Failure> {
    let fetched = waiting(&console.inner().setup, &id).await?;
    Ok(Json(SetUp::of(&console, fetched)?))
}

/// Give up what waits.
#[utoipa::path(delete, path = "/set-ups/{id}", tag = "set-up", operation_id = "give_up_set_up",
    params(("id" = String, Path, description = "Id of what waits")),
    responses((status = 204), (status = 404, body = Error)))]
async fn give_up(State(console): State<Console>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let id: PendingId = id.parse().map_err(|_| lapsed())?;
    console.inner().setup.give_up(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Second step: save what was shown under this fingerprint, which a person has compared.
#[utoipa::path(post, path = "/set-ups/{id}/save", tag = "set-up", operation_id = "save_set_up",
    params(("id" = String, Path, description = "Id of what waits")), request_body = SetUpSave,
    responses((status = 200, body = SetUpSaved), (status = 404, body = Error), (status = 409, body = Error),
        (status = 422, body = Error)))]
async fn save(
    State(console): State<Console>,
    visit: Visit,
    Path(id): Path<String>,
    extract::Json(save): extract::Json<SetUpSave>,
) -> Result<Json<SetUpSaved>, Failure> {
    let id: PendingId = id.parse().map_err(|_| lapsed())?;
    let what = SaveWhat {
        incoming: match &save.incoming {
            Some(incoming) => Some(incoming.rules.text(&incoming.name)?),
            None => None,
        },
        outgoing: save.outgoing.map(|outgoing| OutgoingText {
            name: outgoing.name,
            lifetime: outgoing.lifetime_s.map(|seconds| seconds.to_string()).unwrap_or_default(),
            require_content_digest: outgoing.require_content_digest,
        }),
    };
    let setup = &console.inner().setup;
    let saved = setup.save(&id, &save.fingerprint, &what, visit.actor()).await;
    let saved = saved.map_err(|error| match Failure::from(error) {
        Failure::NotFound(_) => lapsed(),
        failure => failure,
    })?;
    // It is saved: what is asked of the database now must not make a failure of it.
    let (snapshot, now) = (console.store().snapshot(), console.now()?);
    Ok(Json(SetUpSaved {
        application: snapshot.application(saved.as_str()).map(|known| Application::of(known, now)),
        server: snapshot.server(saved.as_str()).map(|known| Server::of(known, now)),
    }))
}

impl SetUp {
    fn of(console: &Console, fetched: Fetched) -> Result<Self, Failure> {
        let now = console.now()?;
        let Fetched { pending, suggested, remarks } = fetched;
        let certificate = match &pending.presented {
            Presented::Certificate(certificate) => Some(certificate.as_ref().into()),
            Presented::LegacyPage(_) => None,
        };
        let rules = suggested.parse(console.inner().greatest).ok();
        Ok(Self {
            id: pending.id.to_string(),
            application: pending.app_id().to_string(),
            base_url: pending.base_url.to_string(),
            fingerprint: pending.fingerprint(),
            certificate,
            keys: PeerKey::all_presented(&pending.presented, now).into_iter().map(Into::into).collect(),
            can_be_saved: !remarks.iter().any(Remark::prevents_saving),
            remarks: remarks.iter().map(SetUpRemark::of).collect(),
            suggested_name: suggested.name.clone(),
            suggested_rules: rules.map(|(_, rules)| RulesJson::of(&rules)),
            fetched: (&pending.fetched).into(),
            lapses_at: rfc3339(taa_core::time::UnixMillis(
                pending.fetched.at.0.saturating_add(Pending::LAPSES_AFTER),
            )),
        })
    }
}

impl SetUpRemark {
    fn of(remark: &Remark) -> Self {
        let kind = match remark {
            Remark::BaseUrlDiffers { .. } => "base_url_differs",
            Remark::ClientOnly => "client_only",
            Remark::InsecureHttp => "insecure_http",
            Remark::KeyInUse { .. } => "key_in_use",
            Remark::Known { .. } => "known",
            Remark::OlderVersions => "older_versions",
            Remark::OtherLegacyKey => "other_legacy_key",
            Remark::OwnId => "own_id",
            Remark::Unannounced(_) => "unannounced",
            _ => "other",
        };
        Self { kind, message: remark.text() }
    }
}
