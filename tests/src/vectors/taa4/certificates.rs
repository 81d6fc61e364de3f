use std::error::Error;

use taa_core::certificate::{Certificate, KeyStatus, KeyUse};
use taa_core::crypto::CryptoProvider;
use taa_core::key::SigningKey;
use taa_core::time::UnixMillis;

use super::{CertificatesVector, DocumentVector};
use crate::harness::spare_key_pem;
use crate::vectors::{Tally, same};

pub(super) fn run(provider: &'static dyn CryptoProvider, vector: &CertificatesVector, tally: &mut Tally) {
    let now = UnixMillis(vector.clock_s.saturating_mul(1000));
    let group = format!("{} certificates accepted", provider.name());
    for case in &vector.accepted {
        let result = accepted(provider, case, now).map_err(|error| error.to_string());
        tally.case(&group, || case.why.clone(), result);
    }
    let group = format!("{} certificates refused", provider.name());
    for case in &vector.refused {
        let result = match judge(provider, case, now) {
            Ok(_) => Err("accepted".into()),
            // The one that is held is not what the case is about.
            Err(Judged::Held(error)) => Err(format!("the document that is held: {error}")),
            Err(Judged::Refused(_)) => Ok(()),
        };
        tally.case(&group, || case.why.clone(), result);
    }
}

enum Judged {
    Held(String),
    Refused(String),
}

/// Verifies a document and, where one is held, asks whether it may follow that.
fn judge(
    provider: &'static dyn CryptoProvider,
    case: &DocumentVector,
    now: UnixMillis,
) -> Result<Certificate, Judged> {
    let refused = |error: &dyn Error| Judged::Refused(error.to_string());
    let verify = |document: &str, at| Certificate::verify(provider, document, at);
    // The one that is held was good when it came; its signing key may have ended since.
    let held = case.held.as_deref().map(|held| verify(held, UnixMillis(0))).transpose();
    let held = held.map_err(|error| Judged::Held(error.to_string()))?;
    let certificate = verify(&case.document, now).map_err(|error| refused(&error))?;
    if let Some(held) = held {
        certificate.succeeds(&held, now).map_err(|error| refused(&error))?;
    }
    Ok(certificate)
}

fn accepted(
    provider: &'static dyn CryptoProvider,
    case: &DocumentVector,
    now: UnixMillis,
) -> Result<(), Box<dyn Error>> {
    let certificate = judge(provider, case, now).map_err(|judged| match judged {
        Judged::Held(why) => format!("the document that is held: {why}"),
        Judged::Refused(why) => why,
    })?;
    if let Some(fingerprint) = &case.fingerprint {
        same("fingerprint", certificate.fingerprint().to_string(), fingerprint.clone())?;
    }
    same("document", certificate.document(), case.document.as_str())?;

    // The private key is not in the file: a document of our own says the same but for the current signing key.
    let signing = SigningKey::from_pkcs8_pem(provider, spare_key_pem()?)?;
    let mut content = certificate.content().clone();
    for key in &mut content.keys {
        if key.usage == KeyUse::Signing && key.status == KeyStatus::Current {
            key.public = signing.public().clone();
        }
    }
    let own = Certificate::make(content.clone(), &signing)?;
    let read = Certificate::verify(provider, own.document(), now)?;
    same("content of our own document", read.content(), &content)?;
    same("fingerprint of our own document", read.fingerprint(), own.fingerprint())?;
    Ok(())
}
