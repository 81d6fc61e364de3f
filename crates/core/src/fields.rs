//! The names of the header fields, shared by all versions.

use http::HeaderName;

/// `X-Seraph-Trusted-App-Version`
pub const VERSION: HeaderName = HeaderName::from_static(text::VERSION);
/// `X-Seraph-Trusted-App-ID`
pub const ID: HeaderName = HeaderName::from_static(text::ID);
/// `X-Seraph-Trusted-App-Key`
pub const KEY: HeaderName = HeaderName::from_static(text::KEY);
/// `X-Seraph-Trusted-App-Signature`
pub const SIGNATURE: HeaderName = HeaderName::from_static(text::SIGNATURE);
/// `X-Seraph-Trusted-App-Cert`
pub const CERT: HeaderName = HeaderName::from_static(text::CERT);
/// `X-Seraph-Trusted-App-Magic`, of the older versions
pub const MAGIC: HeaderName = HeaderName::from_static(text::MAGIC);
/// `X-Seraph-Trusted-App-Status`, in answers
pub const STATUS: HeaderName = HeaderName::from_static("x-seraph-trusted-app-status");
/// `X-Seraph-Trusted-App-Error`, in answers
pub const ERROR: HeaderName = HeaderName::from_static("x-seraph-trusted-app-error");
/// `X-Seraph-Trusted-App-Proof`, in answers of version 4
pub const PROOF: HeaderName = HeaderName::from_static("x-seraph-trusted-app-proof");
/// `Content-Digest` (RFC 9530)
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The five fields of a version 4 request.
pub const REQUEST: [HeaderName; 5] = [VERSION, ID, KEY, SIGNATURE, CERT];

/// What every field of the protocol begins with.
pub const PREFIX: &str = "x-seraph-trusted-app-";

/// Fields that make some servers see another method or target than the one that was signed.
pub const OVERRIDES: [HeaderName; 6] = [
    http::header::CONTENT_ENCODING,
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// The names of the request fields as text, in lower case.
pub mod text {
    /// The certificate.
    pub const CERT: &str = "x-seraph-trusted-app-cert";
    /// The application's id.
    pub const ID: &str = "x-seraph-trusted-app-id";
    /// The envelope; in versions 0 to 2 the RC4 key under textbook RSA.
    pub const KEY: &str = "x-seraph-trusted-app-key";
    /// The magic text under textbook RSA, versions 1 and 2.
    pub const MAGIC: &str = "x-seraph-trusted-app-magic";
    /// The signature.
    pub const SIGNATURE: &str = "x-seraph-trusted-app-signature";
    /// The version.
    pub const VERSION: &str = "x-seraph-trusted-app-version";

    /// All six.
    pub const ALL: [&str; 6] = [ID, CERT, KEY, VERSION, MAGIC, SIGNATURE];
}
