//! The tracker example.
