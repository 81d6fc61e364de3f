use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use taa_core::crypto::{Random, RandomError};
use zeroize::Zeroizing;

use crate::admin::Administrator;

/// Bytes of the random front part.
const MASK: usize = 16;
/// Bytes of the code behind it.
const CODE: usize = 32;

/// The key under which the tokens of forms are made: 32 random bytes.
///
/// Each process makes one for itself unless it is told one. Nodes that stand behind one address must share it, or forms
/// that one node showed are refused by the others.
#[derive(Clone)]
pub struct FormKey(Zeroizing<[u8; 32]>);

impl FormKey {
    /// A key that several nodes share.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key of this process alone.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// A token for this administrator's session: a random part, and a code over it, the session and the name. The random
    /// part makes each page's token another one, so that nothing can be learnt from how well a page compresses.
    pub(crate) fn token(
        &self,
        administrator: &Administrator,
        random: &dyn Random,
    ) -> Result<String, RandomError> {
        let mut mask = [0; MASK];
        random.fill(&mut mask)?;
        let code = self.code(administrator, &mask).ok_or(RandomError)?;
        Ok(URL_SAFE_NO_PAD.encode([mask.as_slice(), code.as_slice()].concat()))
    }

    /// Whether this is a token of this administrator's session; in constant time.
    pub(crate) fn check(&self, administrator: &Administrator, token: &str) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((mask, code)) = bytes.split_at_checked(MASK) else { return false };
        if code.len() != CODE {
            return false;
        }
        self.code(administrator, mask).is_some_and(|right| bool::from(right.as_slice().ct_eq(code)))
    }

    fn code(&self, administrator: &Administrator, mask: &[u8]) -> Option<[u8; CODE]> {
        // HMAC takes a key of any length, so there is always one.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).ok()?;
        mac.update(b"TAA console form\0");
        for part in [mask, administrator.session(), administrator.name().as_str().as_bytes()] {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for FormKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use taa_core::crypto::SystemRandom;

    use super::*;

    fn somebody(name: &str, session: &str) -> Administrator {
        Administrator::new(name, session.as_bytes().to_vec())
    }

    #[test]
    fn for_one_session_of_one_administrator() {
        let key = FormKey::new([7; 32]);
        let anna = somebody("anna", "session 1");
        let token = key.token(&anna, &SystemRandom).unwrap();
        assert!(key.check(&anna, &token));
        assert!(FormKey::new([7; 32]).check(&anna, &token), "a node with the same key");
        assert!(!FormKey::random(&SystemRandom).unwrap().check(&anna, &token), "a node with another key");
        assert!(!key.check(&somebody("anna", "session 2"), &token));
        assert!(!key.check(&somebody("bert", "session 1"), &token));
        assert!(!key.check(&somebody("annas", "ession 1"), &token), "parts cannot be shifted");
        assert_ne!(token, key.token(&anna, &SystemRandom).unwrap(), "each is another one");
    }

    #[test]
    fn what_is_no_token() {
        let key = FormKey::new([7; 32]);
        let anna = somebody("anna", "session 1");
        let token = key.token(&anna, &SystemRandom).unwrap();
        let mut other = token.clone().into_bytes();
        other[30] = if other[30] == b'A' { b'B' } else { b'A' };
        let (short, long) = (token.strip_suffix(|_: char| true).unwrap(), format!("{token}AAAA"));
        for bad in ["", "1", "AAAA", "?", short, &long, std::str::from_utf8(&other).unwrap()] {
            assert!(!key.check(&anna, bad), "{bad:?}");
        }
    }

    #[test]
    fn nothing_of_it_is_shown() {
        assert_eq!(format!("{:?}", FormKey::new([7; 32])), "FormKey(..)");
        assert!(!format!("{:?}", somebody("anna", "canary")).contains("canary"));
    }
}
