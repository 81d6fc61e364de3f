use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

/// A version of the protocol that may be accepted at all.
///
/// Versions 0 and 1 authenticate nobody (older versions, sections 17 and 19), so there is no value for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Protocol {
    /// Version 2: signs time and URL; the user's name can be exchanged by who sees a request.
    V2,
    /// Version 3: signs the user's name too; any method, any body, and nothing is encrypted.
    V3,
    /// Version 4.
    V4,
}

impl Protocol {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// Whether it is one of the older versions.
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        matches!(self, Self::V2 | Self::V3)
    }
}

impl TryFrom<u8> for Protocol {
    type Error = ProtocolError;

    fn try_from(number: u8) -> Result<Self, ProtocolError> {
        match number {
            2 => Ok(Self::V2),
            3 => Ok(Self::V3),
            4 => Ok(Self::V4),
            _ => Err(ProtocolError),
        }
    }
}

impl FromStr for Protocol {
    type Err = ProtocolError;

    /// Reads exactly one of the characters `2`, `3`, `4`.
    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        match text {
            "2" => Ok(Self::V2),
            "3" => Ok(Self::V3),
            "4" => Ok(Self::V4),
            _ => Err(ProtocolError),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl From<Protocol> for u8 {
    fn from(protocol: Protocol) -> Self {
        protocol.number()
    }
}

/// A version is none of those that may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protocol version is 2, 3 or 4")]
pub struct ProtocolError;

/// The lowest version accepted from one application, which rises by itself and never falls (wire document, section 8).
///
/// Once a request of version 4 was found good, older ones are refused. Versions 2 and 3 raise nothing: until version 4
/// was seen, what the person who set up the application allowed stays allowed. Remembering it durably is the store's
/// task: as long as [`Ratchet::observe`] answers true, the new floor has to be written before the request goes on; then
/// [`Ratchet::settle`] is told. Only a person lowers it, by changing the record; that makes a new ratchet.
#[derive(Debug)]
pub struct Ratchet {
    start: Protocol,
    seen_v4: AtomicBool,
    settled: AtomicBool,
}

impl Ratchet {
    /// Starts at the version that the application's record names as its lowest.
    #[must_use]
    pub const fn new(min_protocol: Protocol) -> Self {
        Self { start: min_protocol, seen_v4: AtomicBool::new(false), settled: AtomicBool::new(false) }
    }

    /// Starts at version 4, because the store tells that it was seen.
    #[must_use]
    pub const fn having_seen_v4(min_protocol: Protocol) -> Self {
        Self { start: min_protocol, seen_v4: AtomicBool::new(true), settled: AtomicBool::new(true) }
    }

    /// Takes note of a good request: one that has passed all checks up to time. True while it has raised a floor that is
    /// not written durably yet.
    pub fn observe(&self, protocol: Protocol) -> bool {
        if protocol < Protocol::V4 || self.start == Protocol::V4 {
            return false;
        }
        // Most requests find it true, and write nothing that others read.
        if !self.seen_v4.load(Ordering::Acquire) {
            self.seen_v4.store(true, Ordering::Release);
        }
        !self.settled.load(Ordering::Acquire)
    }

    /// Takes note that the floor was written durably.
    pub fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// The lowest version that is accepted now.
    #[must_use]
    pub fn floor(&self) -> Protocol {
        if self.seen_v4.load(Ordering::Acquire) { Protocol::V4 } else { self.start }
    }

    /// Whether a request of this version is accepted now.
    #[must_use]
    pub fn allows(&self, protocol: Protocol) -> bool {
        protocol >= self.floor()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_versions() {
        for protocol in [Protocol::V2, Protocol::V3, Protocol::V4] {
            assert_eq!(Protocol::try_from(protocol.number()), Ok(protocol));
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        for number in [0, 1, 5, 255] {
            assert_eq!(Protocol::try_from(number), Err(ProtocolError));
        }
        for text in ["", "0", "1", "5", "+4", "04", " 4", "4 ", "v4"] {
            assert_eq!(text.parse::<Protocol>(), Err(ProtocolError), "{text:?}");
        }
        assert!(Protocol::V2 < Protocol::V3 && Protocol::V3 < Protocol::V4);
        assert_eq!(serde_json::to_string(&Protocol::V4).unwrap(), "4");
        assert!(serde_json::from_str::<Protocol>("1").is_err());
    }

    #[test]
    fn only_upwards() {
        let ratchet = Ratchet::new(Protocol::V2);
        assert!(!ratchet.observe(Protocol::V3) && ratchet.allows(Protocol::V2));
        assert!(ratchet.observe(Protocol::V4));
        assert!(ratchet.observe(Protocol::V4), "told until it is written");
        ratchet.settle();
        assert!(!ratchet.observe(Protocol::V4));
        assert!(!ratchet.observe(Protocol::V2));
        assert_eq!(ratchet.floor(), Protocol::V4);
        assert!(!ratchet.allows(Protocol::V3) && ratchet.allows(Protocol::V4));
    }

    #[test]
    fn what_the_store_tells_is_written_already() {
        let ratchet = Ratchet::having_seen_v4(Protocol::V2);
        assert!(!ratchet.allows(Protocol::V3) && ratchet.allows(Protocol::V4));
        assert!(!ratchet.observe(Protocol::V4));
    }

    #[test]
    fn nothing_to_raise() {
        let ratchet = Ratchet::new(Protocol::V4);
        assert!(!ratchet.observe(Protocol::V4) && !ratchet.observe(Protocol::V2));
        assert_eq!(ratchet.floor(), Protocol::V4);
    }
}
