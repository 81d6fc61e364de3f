use axum::Json;
use axum::extract::State;
use serde::Serialize;
use taa_service::what_if::Verdict;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use crate::console::Console;
use crate::extract::Query;
use crate::failure::Failure;
use crate::view::{Asked, Judgement};

pub(super) fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(judge))
}

/// Whether a request would be allowed, as far as rules decide.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WhatIf {
    /// False when a rule refuses it.
    allowed: bool,
    /// The number of the step that refuses it.
    decided_by: Option<u8>,
    /// The code the caller would get.
    code: Option<&'static str>,
    /// Every step, in the order of the wire document, section 5.
    steps: Vec<WhatIfStep>,
    /// A path that no rule allows, in the form a rule for it would have.
    missing_path: Option<String>,
}

/// One step and how it ends.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WhatIfStep {
    number: u8,
    /// What is checked.
    check: &'static str,
    /// `passes`, `fails` or `unknown`: only a request itself shows it.
    verdict: &'static str,
    /// The code the caller would get.
    code: Option<&'static str>,
    /// The rule that decides, or why there is none.
    because: String,
}

/// Would this request be allowed? Nothing is sent.
#[utoipa::path(get, path = "/what-if", tag = "what-if", operation_id = "what_if", params(Asked),
    responses((status = 200, body = WhatIf), (status = 422, body = Error)))]
async fn judge(State(console): State<Console>, Query(asked): Query<Asked>) -> Result<Json<WhatIf>, Failure> {
    let snapshot = console.snapshot().await?;
    let judgement = Judgement::of(&console, &snapshot, &asked).await?;
    let steps = judgement.steps.into_iter().map(|step| {
        let (verdict, code) = match step.verdict {
            Verdict::Passes => ("passes", None),
            Verdict::Fails(code) => ("fails", Some(code.as_str())),
            Verdict::Unknown => ("unknown", None),
        };
        WhatIfStep { number: step.number, check: step.check, verdict, code, because: step.because }
    });
    Ok(Json(WhatIf {
        allowed: judgement.refused.is_none(),
        decided_by: judgement.refused.as_ref().map(|refused| refused.step),
        code: judgement.refused.as_ref().map(|refused| refused.code.as_str()),
        steps: steps.collect(),
        missing_path: judgement.missing_path,
    }))
}
