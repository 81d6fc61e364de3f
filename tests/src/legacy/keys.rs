use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde_json::Value;
use taa_core::legacy::{LegacySigningKey, LegacyVerifyingKey};

use super::{Tally, same, text};

/// The keys that vectors name.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<String, Key>);

/// One key, as our types and as the reference's.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) signing: LegacySigningKey,
    pub(super) verifying: LegacyVerifyingKey,
    pub(super) reference: RsaPublicKey,
    pub(super) spki: String,
}

impl Keys {
    /// Adds the keys of a file.
    ///
    /// # Errors
    /// The first key that cannot be read.
    pub fn add(&mut self, json: &Value) -> Result<usize, String> {
        let object = json.as_object().ok_or("no object")?;
        for (name, value) in object {
            let wrong = |what: &dyn std::fmt::Debug| format!("key {name}: {what:?}");
            let spki = text(value, "spki")?;
            let private = STANDARD.decode(text(value, "pkcs8")?).map_err(|error| wrong(&error))?;
            let public = STANDARD.decode(spki).map_err(|error| wrong(&error))?;
            let key = Key {
                signing: LegacySigningKey::from_pkcs8_der(&private).map_err(|error| wrong(&error))?,
                verifying: LegacyVerifyingKey::from_spki_der(&public).map_err(|error| wrong(&error))?,
                reference: RsaPublicKey::from_public_key_der(&public).map_err(|error| wrong(&error))?,
                spki: spki.to_owned(),
            };
            same("the public half", key.signing.verifying_key(), &key.verifying)
                .map_err(|error| wrong(&error))?;
            same("the page line", key.verifying.page_line(), key.spki.clone())
                .map_err(|error| wrong(&error))?;
            let again = key.signing.expose_pkcs8_der().map_err(|error| wrong(&error))?;
            same("the private key written again", &**again, &private[..])
                .map_err(|_| wrong(&"written otherwise"))?;
            self.0.insert(name.clone(), key);
        }
        Ok(object.len())
    }

    pub(super) fn named(&self, name: &str) -> Result<&Key, String> {
        self.0.get(name).ok_or_else(|| format!("no key {name:?}"))
    }

    pub(super) fn any(&self) -> Result<&Key, String> {
        self.0.values().next().ok_or_else(|| "no keys".to_owned())
    }

    pub(super) fn by_page(&self, page: &str) -> Result<&Key, String> {
        self.0.values().find(|key| page.contains(&key.spki)).ok_or_else(|| "no key of this page".to_owned())
    }
}

pub(super) fn run(json: &Value) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for _ in 0..Keys::default().add(json)? {
        tally.same();
    }
    Ok(tally)
}
