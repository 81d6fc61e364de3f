use std::sync::atomic::{AtomicU64, Ordering};

use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;

/// Up to which time requests may have been accepted, for each version apart: those of versions 2 and 3 may be dated 15
/// minutes ahead. Zero, a moment before any request, where there is none.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    v2: AtomicU64,
    v3: AtomicU64,
    v4: AtomicU64,
}

impl Marks {
    pub(crate) fn of(&self, protocol: Protocol) -> UnixMillis {
        UnixMillis(self.cell(protocol).load(Ordering::Acquire))
    }

    /// Never lowers it.
    pub(crate) fn raise(&self, protocol: Protocol, to: UnixMillis) {
        self.cell(protocol).fetch_max(to.0, Ordering::AcqRel);
    }

    fn cell(&self, protocol: Protocol) -> &AtomicU64 {
        match protocol {
            Protocol::V2 => &self.v2,
            Protocol::V3 => &self.v3,
            Protocol::V4 => &self.v4,
        }
    }
}
