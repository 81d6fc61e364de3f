//! The console as a browser and a program see it: over a real store, with peers that listen on loopback.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "all of this is test code, helpers too"
)]

mod api;
mod applications;
mod audit;
mod changes;
mod door;
mod down;
mod escaping;
mod headers;
mod html;
mod own;
mod pages;
mod peers;
mod servers;
mod set_up;
mod style;
mod system;
mod users;
mod what_if;
mod world;
