//! No secret in any formatter: every type that holds one is made from known bytes, printed in every way, and the
//! bytes are looked for in every form.
//!
//! **A new secret type** gets a line in [`everything`]; new secret bytes get one in [`secrets`].

mod recorder;
mod traces;

use std::fmt::{Debug, Display, Write};
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Request;
use pkcs8::{PrivateKeyInfo, SecretDocument};
use taa_client::{ServerRecord, SignLayer, Signer};
use taa_core::crypto::CryptoProvider;
use taa_core::decision::{CertificateSpace, NoSessions, Presented, open};
use taa_core::envelope::{Envelope, SessionKeys};
use taa_core::id::{AppId, UserName};
use taa_core::identity::OwnKey;
use taa_core::key::{DecryptingKey, EncryptingKey, SigningKey, VerifyingKey};
use taa_core::legacy::{CertificateKey, Claim, LegacySigningKey, sign_v2, sign_v3};
use taa_core::policy::ClientAddress;
use taa_core::time::{ManualClock, UnixMillis};
use taa_server::session::{NameKey, SessionName, SignatureName};
use taa_tests::harness::{self, Nonces, Scripted, providers};

use crate::fixture::{FIXTURE, Fixture, SECRET, session};
use recorder::Recorder;
use traces::{Text, Traces};

/// Secret bytes that are in none of the other secrets.
const CLIENT_SECRET: [u8; 32] = *b"\x11what a client's session begins\xee";
const LEGACY_SECRET: [u8; 16] = *b"\x81rc4 key, 16 b\xfe\x02";
const NAME_KEY: [u8; 16] = *b"\x83names sessions.";

/// A printed value: what it is and how it looked.
type Printed = Vec<(String, String)>;

/// Prints one value in every way there is.
fn debug(printed: &mut Printed, name: &str, value: &impl Debug) {
    let logged = Recorder::of(|| {
        let _span = tracing::trace_span!("span", ?value).entered();
        tracing::error!(?value, "an event");
    });
    for (how, text) in [
        ("{:?}", format!("{value:?}")),
        ("{:#?}", format!("{value:#?}")),
        ("{:x?}", format!("{value:x?}")),
        ("{:#X?}", format!("{value:#X?}")),
        ("tracing", logged),
    ] {
        printed.push((format!("{name} by {how}"), text));
    }
}

/// Prints an error, with everything that caused it.
fn error(printed: &mut Printed, name: &str, value: &impl std::error::Error) {
    debug(printed, name, value);
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(value);
    while let Some(error) = next {
        writeln!(text, "{error} {error:#}").unwrap();
        next = error.source();
    }
    printed.push((format!("{name} by {{}}"), text));
}

/// Every type that holds a secret, directly or inside.
fn everything(provider: &'static dyn CryptoProvider) -> Printed {
    let all = &mut Printed::new();
    let vector = session();

    // Keys.
    let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key).unwrap();
    let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key).unwrap();
    debug(all, "SigningKey", &signing);
    debug(all, "DecryptingKey", &decrypting);
    debug(all, "VerifyingKey", &VerifyingKey::new(provider, signing.public().clone()).unwrap());
    debug(all, "EncryptingKey", &EncryptingKey::new(provider, decrypting.public().clone()).unwrap());
    debug(all, "OwnKey<SigningKey>", &OwnKey::current(signing.clone()));
    debug(all, "OwnKey<DecryptingKey>", &OwnKey::current(decrypting.clone()));
    broken_keys(all, provider, &vector.client_signing_key);

    // A session at both ends.
    let fixture = Fixture::new(provider);
    debug(all, "SessionKeys", &fixture.sealed.keys);
    debug(all, "SealedEnvelope", &fixture.sealed);
    debug(all, "Fixture", &fixture);
    debug(all, "Session of the server", &fixture.known.all());
    decision(all, &fixture);
    client(all, provider, &signing, &decrypting);

    // The server's tables.
    let name_key = NameKey::from_random(NAME_KEY);
    debug(all, "SessionName", &SessionName::of(&name_key, "a", b"b"));
    debug(all, "SignatureName", &SignatureName::of(&name_key, b"c"));
    debug(all, "NameKey", &name_key);

    legacy(all);
    std::mem::take(all)
}

/// Errors about a private key say nothing of it.
fn broken_keys(all: &mut Printed, provider: &dyn CryptoProvider, pem: &str) {
    let cut = pem.replacen("\nMII", "\nMIJ", 1);
    let lines: Vec<&str> = pem.lines().collect();
    let dropped = lines.iter().enumerate().filter(|(at, _)| *at != 9).map(|(_, line)| *line);
    let dropped = dropped.collect::<Vec<_>>().join("\n");
    let label = pem.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    for (what, text) in [("altered", cut), ("with a line dropped", dropped), ("with another label", label)] {
        let refused = SigningKey::from_pkcs8_pem(provider, &text).unwrap_err();
        error(all, &format!("KeyError of a key {what}"), &refused);
        error(all, "KeyError", &DecryptingKey::from_pkcs8_pem(provider, &text).unwrap_err());
    }
    // A number of the private part altered: its parts do not belong together any more.
    let mut der = document(pem).as_bytes().to_vec();
    let at = der.len() - 40;
    der[at] ^= 1;
    if let Err(refused) = SigningKey::from_pkcs8_der(provider, &der) {
        error(all, "KeyError of parts", &refused);
    }
}

/// Each stage of a decision.
fn decision(all: &mut Printed, fixture: &Fixture) {
    let request = &fixture.request;
    let context = fixture.server.context(&NoSessions);
    debug(all, "Context", &context);
    let client = ClientAddress { addr: [127, 0, 0, 1].into(), forwarded: false };
    let mut space = CertificateSpace::new();
    let presented = Presented::parse(&request.method, &request.target, &request.headers, &mut space).unwrap();
    debug(all, "Presented", &presented);
    let opened = open(presented, &context, Ok(client), fixture.now).unwrap();
    debug(all, "Opened", &opened);
    let (proven, prover) = opened.prove().unwrap();
    debug(all, "Proven", &proven);
    debug(all, "Prover", &prover);
    debug(all, "NonceClaim", &proven.claim(&context, fixture.now));
    let accepted =
        fixture.server.decide(&NoSessions, &Nonces::default(), request.incoming(), fixture.now).unwrap();
    debug(all, "Accepted", &accepted);

    let mut other = request.clone();
    other.target.push('x');
    let refusal =
        fixture.server.decide(&NoSessions, &Nonces::default(), other.incoming(), fixture.now).unwrap_err();
    error(all, "Refusal", &refusal);
    debug(all, "ErrorText", &refusal.error_text());
    printed_as(all, "ErrorText", &refusal.error_text());
}

fn printed_as(all: &mut Printed, name: &str, value: &impl Display) {
    all.push((format!("{name} by {{}}"), value.to_string()));
}

/// A client that signed a request.
fn client(
    all: &mut Printed,
    provider: &'static dyn CryptoProvider,
    signing: &SigningKey,
    decrypting: &DecryptingKey,
) {
    let (signer, pending, headers) = signed(provider, signing, decrypting);
    debug(all, "Signer", &signer);
    debug(all, "SignLayer", &SignLayer::new(signer.clone()));
    debug(all, "ServerRecord", &signer.servers());
    debug(all, "Session of the client", pending.session().unwrap());
    debug(all, "Pending", &pending);
    debug(all, "the fields of a signed request", &headers);
}

fn signed(
    provider: &'static dyn CryptoProvider,
    signing: &SigningKey,
    decrypting: &DecryptingKey,
) -> (Signer, taa_client::Pending, http::HeaderMap) {
    let vector = session();
    let (client, server) =
        (AppId::parse(&vector.client_id).unwrap(), AppId::parse(&vector.server_id).unwrap());
    let own = Arc::new(harness::identity(&client, signing.clone(), None).unwrap());
    let spare = SigningKey::from_pkcs8_pem(provider, harness::spare_key_pem().unwrap()).unwrap();
    let peer = harness::identity(&server, spare, Some(decrypting.clone())).unwrap();
    let script = [CLIENT_SECRET.as_slice(), &[9; 16]].concat();
    let signer = Signer::builder(own)
        .clock(Arc::new(ManualClock::new(UnixMillis(vector.issued_ms))))
        .random(Arc::new(Scripted::new(&script)))
        .provider(provider_of(provider))
        .server(ServerRecord::builder(peer.certificate()).build().unwrap())
        .build()
        .unwrap();
    let (mut head, ()) = Request::get("https://test.example/x").body(()).unwrap().into_parts();
    let pending = signer.sign(&mut head, &UserName::parse("admin").unwrap(), None).unwrap();
    (signer, pending, head.headers)
}

fn provider_of(provider: &'static dyn CryptoProvider) -> Arc<dyn CryptoProvider> {
    #[cfg(feature = "aws-lc")]
    if provider.name() == "aws-lc" {
        return Arc::new(taa_core::crypto::AwsLc);
    }
    assert_eq!(provider.name(), "rust-crypto");
    Arc::new(taa_core::crypto::RustCrypto)
}

/// The older versions.
fn legacy(all: &mut Printed) {
    let key = LegacySigningKey::from_pkcs8_der(&LEGACY_DER).unwrap();
    debug(all, "LegacySigningKey", &key);
    debug(all, "LegacyVerifyingKey", key.verifying_key());
    let secret = CertificateKey::from_bytes(LEGACY_SECRET).unwrap();
    debug(all, "CertificateKey", &secret);
    let app_id = AppId::parse("jira:1").unwrap();
    let claim =
        Claim { app_id: &app_id, user: "admin", url: "http://jira.example/", timestamp: UnixMillis(1) };
    let mut random = |out: &mut [u8]| {
        out.fill(0x5a);
        Ok::<_, std::convert::Infallible>(())
    };
    debug(all, "SignedFields 2", &sign_v2(&key, &claim, &secret, &mut random).unwrap());
    debug(all, "SignedFields 3", &sign_v3(&key, &claim, &mut random).unwrap());
    let mut altered = LEGACY_DER.clone();
    let at = altered.len() - 40;
    altered[at] ^= 1;
    if let Err(refused) = LegacySigningKey::from_pkcs8_der(&altered) {
        error(all, "LegacyKeyError", &refused);
    }
}

static LEGACY_DER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let keys: serde_json::Value = serde_json::from_str(include_str!("../vectors/legacy/keys.json")).unwrap();
    STANDARD.decode(keys["rsa2048"]["pkcs8"].as_str().unwrap()).unwrap()
});

fn document(pem: &str) -> SecretDocument {
    SecretDocument::from_pem(pem).unwrap().1
}

/// The numbers of a private key that its public half does not tell.
fn private_numbers(name: &'static str, der: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let info = PrivateKeyInfo::try_from(der).unwrap();
    let key = pkcs1::RsaPrivateKey::try_from(info.private_key).unwrap();
    let numbers =
        [key.private_exponent, key.prime1, key.prime2, key.exponent1, key.exponent2, key.coefficient];
    numbers.into_iter().map(|number| (name, number.as_bytes().to_vec())).collect()
}

/// All that must not be shown.
fn secrets() -> Vec<(&'static str, Vec<u8>)> {
    let vector = session();
    let mut all = vec![
        ("the secret of an envelope", SECRET.to_vec()),
        ("the secret of the client's envelope", CLIENT_SECRET.to_vec()),
        ("the RC4 key", LEGACY_SECRET.to_vec()),
        ("the key of session names", NAME_KEY.to_vec()),
    ];
    all.extend(private_numbers("the signing key", document(&vector.client_signing_key).as_bytes()));
    all.extend(private_numbers("the decryption key", document(&vector.server_decryption_key).as_bytes()));
    all.extend(private_numbers("the legacy key", &LEGACY_DER));
    all.extend(private_numbers("the spare key", document(harness::spare_key_pem().unwrap()).as_bytes()));
    all
}

/// The keys of a session that was made, which differ from run to run because envelopes do.
fn session_keys(envelope: &[u8], secret: &[u8; 32], named: &[u8; 32]) -> Vec<(&'static str, Vec<u8>)> {
    let vector = session();
    let (client, server) =
        (AppId::parse(&vector.client_id).unwrap(), AppId::parse(&vector.server_id).unwrap());
    let (name, bytes) = SessionKeys::expose(&client, &server, envelope, secret);
    assert_eq!(name, *named, "these are the keys of that session");
    vec![
        ("the MAC key", bytes[..16].to_vec()),
        ("the encryption key", bytes[16..32].to_vec()),
        ("the response key", bytes[32..].to_vec()),
    ]
}

fn assert_hidden(printed: &Printed, secrets: &[(&'static str, Vec<u8>)]) {
    let secrets: Vec<_> = secrets.iter().map(|(secret, bytes)| (secret, Traces::of(bytes))).collect();
    for (what, text) in printed {
        let prepared = Text::new(text);
        for (secret, traces) in &secrets {
            if let Some((form, trace)) = prepared.shows(traces) {
                panic!("{what} shows {secret} as {form}, {trace}: {text}");
            }
        }
    }
}

#[test]
fn no_formatter_shows_a_secret() {
    let secrets = secrets();
    for provider in providers() {
        let printed = everything(provider);
        assert!(printed.len() > 100, "{}", printed.len());
        assert!(printed.iter().all(|(_, text)| !text.is_empty()));
        assert_hidden(&printed, &secrets);
    }
}

#[test]
fn no_formatter_shows_a_session_key() {
    let fixture = &*FIXTURE;
    let printed = &mut Printed::new();
    debug(printed, "SessionKeys", &fixture.sealed.keys);
    debug(printed, "SealedEnvelope", &fixture.sealed);
    debug(printed, "Fixture", fixture);
    debug(printed, "Session of the server", &fixture.known.all());
    decision(printed, fixture);
    let sealed = &fixture.sealed;
    assert_hidden(printed, &session_keys(&sealed.envelope, &SECRET, sealed.keys.name()));

    let vector = session();
    let provider = providers()[0];
    let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key).unwrap();
    let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key).unwrap();
    let (signer, pending, headers) = signed(provider, &signing, &decrypting);
    let key_field = headers[taa_core::fields::KEY].as_bytes();
    let envelope = Envelope::decode(key_field).unwrap();
    let printed = &mut Printed::new();
    debug(printed, "Signer", &signer);
    debug(printed, "Session of the client", pending.session().unwrap());
    debug(printed, "Pending", &pending);
    let name = pending.session().unwrap().name();
    assert_hidden(printed, &session_keys(envelope.as_bytes(), &CLIENT_SECRET, name));
}

/// Whoever logs the head of a request shows no certificate: the fields are marked.
#[test]
fn signed_fields_are_sensitive() {
    let vector = session();
    let provider = providers()[0];
    let signing = SigningKey::from_pkcs8_pem(provider, &vector.client_signing_key).unwrap();
    let decrypting = DecryptingKey::from_pkcs8_pem(provider, &vector.server_decryption_key).unwrap();
    let (_, _, headers) = signed(provider, &signing, &decrypting);
    let shown = format!("{headers:?}");
    for name in [taa_core::fields::KEY, taa_core::fields::SIGNATURE, taa_core::fields::CERT] {
        assert!(headers[&name].is_sensitive(), "{name}");
        assert!(!shown.contains(headers[&name].to_str().unwrap()), "{name}");
    }
    let cert = URL_SAFE_NO_PAD.decode(headers[taa_core::fields::CERT].as_bytes()).unwrap();
    assert!(cert.len() >= 48);
}

/// What happens during a decision is not logged with its secrets either.
#[test]
fn a_decision_logs_no_secret() {
    let logged = Recorder::of(|| {
        for provider in providers() {
            let fixture = Fixture::new(provider);
            let mut other = fixture.request.clone();
            other.body.clear();
            assert!(fixture.codes(&other).iter().all(Option::is_some));
        }
        tracing::info!("the recorder records");
    });
    assert!(logged.contains("the recorder records"));
    assert_hidden(&vec![("log".to_owned(), logged)], &secrets());
}
