//! The wiki example.
