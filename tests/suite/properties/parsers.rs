use std::str::FromStr;

use proptest::prelude::*;
use taa_core::answer::{Code, ErrorText, ProvenAnswer};
use taa_core::certificate::Certificate;
use taa_core::envelope::{Envelope, EnvelopeHead, EnvelopeSignature};
use taa_core::id::{AppId, KeyId, UserName};
use taa_core::key::{DecryptingKey, PublicKey, SigningKey};
use taa_core::policy::{MethodRules, NeverAs, PathRules};
use taa_core::request::{ContentDigest, Target};
use taa_core::time::UnixMillis;
use taa_tests::harness::providers;

use super::cases;
use crate::fixture::FIXTURE;

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn what_is_no_name_is_refused(text in "\\PC{0,300}|[A-Za-z0-9._:-]{0,140}|.{0,20}") {
        let of_the_alphabet = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        prop_assert_eq!(AppId::parse(&text).is_ok(), of_the_alphabet && (1..=128).contains(&text.len()));
        if let Ok(name) = UserName::parse(&text) {
            prop_assert_eq!(name.as_str(), &text);
            prop_assert!(!text.is_empty() && text.len() <= 255 && text.trim() == text);
            prop_assert!(!text.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ')));
        }
        let _either = KeyId::from_str(&text);
        let _either = NeverAs::parse_list(&text);
        let _either = MethodRules::parse_list(&text);
        let _either = PathRules::parse_list(&text);
    }

    #[test]
    fn a_target_is_covered_as_sent(text in "[!-~]{0,60}|\\PC{0,40}|https?://[a-z:0-9]{0,5}[/?]?[!-~]{0,20}") {
        if let Ok(target) = Target::parse(&text) {
            prop_assert!(target.as_str().starts_with('/') && target.path().starts_with('/'));
            prop_assert!(target.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
            prop_assert!(!target.path().contains('?') && target.as_str().starts_with(target.path()));
            if text.starts_with('/') {
                prop_assert_eq!(target.as_str(), &text);
            } else {
                prop_assert!(text.contains("://") && text.ends_with(target.as_str().trim_start_matches('/')));
            }
        } else {
            prop_assert!(!text.starts_with('/') || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
        }
    }

    #[test]
    fn a_digest_is_of_its_content(content in prop::collection::vec(any::<u8>(), 0..100), other in any::<Vec<u8>>()) {
        let digest = ContentDigest::of(&content);
        let field = digest.to_field();
        prop_assert_eq!(ContentDigest::parse(&field), Ok(digest));
        prop_assert_eq!(ContentDigest::parse(&format!("a=1, {field}, b;x")), Ok(digest));
        let doubled = format!("{field}, {field}");
        prop_assert!(ContentDigest::parse(&doubled).is_err());
        prop_assert!(digest.matches(&content));
        prop_assert_eq!(digest.matches(&other), content == other);
    }

    #[test]
    fn arbitrary_text_is_no_panic(text in "\\PC{0,80}|[ -~]{0,80}|(sha-256|a)=[:;,\"()A-Za-z0-9+/= -]{0,60}") {
        let _either = ContentDigest::parse(&text);
        let _either = ErrorText::parse(&text);
        let _either = ErrorText::with_tabs(&text);
        let _either = Certificate::verify(providers()[0], &text, UnixMillis(0));
        let _either = PublicKey::from_spki_pem(&text);
        let _either = PublicKey::from_jwk(&text, &text);
        let Ok(_) = Code::from_str(&text);
        for provider in providers() {
            prop_assert!(SigningKey::from_pkcs8_pem(provider, &text).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        let _either = EnvelopeHead::parse(&bytes);
        let _either = Envelope::decode(&bytes);
        let _either = EnvelopeSignature::decode(&bytes);
        let _either = UserName::from_bytes(&bytes);
        let _either = PublicKey::from_spki_der(&bytes);
        for provider in providers() {
            prop_assert!(SigningKey::from_pkcs8_der(provider, &bytes).is_err());
            prop_assert!(DecryptingKey::from_pkcs8_der(provider, &bytes).is_err());
        }
    }

    #[test]
    fn a_head_reads_what_it_writes(bytes in any::<[u8; 28]>(), rest in prop::collection::vec(any::<u8>(), 0..20)) {
        let envelope = [&[4, 1], bytes.as_slice(), &rest].concat();
        let head = EnvelopeHead::parse(&envelope).unwrap();
        let written = head.to_bytes();
        prop_assert_eq!(written.as_slice(), &envelope[..30]);
        prop_assert!(head.end() >= head.issued);
    }

    #[test]
    fn an_error_reads_what_it_writes(
        code in prop::sample::select(&Code::ALL[..]),
        message in "([!-:<-~]([ -:<-~]{0,30}[!-:<-~])?)?",
        params in prop::collection::vec(any::<String>(), 0..4),
    ) {
        let error = ErrorText { code, message, params };
        let written = error.to_string();
        prop_assert!(written.bytes().all(|b| b == b'\t' || matches!(b, 0x20..=0x7e)), "{written:?}");
        prop_assert_eq!(ErrorText::parse(&written), Ok(error.clone()));
        let blanks = written.replace('\t', " ");
        prop_assert_eq!(ErrorText::parse(&blanks), Ok(error));
        prop_assert_eq!(ErrorText::with_tabs(&blanks), written.clone());
        prop_assert_eq!(ErrorText::with_tabs(&written), written);
    }

    #[test]
    fn a_proof_is_of_its_answer(
        http_status in any::<u16>(), status in "OK|ERROR|", error in "[ -~]{0,40}", digest in "[ -~]{0,40}",
        moved in 0..40_usize, proof in "[A-Za-z0-9_-]{22}",
    ) {
        let iv = [5; 16];
        let keys = &FIXTURE.sealed.keys;
        let answer = ProvenAnswer { http_status, status: &status, error: &error, content_digest: &digest };
        let good = answer.prove(keys, &iv);
        prop_assert!(answer.is_proven_by(keys, &iv, &good));
        prop_assert!(!answer.is_proven_by(keys, &iv, &proof) || proof == good);
        // The border between two texts is covered too.
        let joined = format!("{error}{digest}");
        let (error, digest) = joined.split_at(moved.min(joined.len()));
        let other = ProvenAnswer { error, content_digest: digest, ..answer };
        prop_assert_eq!(other.is_proven_by(keys, &iv, &good), error == answer.error);
    }
}
