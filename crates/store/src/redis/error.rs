use taa_core::nonce::NonceError;

/// Why Redis cannot keep the nonces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedisNoncesError {
    /// It cannot be reached, or does not let this user do what is needed.
    #[error("Redis cannot be used for nonces")]
    Connect(#[source] NonceError),
    /// It drops keys when it is full.
    #[error(
        "Redis has a maxmemory and maxmemory-policy {policy}: it would drop nonces, and requests become good twice; \
         set maxmemory-policy to noeviction"
    )]
    Evicts {
        /// Its policy.
        policy: String,
    },
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Random,
    /// The URL cannot be read. It may hold a password, so it is not repeated here.
    #[error(
        "the URL of Redis is none: redis://HOST:PORT, rediss:// for TLS, with USER:PASSWORD@ where needed"
    )]
    Url,
}
