use http::HeaderName;
use taa_core::crypto::RandomError;
use taa_core::envelope::SealError;
use taa_core::id::AppId;
use taa_core::key::KeyError;
use taa_core::policy::PathError;
use taa_core::request::TargetError;
use taa_core::time::ClockError;
use url::Url;

/// Why a request was not signed. It is as it was before, and must not be sent without the user it was meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A server with a base path may be left by this path, because servers read it differently.
    #[error("the path is ambiguous: {0}")]
    AmbiguousPath(#[from] PathError),
    /// There is no time.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// `Connection` names a field of the protocol: proxies would take it out.
    #[error("the Connection field names {0}")]
    Connection(HeaderName),
    /// The request carries `Authorization`, `Cookie`, or a user in its URL: the server would not look at them, and they
    /// are nothing for it to know.
    #[error("the request carries credentials of its own")]
    Credentials,
    /// A value does not fit a field.
    #[error("a value does not fit a field")]
    Field,
    /// A field that is covered stands in the request twice.
    #[error("the field {0} occurs twice")]
    FieldDoubled(HeaderName),
    /// A field that is covered is not ASCII.
    #[error("the field {0} is not ASCII")]
    FieldNotAscii(HeaderName),
    /// The `Host` field names another server than the URL.
    #[error("the Host field names another server")]
    Host,
    /// The older versions could not sign it.
    #[cfg(feature = "legacy")]
    #[error(transparent)]
    Legacy(#[from] taa_core::legacy::SignError),
    /// The method is `CONNECT`, which has no target that could be covered.
    #[error("the method CONNECT cannot be signed")]
    Method,
    /// The request has a field that makes some servers see another request. The server would refuse it.
    #[error("the field {0} is not accepted in a signed request")]
    Override(HeaderName),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The server's decryption key has ended; its certificate has to be fetched again.
    #[error("the server's decryption key has ended")]
    ServerKeyEnded,
    /// No session could be made.
    #[error("no session could be made: {0}")]
    Session(#[source] SealError),
    /// The target cannot be covered.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// There is no room for more fields.
    #[error("the request has too many fields")]
    TooManyFields,
    /// The URL is not one of a server that is known. Nothing is ever sent elsewhere.
    #[error("the URL belongs to no server that is known")]
    UnknownServer,
}

/// Why servers cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The cryptography provider cannot use a server's key.
    #[error("the key of {id} cannot be used: {error}")]
    Key {
        /// The server.
        id: AppId,
        /// What is wrong with it.
        error: KeyError,
    },
    /// The key of the older versions is one of version 4 as well: one key has one purpose.
    #[cfg(feature = "legacy")]
    #[error("the key of the older versions is used for version 4 as well")]
    LegacyKeyInUse,
    /// A server speaks an older version, and there is no key for that.
    #[cfg(feature = "legacy")]
    #[error("{0} speaks an older version, and no key was given for that")]
    NoLegacyKey(AppId),
    /// No cryptography provider was given, and none is the default in this build.
    #[error("no cryptography provider was given")]
    NoProvider,
    /// The identity is of another application: make a new signer for it.
    #[error("the identity is of another application")]
    OtherIdentity,
    /// Two servers have one base URL: it would be open for which of them a request is signed.
    #[error("two servers have the base URL {0}")]
    SameBaseUrl(Url),
    /// Two servers have one id.
    #[error("two servers have the id {0}")]
    SameId(AppId),
}
