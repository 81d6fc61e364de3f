//! What the benches have in common: keys, a client and a server that know each other, and things to compare with.
//!
//! Nothing here is part of the product. What cannot be set up ends the bench.

mod cases;
mod keys;
mod leap;
mod older;
mod pair;
mod report;
mod sessions;
mod site;
mod stopwatch;
mod token;
mod verifier;

pub use cases::{Speed, parts, providers};
pub use keys::{Key, SIZES, private_der, private_pem};
pub use older::Older;
pub use pair::{Client, client_identity, identity_with, policy, server_identity};
pub use report::{Report, Row, is_smoke_run, results};
pub use sessions::{KnownSessions, LastSession};
pub use site::{ANSWER, Site, handler, received};
pub use stopwatch::{Nanos, Stopwatch};
pub use token::{Claims, Tokens};
pub use verifier::{USUAL_NONCES, Verifier, many_nonces};
