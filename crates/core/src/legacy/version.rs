use std::fmt;

use crate::policy::Protocol;

/// A version that carries a signature, so one that may authenticate at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignedVersion {
    /// Signs time and URL; the certificate is under RC4 without a MAC.
    V2,
    /// Signs time, URL and user; the certificate is in clear.
    V3,
}

impl SignedVersion {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl From<SignedVersion> for Protocol {
    fn from(version: SignedVersion) -> Self {
        match version {
            SignedVersion::V2 => Self::V2,
            SignedVersion::V3 => Self::V3,
        }
    }
}

/// Any of the older versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// No `Version` field; proves nothing.
    V0,
    /// `1`; proves nothing.
    V1,
    /// `2`.
    V2,
    /// `3`.
    V3,
}

impl Version {
    /// The number on the wire; 0 is written by leaving the field out.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl From<SignedVersion> for Version {
    fn from(version: SignedVersion) -> Self {
        match version {
            SignedVersion::V2 => Self::V2,
            SignedVersion::V3 => Self::V3,
        }
    }
}

impl fmt::Display for SignedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}
