use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use taa_core::legacy::LegacyErrorText;

use super::text;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nobody tried.
    NoAttempt,
    /// It authenticates this user.
    Accept(String),
    /// It is refused with this code, message and parameters; all parameters empty before the signature.
    Refuse(String, String, Vec<String>),
    /// The server cannot be set up like that.
    SetUp,
    /// It is no HTTP: an engine refuses it before any layer.
    NotHttp,
    /// The peers' library failed without a decision.
    Uncaught,
}

impl Verdict {
    /// What a vector's outcome says. Parameters that we only tell after the signature are emptied.
    pub(super) fn of_vector(outcome: &Value) -> Result<Self, String> {
        match text(outcome, "result")? {
            "no attempt" => Ok(Self::NoAttempt),
            "success" => Ok(Self::Accept(text(outcome, "user").unwrap_or_default().to_owned())),
            "error" | "failed" => {
                let header = text(outcome, "errorHeader")?;
                let parts: Vec<&str> = header.split(";\t").collect();
                let [code, message, params] = parts[..] else {
                    return Err(format!("no error text: {header:?}"));
                };
                let params: Vec<String> = serde_json::from_str(params).map_err(|error| error.to_string())?;
                let params = match code {
                    "USER_UNKNOWN" => params,
                    _ => vec![String::new(); params.len()],
                };
                Ok(Self::Refuse(code.to_owned(), message.to_owned(), params))
            }
            other if other.starts_with("uncaught") => Ok(Self::Uncaught),
            other => Err(format!("unknown result {other:?}")),
        }
    }

    /// What an error text of ours says.
    pub(super) fn of_text(text: &LegacyErrorText) -> Self {
        Self::Refuse(text.code.to_string(), text.message.clone(), text.params.clone())
    }

    /// A refusal with empty parameters.
    pub(super) fn refuse(code: &str, message: &str) -> Self {
        let places = (0..9).filter(|place| message.contains(&format!("{{{place}}}"))).count();
        Self::Refuse(code.to_owned(), message.to_owned(), vec![String::new(); places])
    }
}

macro_rules! classes {
    ($($name:ident: $why:literal,)*) => {
        /// Why our answer may differ from that of the peers' libraries. Every difference belongs to one of these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Class { $(#[doc = $why] $name,)* }

        impl Class {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The reason, for people.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }
        }
    };
}

classes! {
    AddressLiteral: "a socket has an address; a name or an address with a zone is none, whatever the list says",
    AmbiguousPath: "a path with dot segments, doubled slashes, parameters or encoded separators is refused by the rules",
    AppIdAlphabet: "an application id has only the characters of our ids, so such an id cannot be set up",
    BlanksForTabs: "HTTP libraries turn tabs into blanks; the error text is read all the same",
    CanonicalBase64: "only the one canonical base64 form authenticates",
    CertificateForm: "only exactly three lines parted by LF authenticate: other line ends and further lines smuggle names in",
    FieldLength: "all fields together have at most 4 KiB",
    FieldValue: "an HTTP engine refuses such a field value before any layer sees it",
    FutureTime: "a time later than now + 900 s + skew is refused",
    NumberForm: "only a plain decimal number authenticates: no sign, no leading zeros, ASCII digits",
    OwnBaseUrl: "the URL is built from the configured base URL; scheme, host and port of the request decide nothing",
    SecretKeyLength: "the RC4 key has exactly 16 bytes: shorter ones can be made without the private key",
    ServletForward: "a layer sees the path the client sent; servlet forwards and their second encoding do not exist here",
    SignerRefusesControls: "the signer refuses control characters in user and URL",
    TimeoutZero: "a timeout of 0 is refused at set-up",
    UncaughtFault: "the library failed without a decision; here it is an orderly refusal",
    UserNameRules: "what is no user name by our rules is an unknown user",
    VersionNotAccepted: "only exactly 2 and 3 authenticate, and the version is looked at before anything else",
    VersionOfRecord: "the least version stands in the application's record, so what is missing is found before it",
    VersionThree: "3 is version 3: not counted as 2, and not refused where 2 is allowed",
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}: {}", self.why())
    }
}

/// How many cases a file had, and how many of them differed for which reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All cases.
    pub cases: usize,
    /// The cases whose vector says something else, by reason.
    pub differences: BTreeMap<Class, usize>,
}

impl Tally {
    /// A case that came out as its vector says.
    pub(super) fn same(&mut self) {
        self.cases += 1;
    }

    /// A case that came out otherwise, for a reason.
    pub(super) fn differs(&mut self, class: Class) {
        self.cases += 1;
        *self.differences.entry(class).or_default() += 1;
    }

    /// Counts a case by comparing the two verdicts. Ours was already found to be the reference's.
    pub(super) fn compare(
        &mut self,
        ours: &Verdict,
        class: Option<Class>,
        vector: &Verdict,
    ) -> Result<(), String> {
        if ours == vector {
            self.same();
            return Ok(());
        }
        match (ours, vector, class) {
            (_, _, Some(class)) => self.differs(class),
            (Verdict::Refuse(..), Verdict::Uncaught, None) => self.differs(Class::UncaughtFault),
            _ => return Err(format!("{ours:?} instead of {vector:?}, and no class explains it")),
        }
        Ok(())
    }
}
