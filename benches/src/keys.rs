//! Test keys that stay the same from run to run, and need not be made: the pure-Rust provider takes seconds for one.

use pkcs8::SecretDocument;

/// The lengths of keys that are measured, in bits.
pub const SIZES: [usize; 2] = [2048, 3072];

/// What a test key is for.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// Signs envelopes and the client's certificate.
    Client,
    /// Signs versions 2 and 3.
    Older,
    /// Opens envelopes.
    Server,
}

/// A test key as a PEM block `PRIVATE KEY`.
///
/// # Panics
/// When there is none of this length.
#[must_use]
pub fn private_pem(key: Key, bits: usize) -> &'static str {
    match (key, bits) {
        (Key::Client, 2048) => include_str!("../keys/client-2048.pem"),
        (Key::Client, 3072) => include_str!("../keys/client-3072.pem"),
        (Key::Older, 2048) => include_str!("../keys/legacy-2048.pem"),
        (Key::Older, 3072) => include_str!("../keys/legacy-3072.pem"),
        (Key::Server, 2048) => include_str!("../keys/server-2048.pem"),
        (Key::Server, 3072) => include_str!("../keys/server-3072.pem"),
        (_, other) => panic!("no test key of {other} bits"),
    }
}

/// A test key as PKCS#8 DER, as a provider takes it.
///
/// # Panics
/// When there is none of this length.
#[must_use]
pub fn private_der(key: Key, bits: usize) -> Vec<u8> {
    let (_, document) = SecretDocument::from_pem(private_pem(key, bits)).expect("a PEM block");
    document.as_bytes().to_vec()
}
