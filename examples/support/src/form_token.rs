use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// Makes and checks the hidden field of forms: a code over the form's purpose and the browser's cookie. Another site can make a
/// browser send a form, but can neither read that cookie nor make the code.
#[derive(Debug)]
pub struct FormKey(Secret);

/// What a form is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Typing the password once more.
    Confirm,
    /// Logging in.
    LogIn,
    /// Logging out.
    LogOut,
}

impl FormKey {
    /// Under this secret.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The hidden field.
    #[must_use]
    pub fn token(&self, purpose: Purpose, cookie: &Secret) -> String {
        self.mac(purpose, cookie)
            .map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
            .unwrap_or_default()
    }

    /// Whether a form came from the browser with this cookie; in constant time.
    #[must_use]
    pub fn check(&self, purpose: Purpose, cookie: &Secret, token: &str) -> bool {
        match (self.mac(purpose, cookie), URL_SAFE_NO_PAD.decode(token)) {
            (Some(mac), Ok(code)) => mac.verify_slice(&code).is_ok(),
            _ => false,
        }
    }

    fn mac(&self, purpose: Purpose, cookie: &Secret) -> Option<Hmac<Sha256>> {
        // HMAC takes a key of any length, so there is always one.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(match purpose {
            Purpose::Confirm => b"confirm\0",
            Purpose::LogIn => b"log in\0",
            Purpose::LogOut => b"log out\0",
        });
        mac.update(cookie.as_bytes());
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_one_purpose_and_one_browser() {
        let secret = || Secret::random().unwrap();
        let key = FormKey::new(secret());
        let cookie = secret();
        let token = key.token(Purpose::LogIn, &cookie);
        assert!(key.check(Purpose::LogIn, &cookie, &token));
        assert!(!key.check(Purpose::LogOut, &cookie, &token));
        assert!(!key.check(Purpose::LogIn, &secret(), &token));
        assert!(!FormKey::new(secret()).check(Purpose::LogIn, &cookie, &token));
        for bad in ["", "AAAA", "?", &format!("{token}A")] {
            assert!(!key.check(Purpose::LogIn, &cookie, bad), "{bad:?}");
        }
    }
}
