use std::sync::Arc;

use taa_benches::{Key, KnownSessions, Report, Verifier, identity_with, policy, private_pem};
use taa_core::crypto::CryptoProvider;
use taa_core::directory::{Application, Directory};
use taa_core::id::AppId;
use taa_core::identity::Identity;
use taa_core::key::{KeySize, SigningKey};
use taa_core::legacy::{LegacySigningKey, LegacyVerifyingKey};

use crate::scene::{BITS, Scene, client, provider, sizes};

/// So many of the applications have keys of their own and take turns in calling; making a key takes long. The others are
/// entries of applications of older versions, whose keys are numbers that nobody can sign with.
const CALLING: u32 = 16;

pub(crate) fn measure(report: &mut Report) {
    let provider = provider();
    let all = sizes(&[1, 10, 100, 1_000, 10_000]);
    let most = all.last().copied().unwrap_or(1).min(CALLING);
    let identities: Vec<_> = (0..most).map(|number| own_identity(&*provider, number)).collect();
    for size in all {
        let calling = identities.iter().take(usize::try_from(size).expect("a small number"));
        let quiet = (CALLING..size).map(quiet_application);
        let applications = calling
            .clone()
            .map(|identity| {
                Application::new(&*provider, identity.certificate(), policy()).expect("an application")
            })
            .chain(quiet);
        let directory = Directory::new(applications).expect("a directory");
        let verifier = Verifier::trusting(&*provider, BITS, directory);
        let clients = calling.map(|identity| client(&provider, identity, &verifier)).collect();
        let scene = Scene::new(verifier, KnownSessions::default(), clients);
        report.add("scale/applications", "decide", Some(size.into()), scene.time().0, "ns");
    }
}

fn own_identity(provider: &dyn CryptoProvider, number: u32) -> Arc<Identity> {
    let key = SigningKey::generate(provider, KeySize::Rsa2048).expect("a signing key");
    Arc::new(identity_with(&format!("calling:{number}"), key))
}

fn quiet_application(number: u32) -> Application {
    let id = AppId::parse(&format!("quiet:{number}")).expect("an id");
    Application::legacy(id, format!("quiet {number}"), key_of(number), policy())
}

/// The test key with other bytes in the middle of its modulus.
fn key_of(number: u32) -> LegacyVerifyingKey {
    let template = LegacySigningKey::from_pkcs8_pem(private_pem(Key::Older, BITS)).expect("a key");
    let mut spki = template.verifying_key().spki_der().to_vec();
    // The modulus takes most of the encoding, so its middle lies in the middle.
    let middle = spki.len() / 2;
    let place = spki.get_mut(middle..middle + 4).expect("a long encoding");
    place.copy_from_slice(&number.to_be_bytes());
    LegacyVerifyingKey::from_spki_der(&spki).expect("an odd modulus of the same length")
}
