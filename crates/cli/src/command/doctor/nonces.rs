//! The Redis that nodes share their nonces in.

use super::Findings;

const ABOUT: &str = "nonces in Redis";

#[cfg(feature = "redis")]
pub(super) async fn look(url: &str, findings: &mut Findings) {
    match memory(url).await {
        Err(why) => findings.bad(
            ABOUT,
            format!("cannot be asked: {why}"),
            "Every request is refused with SYSTEM until it answers: bring it back, or correct the address.",
        ),
        Ok(info) => {
            let member =
                |name: &str| info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
            match (member("maxmemory_policy"), member("maxmemory")) {
                (Some("noeviction"), _) => findings.ok(ABOUT, "answers, and forgets nothing (noeviction)"),
                (Some(policy), Some("0")) => findings.warn(
                    ABOUT,
                    format!("maxmemory-policy is {policy}; it has no effect only while maxmemory is 0"),
                    "Set maxmemory-policy noeviction, before somebody sets maxmemory.",
                ),
                (Some(policy), _) => findings.bad(
                    ABOUT,
                    format!(
                        "maxmemory-policy is {policy}: when it is full it forgets nonces, and requests become good twice"
                    ),
                    "Set maxmemory-policy noeviction.",
                ),
                (None, _) => findings.warn(
                    ABOUT,
                    "answers, and does not tell its maxmemory-policy",
                    "See to it that it is noeviction.",
                ),
            }
        }
    }
    if url.starts_with("redis://") && !is_loopback(url) {
        findings.warn(
            ABOUT,
            "is asked without TLS: who is on the way can make a request good twice",
            "Use rediss:// where the way is not the operator's own.",
        );
    }
}

#[cfg(feature = "redis")]
fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return true };
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        None => true,
    }
}

/// What `INFO memory` says. `CONFIG` is often forbidden.
#[cfg(feature = "redis")]
async fn memory(url: &str) -> Result<String, String> {
    use std::time::Duration;

    // Its own text may repeat the URL with a password in it.
    // Without a provider for the process rustls panics where more than one was compiled in. Err: there is one.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let client = redis::Client::open(url).map_err(|_| "this is no address of a Redis".to_owned())?;
    let ask = async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("INFO").arg("memory").query_async::<String>(&mut connection).await
    };
    match tokio::time::timeout(Duration::from_secs(5), ask).await {
        Ok(answer) => answer.map_err(|error| error.category().to_owned()),
        Err(_) => Err("it does not answer within 5 seconds".to_owned()),
    }
}

#[cfg(not(feature = "redis"))]
#[allow(clippy::unused_async, reason = "there is nothing to ask")]
pub(super) async fn look(_: &str, findings: &mut Findings) {
    findings.bad(ABOUT, "cannot be looked at", "This command was built without the feature `redis`.");
}
