//! A keeper with a store in a file: what is changed in the store is in force for the next request.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code, helpers too"
)]

mod changes;
mod nodes;
mod outgoing;
mod restarts;
mod world;
