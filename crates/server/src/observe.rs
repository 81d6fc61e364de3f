//! Events and counters. No label and no field holds what an unproven caller sent.

use std::time::Duration;

use taa_core::decision::Refusal;
use taa_core::id::AppId;
use taa_core::policy::Protocol;

use crate::principal::Principal;

/// A trusted request: one event, one count. The clock is asked only when somebody wants to know.
pub(crate) fn trusted(principal: &Principal, took: impl Fn() -> Duration) {
    tracing::debug!(
        target: "taa::auth",
        {
        auth.outcome = "trusted",
        auth.application = %principal.application(),
        auth.user = %principal.user(),
        auth.protocol = %principal.protocol(),
        auth.micros = took().as_micros(),
        },
        "trusted request"
    );
    count("trusted", "OK", Some(principal.protocol()), took);
}

/// A refused request. The application is named only when it is one of the directory's.
pub(crate) fn refused(
    refusal: &Refusal,
    application: Option<&AppId>,
    protocol: Option<Protocol>,
    proven: bool,
    took: impl Fn() -> Duration,
) {
    let code = refusal.code().as_str();
    tracing::warn!(
        target: "taa::auth",
        {
        auth.outcome = "refused",
        auth.application = application.map_or("", AppId::as_str),
        auth.proven = proven,
        auth.code = code,
        auth.reason = %refusal,
        auth.micros = took().as_micros(),
        },
        "refused request"
    );
    count("refused", code, protocol, took);
}

#[cfg(feature = "metrics")]
fn count(outcome: &'static str, code: &'static str, protocol: Option<Protocol>, took: impl Fn() -> Duration) {
    use metrics::{counter, histogram};

    // A key that is written out is made once; one that is put together asks for memory at each request.
    if let ("trusted", Some(Protocol::V4)) = (outcome, protocol) {
        counter!("taa_requests_total", "outcome" => "trusted", "code" => "OK", "version" => "4").increment(1);
        histogram!("taa_request_check_seconds", "outcome" => "trusted").record(took().as_secs_f64());
        return;
    }
    let version = match protocol {
        Some(Protocol::V4) => "4",
        Some(Protocol::V3) => "3",
        Some(Protocol::V2) => "2",
        None => "other",
    };
    counter!("taa_requests_total", "outcome" => outcome, "code" => code, "version" => version).increment(1);
    histogram!("taa_request_check_seconds", "outcome" => outcome).record(took().as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str, _: &'static str, _: Option<Protocol>, _: impl Fn() -> Duration) {}
