//! What both example applications need to run by themselves: identity and keys in a folder, a listener that knows its
//! callers' addresses, and waiting until a peer has come up.

mod identity;
mod listen;
mod peer;

pub use identity::{IdentityArgs, OwnIdentity};
pub use listen::{init_logging, peer_address, serve};
pub use peer::{Peer, Wanted, wait_for};
