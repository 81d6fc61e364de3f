//! The Redis that nodes share their nonces in.

use taa_core::id::AppId;
use taa_store::Store;

use super::Findings;

const ABOUT: &str = "nonces in Redis";

/// What the nodes of an application have told the store of their Redis.
#[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "there is nothing to compare it with"))]
pub(super) struct OfNodes {
    id: AppId,
    epoch: String,
}

/// None where no node has used shared nonces.
pub(super) async fn of_nodes(store: &Store, findings: &mut Findings) -> Option<OfNodes> {
    let id = store.snapshot().own.as_ref()?.certificate.content().iss.clone();
    match store.nonce_epoch().await {
        Ok(epoch) => epoch.filter(|epoch| !epoch.is_empty()).map(|epoch| OfNodes { id, epoch }),
        Err(error) => {
            findings.bad(ABOUT, crate::exit::chain(&error), "See the state of the database.");
            None
        }
    }
}

#[cfg(feature = "redis")]
pub(super) async fn look(url: &str, nodes: Option<OfNodes>, findings: &mut Findings) {
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
            memory_of(url, nodes, findings).await;
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

/// Whether it is the one that the nodes use, with all that they have put there.
#[cfg(feature = "redis")]
async fn memory_of(url: &str, nodes: Option<OfNodes>, findings: &mut Findings) {
    use taa_store::redis::{RedisNonces, RedisOptions};

    const MEMORY: &str = "memory of Redis";
    let Some(OfNodes { id, epoch }) = nodes else {
        findings.warn(
            MEMORY,
            "no node has told the store that it keeps nonces in a Redis",
            "Where there are several nodes, give each of them this one.",
        );
        return;
    };
    match RedisNonces::has_memory(url, &id, &epoch, RedisOptions::default()).await {
        Ok(true) => findings.ok(MEMORY, "is the one that the nodes go by"),
        Ok(false) => findings.warn(
            MEMORY,
            "was lost since the nodes began with it, less than half an hour ago or while none was running; or this is \
             another Redis than theirs",
            "Nodes notice and refuse requests for 90 s, once. See that it is theirs, and why it lost its memory: a \
             restart, a failover, FLUSHALL.",
        ),
        Err(error) => findings.bad(MEMORY, crate::exit::chain(&error), "See the state of Redis."),
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
pub(super) async fn look(_: &str, _: Option<OfNodes>, findings: &mut Findings) {
    findings.bad(ABOUT, "cannot be looked at", "This command was built without the feature `redis`.");
}
