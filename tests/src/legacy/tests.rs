use serde_json::Value;

use super::*;

macro_rules! vector {
    ($name:ident, $file:literal, $kind:ident, $cases:literal) => {
        #[test]
        fn $name() {
            let json: Value =
                serde_json::from_str(include_str!(concat!("../../vectors/legacy/", $file))).unwrap();
            assert_eq!(recognise(&json), Some(Kind::$kind));
            let tally = run(&json, &keys()).unwrap();
            println!("{}: {} cases", $file, tally.cases);
            for (class, count) in &tally.differences {
                println!("  {count:3} {class}");
            }
            assert_eq!(tally.cases, $cases);
        }
    };
}

fn keys() -> Keys {
    let mut keys = Keys::default();
    keys.add(&serde_json::from_str(include_str!("../../vectors/legacy/keys.json")).unwrap()).unwrap();
    keys
}

vector!(application_ids, "application-id.json", ApplicationId, 7);
vector!(attacks_newlib, "attacks-newlib.json", Requests, 16);
vector!(attacks_oldlib, "attacks-oldlib.json", Requests, 14);
vector!(certificate_pages, "certificate-page.json", CertificatePage, 40);
vector!(error_formats, "error-format.json", ErrorFormat, 82);
vector!(errors_newlib_v2, "errors-newlib-v2.json", Requests, 106);
vector!(errors_newlib_v3, "errors-newlib-v3.json", Requests, 106);
vector!(errors_oldlib, "errors-oldlib.json", Requests, 118);
vector!(keys_themselves, "keys.json", Keys, 2);
vector!(textbook_rsa, "raw-rsa.json", RawRsa, 24);
vector!(signed_v0, "sign-v0.json", Sign, 76);
vector!(signed_v1, "sign-v1.json", Sign, 76);
vector!(signed_v2, "sign-v2.json", Sign, 76);
vector!(signed_v2_oldlib, "sign-v2-oldlib.json", Sign, 76);
vector!(signed_v3, "sign-v3.json", Sign, 74);
vector!(times, "timeouts.json", Timeouts, 13);

#[test]
fn kinds_of_the_policy_are_recognised() {
    for (file, kind) in [
        (include_str!("../../vectors/legacy/ip-matcher.json"), Kind::IpMatcher),
        (include_str!("../../vectors/legacy/url-matcher.json"), Kind::UrlMatcher),
    ] {
        let json: Value = serde_json::from_str(file).unwrap();
        assert_eq!(recognise(&json), Some(kind));
        assert!(run(&json, &keys()).is_err());
    }
    for other in ["[]", "{}", "null", "[1]", "{\"cases\": []}"] {
        assert_eq!(recognise(&serde_json::from_str(other).unwrap()), None, "{other}");
    }
}

/// The runner must notice: a vector with one wrong answer fails.
#[test]
fn a_wrong_vector_fails() {
    let file = include_str!("../../vectors/legacy/errors-newlib-v3.json");
    let wrong = file.replacen("Application ID not found", "Application ID was found", 1);
    let json: Value = serde_json::from_str(&wrong).unwrap();
    assert!(run(&json, &keys()).unwrap_err().contains("no class explains it"));

    let file = include_str!("../../vectors/legacy/sign-v3.json");
    let json: Value =
        serde_json::from_str(&file.replacen("MTcwMDAwMDkwMDAwMAph", "MTcwMDAwMDkwMDAwMQph", 1)).unwrap();
    assert!(run(&json, &keys()).is_err());
}

#[test]
fn altered_requests() {
    for file in [
        include_str!("../../vectors/legacy/errors-newlib-v2.json"),
        include_str!("../../vectors/legacy/errors-newlib-v3.json"),
        include_str!("../../vectors/legacy/attacks-newlib.json"),
    ] {
        let json: Value = serde_json::from_str(file).unwrap();
        assert!(alter(&json, &keys(), 40).unwrap() >= 640);
    }
}

/// Version 2 does not sign the user. Flipping bits of the certificate makes another user of the same signature, so what
/// is left is that a signature works once, whoever comes first (older versions, section 17, attack 5).
#[test]
fn another_user_under_the_same_signature_is_a_repetition() {
    use taa_core::id::AppId;
    use taa_core::legacy::{CertificateKey, Claim, Presented, Window, field, sign_v2};
    use taa_core::time::UnixMillis;

    let keys = keys();
    let key = keys.named("rsa2048").unwrap();
    let app_id = AppId::parse("jira:1").unwrap();
    let now = UnixMillis(1_700_000_000_000);
    let url = "https://tracker.example/x";
    let claim = Claim { app_id: &app_id, user: "aaaaa", url, timestamp: now };
    let secret = CertificateKey::from_bytes([7; 16]).unwrap();
    let mut headers = http::HeaderMap::new();
    sign_v2(&key.signing, &claim, &secret, &mut filler()).unwrap().insert_into(&mut headers);
    let window = Window::new(std::time::Duration::from_secs(10), std::time::Duration::ZERO).unwrap();
    let prove = |headers: &http::HeaderMap| {
        let opened = Presented::parse(headers).unwrap().unwrap().open(&key.verifying).unwrap();
        opened.check_time(now, window).unwrap().verify(url).unwrap()
    };
    let genuine = prove(&headers);

    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let mut certificate = engine.decode(headers[field::CERT].as_bytes()).unwrap();
    for (byte, (from, to)) in certificate[14..].iter_mut().zip("aaaaa".bytes().zip("admin".bytes())) {
        *byte ^= from ^ to;
    }
    headers.insert(field::CERT, engine.encode(certificate).parse().unwrap());
    let flipped = prove(&headers);
    assert_eq!((genuine.user().as_str(), flipped.user().as_str()), ("aaaaa", "admin"));
    assert_eq!(genuine.replay_key(), flipped.replay_key());
    assert_eq!(flipped.window_end(), UnixMillis(1_700_000_010_000));
}

/// No text makes the readers fail in any way but their own.
#[test]
fn readers_take_any_text() {
    use taa_core::legacy::{CertificatePage, LegacyErrorText, format_message, read_params};

    let alphabet = [
        '[',
        ']',
        '{',
        '}',
        '"',
        '\'',
        '\\',
        ',',
        ';',
        '\t',
        ' ',
        '\n',
        '\r',
        'u',
        'x',
        '0',
        'd',
        '8',
        '/',
        '*',
        '#',
        'n',
        'a',
        '\u{e9}',
        '\u{1f600}',
        '<',
        '-',
        '1',
    ];
    let mut random = filler();
    for _ in 0..20_000 {
        let mut bytes = [0; 14];
        random(&mut bytes).unwrap();
        let text: String = bytes.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]).collect();
        for text in [text.clone(), format!("[\"{text}"), format!("[{text}]"), format!("A;\t{text};\t[]")] {
            let _ = read_params(&text);
            let _ = CertificatePage::read(&text);
            if let Ok(read) = LegacyErrorText::parse(&text) {
                let _ = format_message(&read.message, &read.params);
                assert!(
                    http::HeaderValue::from_str(&read.to_field_value()).is_ok()
                        || read.message.contains('\r')
                );
            }
        }
    }
}
