//! Nonces that all nodes of one server id share, in Redis.
//!
//! A request is new when Redis had no key for its nonce. One script decides that in one step and one round trip
//! (`redis/script.rs`); every failure refuses the request.
//!
//! # When Redis loses its memory
//!
//! Nonces live in Redis' memory. What it loses by a restart, a failover or a `FLUSHALL` could be used a second time, so this is
//! noticed: the script compares two things with what this node knows, an *epoch* under a key of its own, which goes with
//! the others, and Redis' `run_id`, which a process that was started or promoted does not have in common with the one
//! before. A difference is [`NonceError::Forgotten`] for everything until the server has raised its fence and calls
//! [`NonceStore::resume`]: about a minute of refusals instead of a gap. The same when Redis' clock, by which nonces lapse,
//! has gone ahead of this node's by more than 30 s.
//!
//! What cannot be noticed: two primaries at once after a network was cut in two. `min-replicas-to-write` prevents it.
//!
//! # What Redis must be
//!
//! Redis 5 or newer, or Valkey; one server or a primary behind one address (no cluster protocol, no sentinel protocol).
//! `maxmemory-policy noeviction`, which is Redis' default: evicting a nonce would make its request good again. A user with
//! `EVALSHA`, `SCRIPT LOAD`, `INFO`, `GET`, `SET`, `EXISTS`, `INCR`, `PEXPIRE`, `TIME`, and if possible `CONFIG GET`.

mod epoch;
mod error;
mod look;
mod options;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, ConnectionAddr, IntoConnectionInfo, RedisResult, ScriptInvocation};
use taa_core::id::AppId;
use taa_core::nonce::{NonceError, NonceKey, NonceStore, Seen};
use taa_core::time::Clock;

use self::epoch::{Adopted, Epoch};
use self::script::{Keys, Reply, Scripts};

pub use self::error::RedisNoncesError;
pub use self::options::{RedisLimits, RedisOptions};

/// Nonces in Redis, shared by all nodes of one server id. Cloning shares the connection.
#[derive(Clone)]
pub struct RedisNonces(Arc<Inner>);

struct Inner {
    manager: ConnectionManager,
    keys: Keys,
    scripts: Scripts,
    limits: RedisLimits,
    /// How long an answer is awaited, with a new connection in it if there has to be one.
    patience: Duration,
    clock: Arc<dyn Clock>,
    adopted: Mutex<Adopted>,
}

impl RedisNonces {
    /// Connects, and checks that Redis may be trusted with nonces. `url` is `redis://` or `rediss://` (TLS) with user and
    /// password where there are some; it is shown nowhere.
    ///
    /// `known` is what [`epoch`](Self::epoch) gave to this or another node and what the store remembers; none when this
    /// server id has never used shared nonces.
    ///
    /// # Errors
    /// When the URL cannot be read, Redis cannot be reached or used, or would evict nonces.
    pub async fn connect(
        url: &str,
        server_id: &AppId,
        known: Option<&str>,
        options: RedisOptions,
    ) -> Result<Self, RedisNoncesError> {
        let mut manager = connection(url, &options).await?;
        check_eviction(&mut manager, options.command_timeout).await?;

        let (keys, scripts) = (Keys::of(server_id), Scripts::new());
        let fresh = match known {
            Some(_) => String::new(),
            None => Epoch::fresh_id().map_err(|_| RedisNoncesError::Random)?,
        };
        let call = scripts.adopt(&keys, &fresh);
        let Reply { code: _, epoch, time } =
            invoke(&call, &mut manager, options.command_timeout).await.map_err(RedisNoncesError::Connect)?;
        let now = options.clock.monotonic();
        // What is known and cannot be read is no epoch that Redis can have.
        let adopted = match known {
            Some(known) => Adopted::known(known, time, now),
            None => Adopted::first(epoch, time, now),
        };
        Ok(Self(Arc::new(Inner {
            manager,
            keys,
            scripts,
            limits: options.limits,
            patience: options.command_timeout,
            clock: options.clock,
            adopted: Mutex::new(adopted),
        })))
    }

    /// What the store should remember for the next start of any node: by this it is noticed that Redis lost its memory
    /// while nobody was there. Ask again from time to time.
    ///
    /// After such a loss it is none for half an hour: a node that is started meanwhile must raise its fence too.
    #[must_use]
    pub fn epoch(&self) -> Option<String> {
        self.adopted().to_remember(self.0.clock.monotonic())
    }

    fn adopted(&self) -> MutexGuard<'_, Adopted> {
        self.0.adopted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<'s>(&'s self, call: impl FnOnce(&Epoch) -> ScriptInvocation<'s>) -> Result<i64, NonceError> {
        let epoch = self.adopted().epoch();
        let call = call(&epoch);
        let mut manager = self.0.manager.clone();
        let Reply { code, time, .. } = invoke(&call, &mut manager, self.0.patience).await?;
        let leapt = self.adopted().has_leapt(time, self.0.clock.monotonic());
        if code == script::FORGOTTEN || leapt { Err(NonceError::Forgotten) } else { Ok(code) }
    }
}

impl NonceStore for RedisNonces {
    async fn record(&self, app: &AppId, key: NonceKey, keep: Duration) -> Result<Seen, NonceError> {
        let Inner { scripts, keys, limits, .. } = &*self.0;
        let class = limits.class(keep).ok_or(NonceError::TooLong)?;
        match self.ask(|epoch| scripts.record(keys, epoch, app, &key, keep, class)).await? {
            script::FIRST => Ok(Seen::First),
            script::BEFORE => Ok(Seen::Before),
            script::FULL => Err(NonceError::Full),
            _ => Err(NonceError::Unavailable("an answer that the script does not give".into())),
        }
    }

    async fn contains(&self, key: NonceKey) -> Result<bool, NonceError> {
        let Inner { scripts, keys, .. } = &*self.0;
        Ok(self.ask(|epoch| scripts.contains(keys, epoch, &key)).await? == script::BEFORE)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn resume(&self) -> Result<(), NonceError> {
        let Inner { scripts, keys, .. } = &*self.0;
        let mut manager = self.0.manager.clone();
        let fresh = Epoch::fresh_id().map_err(|error| NonceError::Unavailable(error.into()))?;
        let call = scripts.adopt(keys, &fresh);
        let Reply { epoch, time, .. } = invoke(&call, &mut manager, self.0.patience).await?;
        self.adopted().resume(epoch, time, self.0.clock.monotonic());
        Ok(())
    }
}

impl fmt::Debug for RedisNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the connection: it knows the password.
        write!(f, "RedisNonces({})", self.0.keys.epoch())
    }
}

async fn connection(url: &str, options: &RedisOptions) -> Result<ConnectionManager, RedisNoncesError> {
    let info = url.into_connection_info().map_err(|_| RedisNoncesError::Url)?;
    match info.addr() {
        // Without a provider for the process rustls panics where more than one was compiled in. Err: there is one.
        ConnectionAddr::TcpTls { .. } => {
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default())
        }
        ConnectionAddr::Tcp(host, _) if !is_loopback(host) => tracing::warn!(
            target: "taa",
            "nonces go to Redis without TLS: who is on the way can make a request good twice; use rediss://"
        ),
        _ => {}
    }
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    // A connection whose other end is gone without a word is given up after as long.
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(options.connect_timeout.saturating_mul(2));
    let client = Client::open(info.set_tcp_settings(tcp)).map_err(|_| RedisNoncesError::Url)?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(options.connect_timeout))
        .set_response_timeout(Some(options.command_timeout))
        // Requests try again as they come; none waits for a series of attempts.
        .set_number_of_retries(0)
        .set_pipeline_buffer_size(1024);
    let connecting = ConnectionManager::new_with_config(client, config);
    match tokio::time::timeout(options.connect_timeout.saturating_mul(2), connecting).await {
        Ok(connected) => connected.map_err(|error| RedisNoncesError::Connect(Failure::Redis(error).into())),
        Err(_) => Err(RedisNoncesError::Connect(Failure::Late.into())),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Refuses a Redis that would drop nonces when it is full.
async fn check_eviction(manager: &mut ConnectionManager, patience: Duration) -> Result<(), RedisNoncesError> {
    let mut setting = async |name: &str| {
        let mut command = ::redis::cmd("CONFIG");
        command.arg("GET").arg(name);
        let asked = within(patience, command.query_async::<Vec<String>>(manager)).await;
        asked.map(|pair| pair.into_iter().nth(1).unwrap_or_default())
    };
    match (setting("maxmemory").await, setting("maxmemory-policy").await) {
        (Ok(most), Ok(policy)) if most != "0" && policy != "noeviction" => {
            Err(RedisNoncesError::Evicts { policy })
        }
        (Ok(_), Ok(_)) => Ok(()),
        (Err(Failure::Redis(error)), _) | (_, Err(Failure::Redis(error))) if error.code().is_some() => {
            tracing::warn!(
                target: "taa",
                %error,
                "Redis does not tell its maxmemory-policy: it must be noeviction, or requests become good twice"
            );
            Ok(())
        }
        (Err(failure), _) | (_, Err(failure)) => Err(RedisNoncesError::Connect(failure.into())),
    }
}

async fn invoke(
    call: &ScriptInvocation<'_>,
    manager: &mut ConnectionManager,
    patience: Duration,
) -> Result<Reply, NonceError> {
    let reply = within(patience, call.invoke_async(manager)).await?;
    Reply::read(reply)
        .ok_or_else(|| NonceError::Unavailable("an answer that the script does not give".into()))
}

/// No answer in time, or a refusal.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no answer in time")]
    Late,
    #[error(transparent)]
    Redis(#[from] ::redis::RedisError),
}

async fn within<T>(patience: Duration, asked: impl Future<Output = RedisResult<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(patience, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Late),
    }
}

impl From<Failure> for NonceError {
    fn from(failure: Failure) -> Self {
        match failure {
            // Above maxmemory with noeviction: nothing was written, nothing is forgotten.
            Failure::Redis(error) if script::is_out_of_memory(&error) => Self::Full,
            failure => Self::Unavailable(Box::new(failure)),
        }
    }
}

#[cfg(test)]
mod tests;
