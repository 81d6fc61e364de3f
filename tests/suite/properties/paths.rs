use proptest::prelude::*;
use taa_core::policy::{CanonicalPath, PathRefusal, PathRule, PathRules};
use taa_tests::reference::{canonical_path, path_is_below};

use super::cases;

/// Pieces that matter to somebody who reads a path, most of them to more than one reader in different ways.
const PIECES: [&str; 44] = [
    "/",
    "/",
    "/",
    "/",
    "/docs",
    "/docs",
    "docs",
    "a",
    "b",
    ".",
    "..",
    "...",
    "-",
    "~",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "%25",
    "%32",
    "%66",
    "%3b",
    "%64",
    "%6A",
    "%7e",
    "%20",
    "%00",
    "%7f",
    "%c3%a9",
    "%C3",
    "%e2%82%ac",
    "%c0%af",
    "%ff",
    "%",
    "%4",
    "%zz",
    ";",
    "\\",
    "[",
    "|",
    "?",
    "#",
    "*",
    "é",
];

fn path() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9);
    (prop::bool::weighted(0.95), pieces)
        .prop_map(|(absolute, pieces)| format!("{}{}", if absolute { "/" } else { "" }, pieces.concat()))
}

/// Paths of few different segments, so that rules and requests meet.
fn plain_path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(&["a", "ab", "a-b", "%61", "a.b", "A"][..]);
    (prop::collection::vec(segment, 1..4), any::<bool>())
        .prop_map(|(segments, slash)| format!("/{}{}", segments.join("/"), if slash { "/" } else { "" }))
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn a_path_is_read_as_the_model_reads_it(path in path()) {
        let read = CanonicalPath::parse(&path).ok().map(|path| path.to_string());
        prop_assert_eq!(read, canonical_path(&path));
    }

    #[test]
    fn the_canonical_form_is_stable_and_safe(path in path()) {
        if let Ok(canonical) = CanonicalPath::parse(&path) {
            let text = canonical.as_str();
            let again = CanonicalPath::parse(text).map(|path| path.to_string());
            prop_assert_eq!(again, Ok(text.to_owned()));
            prop_assert!(text.starts_with('/'));
            let lower = text.to_ascii_lowercase();
            for bad in ["//", "%2e", "%2f", "%5c", "%00", ";", "\\", "%3b", "?", "#", " "] {
                prop_assert!(!lower.contains(bad), "{text:?} has {bad:?}");
            }
            prop_assert!(text.split('/').all(|segment| segment != "." && segment != ".."));
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic()));
        }
    }

    #[test]
    fn arbitrary_text_is_no_panic(path in any::<String>()) {
        let read = CanonicalPath::parse(&path).ok().map(|path| path.to_string());
        prop_assert_eq!(read, canonical_path(&path));
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn rules_agree_with_the_model(rules in prop::collection::vec(plain_path(), 0..5), path in plain_path()) {
        let parsed: Vec<PathRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let read = canonical_path(&path).unwrap();
        let model = rules.iter().any(|rule| path_is_below(&canonical_path(rule).unwrap(), &read));
        let canonical = CanonicalPath::parse(&path).unwrap();
        let one_by_one = parsed.iter().any(|rule| rule.allows(&canonical));
        let list = PathRules::from(parsed);
        prop_assert_eq!(one_by_one, model);
        prop_assert_eq!(list.allows(&canonical), model);
        prop_assert_eq!(list.allows_raw(&path), if model { Ok(()) } else { Err(PathRefusal::NoRule) });
        if let Ok(rule) = list.rule_for(&path) {
            prop_assert!(rule.allows(&canonical));
        }
    }

    #[test]
    fn what_is_ambiguous_is_never_allowed(path in path()) {
        let everything: PathRules = PathRules::parse_list("/").unwrap();
        prop_assert_eq!(everything.allows_raw(&path).is_ok(), canonical_path(&path).is_some());
    }

    #[test]
    fn a_rule_reads_what_it_writes(path in path()) {
        if let Ok(rule) = path.parse::<PathRule>() {
            prop_assert_eq!(rule.to_string().parse(), Ok(rule));
        }
    }
}
