//! Every attack that is known, tried for ever.

mod older;
mod version4;

pub(crate) use older::legacy_key;
