use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A URL on the command line that may hold a password. It is shown nowhere.
#[derive(Clone)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The text, password and all.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(..)")
    }
}
