//! What both example applications need to run by themselves: identity and keys in a folder, a listener that knows its
//! callers' addresses, and waiting until a peer has come up.

mod identity;
mod listen;
mod peer;
mod security_headers;
mod set_up;

pub use identity::{IdentityArgs, OwnIdentity};
pub use listen::{init_logging, peer_address, serve_while};
pub use peer::{Peer, Wanted, wait_for};
pub use security_headers::add_security_headers;
pub use set_up::SetUp;
