//! Keeps a server and a client in step with the store, and sets trust up: what services, the console and the command
//! have in common.
//!
//! * [`Keeper`]: makes a server and a client from the store and keeps them in step with it.
//! * [`Setup`]: a peer's certificate is fetched, kept pending on the server, shown, and only what was shown is saved.
//! * [`refresh`]: certificates of peers are fetched again in the background and taken over as the protocol allows.
//! * [`what_if`]: would this request be allowed, and which rule decides?

mod keeper;
pub mod refresh;
mod setup;
#[cfg(test)]
mod testing;
mod text;
pub mod what_if;

pub use keeper::{Keeper, KeeperError, KeeperOptions, Problem};
pub use setup::{
    FetchWhat, Fetched, OLDER_VERSIONS, OutgoingText, Remark, SaveError, SaveWhat, Setup, SetupError,
};
