//! The demo example.
