//! Trusted Applications Authentication: the server side.
