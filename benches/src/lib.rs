//! What the benches have in common: keys, a client and a server that know each other, and things to compare with.
//!
//! Nothing here is part of the product. What cannot be set up ends the bench.

mod cases;
mod keys;
mod older;
mod pair;
mod token;
mod verifier;

pub use cases::{Speed, parts, providers};
pub use keys::{Key, SIZES, private_der, private_pem};
pub use older::Older;
pub use pair::{Client, client_identity, policy, server_identity};
pub use token::Tokens;
pub use verifier::{KnownSessions, Verifier, many_nonces};
