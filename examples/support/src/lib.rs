//! What both example applications need to run by themselves: identity and keys in a folder, a listener that knows its
//! callers' addresses, and waiting until a peer has come up.

mod attempts;
mod first;
mod form_token;
mod identity;
mod listen;
mod password;
mod peer;
mod round_robin;
mod secret;
mod secret_file;
mod secret_url;
mod security_headers;
mod set_up;
mod store;

pub use attempts::Attempts;
pub use first::{Role, set_up_once};
pub use form_token::{FormKey, Purpose};
pub use identity::{IdentityArgs, OwnIdentity};
pub use listen::{init_logging, peer_address, serve_while};
pub use password::{Password, PasswordError, StoredPassword};
pub use peer::{Met, Peer, Wanted, wait_for};
pub use round_robin::RoundRobin;
pub use secret::{NoRandomness, Secret};
pub use secret_file::write as write_secret_file;
pub use secret_url::SecretUrl;
pub use security_headers::add_security_headers;
pub use set_up::SetUp;
pub use store::{Kept, StoreArgs, by_options};
