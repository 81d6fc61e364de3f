//! Trusted Applications Authentication: the client side.
