use taa_client::BuildError;
use taa_core::id::AppId;
use taa_core::time::UnixMillis;
use taa_server::TrustError;
use taa_store::StoreError;

/// Something that is not as it should be in this process; what it says is a sentence for the person who runs it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Another process answers for this application as well, and nonces are not shared.
    #[error(
        "another process answers for this application as well ({label}), and this one keeps nonces in its memory: each \
         request is good once in each of them. Let them share nonces in Redis, or stop one"
    )]
    AnotherNode {
        /// How it names itself.
        label: String,
    },
    /// A trusted application is left out: to requests it is unknown.
    #[error("{id} is not trusted, because its record cannot be used: {why}")]
    ApplicationLeftOut {
        /// Which.
        id: AppId,
        /// Why.
        why: String,
    },
    /// The own keys in the store cannot be used; those before stay in use.
    #[error("the own keys in the store are not in use: {0}")]
    Identity(String),
    /// A server is left out: nothing is signed for it.
    #[error("nothing is signed for {id}, because its record cannot be used: {why}")]
    ServerLeftOut {
        /// Which.
        id: String,
        /// Why.
        why: String,
    },
    /// An older copy of the store, or another one, was put in its place while this process ran.
    #[error(
        "an older copy of the store has been put in its place: what was changed after that copy was made is lost, and who was \
         revoked since is trusted again. Look through the records, make what is missing anew, and restart this process"
    )]
    StoreSetBack {
        /// When this process noticed.
        at: UnixMillis,
    },
    /// The store was not reached for the length of the lease.
    #[error("the store cannot be reached: every trusted request is refused")]
    StoreUnreached,
}

/// Why a [`Keeper`](super::Keeper) cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The signer cannot be made.
    #[error(transparent)]
    Signer(#[from] BuildError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration of the server cannot be safe.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There is a [`Trust`](taa_server::Trust) already: with a second one each request would be good once in each.
    #[error("this keeper has made a Trust already: clone that one, and name shared nonces before it is made")]
    TrustMade,
    /// Redis cannot keep the nonces.
    #[cfg(feature = "redis")]
    #[error(transparent)]
    Redis(#[from] taa_store::redis::RedisNoncesError),
}
