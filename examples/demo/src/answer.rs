use std::fmt;

use http::response::Parts;
use taa_client::TrustAnswer;
use taa_core::answer::Code;

/// What an application got: status, code, and whether the tracker proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<Code>,
    pub(crate) proven: bool,
}

impl Answer {
    pub(crate) fn read(head: &Parts, trust: &TrustAnswer) -> Self {
        Self { status: head.status.as_u16(), code: trust.status().code(), proven: trust.is_proven() }
    }

    /// A refusal that the tracker proves.
    pub(crate) fn proven(status: u16, code: Code) -> Self {
        Self { status, code: Some(code), proven: true }
    }

    /// A refusal before the tracker knew a key to prove it with.
    pub(crate) fn unproven(status: u16, code: Code) -> Self {
        Self { status, code: Some(code), proven: false }
    }

    /// The answer to a request that was carried out.
    pub(crate) fn carried_out(status: u16) -> Self {
        Self { status, code: None, proven: true }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("OK", Code::as_str);
        write!(f, "{} {code}{}", self.status, if self.proven { ", proven" } else { "" })
    }
}
