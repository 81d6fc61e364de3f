use proptest::prelude::*;
use taa_core::certificate::Certificate;
use taa_core::time::UnixMillis;
use taa_tests::harness::providers;

use super::cases;
use crate::fixture::VECTORS;

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn no_changed_document_is_verified(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        change in prop_oneof![
            3 => "[A-Za-z0-9_-]".prop_map(Some),
            1 => "[.=+/ \n\\x00-\\x7f]|\\PC".prop_map(Some),
            1 => Just(None),
        ],
        insert in any::<bool>(),
    ) {
        let vectors = VECTORS.certificates.as_ref().unwrap();
        let document = &vectors.accepted[which.index(vectors.accepted.len())].document;
        let at = at.index(document.len());
        let end = if insert && change.is_some() { at } else { at + 1 };
        let mut changed = document.clone();
        changed.replace_range(at..end, change.as_deref().unwrap_or_default());
        prop_assume!(changed != *document);
        let now = UnixMillis(vectors.clock_s * 1000);
        for provider in providers() {
            prop_assert!(Certificate::verify(provider, document, now).is_ok());
            prop_assert!(Certificate::verify(provider, &changed, now).is_err(), "{changed}");
        }
    }

    /// Parts of two good documents put together make no third.
    #[test]
    fn no_mixture_is_verified(parts in prop::array::uniform3(any::<prop::sample::Index>())) {
        let vectors = VECTORS.certificates.as_ref().unwrap();
        let documents: Vec<Vec<&str>> =
            vectors.accepted.iter().map(|case| case.document.split('.').collect()).collect();
        let mixed: Vec<&str> =
            parts.iter().enumerate().map(|(part, which)| documents[which.index(documents.len())][part]).collect();
        let mixed = mixed.join(".");
        let one_of_them = vectors.accepted.iter().any(|case| case.document == mixed);
        let now = UnixMillis(vectors.clock_s * 1000);
        prop_assert_eq!(Certificate::verify(providers()[0], &mixed, now).is_ok(), one_of_them);
    }
}
