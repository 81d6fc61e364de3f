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
