//! The layer as a service: no socket, and a clock that is moved by hand.

mod answers;
mod bodies;
mod certificate;
pub(crate) mod disk;
mod durable;
mod extractors;
mod observed;
mod policy;
mod replay;
mod requests;
mod routes;
mod users;
mod vectors;
pub(crate) mod world;
