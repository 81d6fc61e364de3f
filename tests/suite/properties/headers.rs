use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use taa_core::answer::Code;
use taa_core::decision::{CertificateSpace, Presented};
use taa_core::fields;

use super::cases;
use crate::fixture::{FIXTURE, Request};

/// Where a byte is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Field(usize),
    ContentType,
    ContentDigest,
    Method,
    Target,
    Body,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Replace(u8),
    Insert(u8),
    Remove,
    Cut,
}

impl Change {
    fn make(self, bytes: &[u8], at: prop::sample::Index) -> Vec<u8> {
        let mut out = bytes.to_vec();
        match self {
            Self::Replace(byte) if !out.is_empty() => out[at.index(bytes.len())] = byte,
            Self::Replace(byte) | Self::Insert(byte) => out.insert(at.index(bytes.len() + 1), byte),
            Self::Remove if !out.is_empty() => drop(out.remove(at.index(bytes.len()))),
            Self::Cut if !out.is_empty() => out.truncate(at.index(bytes.len())),
            Self::Remove | Self::Cut => {}
        }
        out
    }
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        6 => (0..5_usize).prop_map(Place::Field),
        1 => Just(Place::ContentType),
        1 => Just(Place::ContentDigest),
        1 => Just(Place::Method),
        1 => Just(Place::Target),
        1 => Just(Place::Body),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any::<u8>().prop_map(Change::Replace),
        4 => prop::sample::select(b"AZaz09-_=4 .:/?%\t".as_slice()).prop_map(Change::Replace),
        2 => any::<u8>().prop_map(Change::Insert),
        1 => Just(Change::Remove),
        1 => Just(Change::Cut),
    ]
}

/// The request with one change; `None` when HTTP could not carry it, or it is the same.
fn changed(place: Place, change: Change, at: prop::sample::Index) -> Option<Request> {
    let mut request = FIXTURE.request.clone();
    let field = |request: &mut Request, name: HeaderName| {
        let old = request.headers.get(&name).unwrap().as_bytes();
        let new = change.make(old, at);
        // Blanks around a content field do not belong to it.
        if new.trim_ascii() == old {
            return None;
        }
        request.headers.insert(name, HeaderValue::from_bytes(&new).ok()?);
        Some(())
    };
    match place {
        Place::Field(number) => field(&mut request, fields::REQUEST[number].clone())?,
        Place::ContentType => field(&mut request, http::header::CONTENT_TYPE)?,
        Place::ContentDigest => field(&mut request, fields::CONTENT_DIGEST)?,
        Place::Method => {
            request.method = Method::from_bytes(&change.make(request.method.as_str().as_bytes(), at)).ok()?;
            if request.method == FIXTURE.request.method {
                return None;
            }
        }
        Place::Target => {
            request.target =
                String::from_utf8_lossy(&change.make(request.target.as_bytes(), at)).into_owned();
            if request.target == FIXTURE.request.target {
                return None;
            }
        }
        Place::Body => {
            request.body = change.make(&request.body, at);
            if request.body == FIXTURE.request.body {
                return None;
            }
        }
    }
    Some(request)
}

/// A name that means something here, or any.
fn name() -> impl Strategy<Value = HeaderName> {
    let known: Vec<HeaderName> = fields::REQUEST
        .into_iter()
        .chain(fields::OVERRIDES)
        .chain([
            fields::MAGIC,
            fields::CONTENT_DIGEST,
            http::header::CONTENT_TYPE,
            http::header::CONNECTION,
            HeaderName::from_static("x-seraph-trusted-app_id"),
        ])
        .collect();
    prop_oneof![
        6 => prop::sample::select(known),
        1 => "[a-z][a-z0-9_-]{0,30}".prop_map(|name| name.parse().unwrap()),
    ]
}

fn value() -> impl Strategy<Value = HeaderValue> {
    let good = FIXTURE.request.headers.values().cloned().collect::<Vec<_>>();
    prop_oneof![
        4 => prop::sample::select(good),
        2 => "[A-Za-z0-9_-]{0,900}".prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        1 => "[A-Za-z0-9_-]{4000,9000}".prop_map(|text| HeaderValue::from_str(&text).unwrap()),
        2 => prop::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| {
            let bytes: Vec<u8> = bytes.into_iter().filter(|b| *b >= 0x20 && *b != 0x7f).collect();
            HeaderValue::from_bytes(&bytes).unwrap()
        }),
    ]
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn no_changed_byte_is_accepted(place in place(), change in change(), at in any::<prop::sample::Index>()) {
        if let Some(request) = changed(place, change, at) {
            let [known, unknown] = FIXTURE.codes(&request);
            prop_assert!(known.is_some(), "accepted in a known session: {request:?}");
            prop_assert!(unknown.is_some(), "accepted in a new session: {request:?}");
            if place == Place::Body {
                prop_assert_eq!([known, unknown], [Some(Code::BadDigest); 2]);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn no_arbitrary_fields_are_accepted(all in prop::collection::vec((name(), value()), 0..12)) {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(name, value);
        }
        let good = &FIXTURE.request.headers;
        prop_assume!(good.keys().any(|name| good.get(name) != headers.get(name)));
        let request = Request { headers, ..FIXTURE.request.clone() };
        prop_assert!(FIXTURE.codes(&request).iter().all(Option::is_some), "accepted: {request:?}");
    }

    /// One field more, of the kinds that change what somebody else reads.
    #[test]
    fn no_field_is_doubled_or_overridden(name in name(), value in value()) {
        let mut request = FIXTURE.request.clone();
        request.headers.append(name.clone(), value.clone());
        let codes = FIXTURE.codes(&request);
        let harmless = !FIXTURE.request.headers.contains_key(&name)
            && !fields::OVERRIDES.contains(&name)
            && name.as_str() != "x-seraph-trusted-app_id"
            && name != http::header::CONNECTION;
        if !harmless && name != http::header::CONNECTION {
            prop_assert_eq!(codes, [Some(Code::Malformed); 2], "{}: {:?}", name, value);
        } else if harmless {
            prop_assert_eq!(codes, [None; 2], "{}: {:?}", name, value);
        }
    }

    #[test]
    fn no_target_is_a_panic(target in "\\PC{0,40}|[!-~]{0,60}", method in "[A-Za-z!#$%&'*+.^_`|~-]{1,20}") {
        let method: Method = method.parse().unwrap();
        let _either = Presented::parse(&method, &target, &FIXTURE.request.headers, &mut CertificateSpace::new());
        let request = Request { target, method, ..FIXTURE.request.clone() };
        prop_assert!(FIXTURE.codes(&request).iter().all(Option::is_some));
    }
}

/// The text a proptest shows for a request must not take the place of the assertion: the fixture itself is accepted.
#[test]
fn the_unchanged_request_is_accepted() {
    assert_eq!(FIXTURE.codes(&FIXTURE.request), [None; 2]);
}

#[test]
fn connection_may_name_none_of_the_five() {
    for name in fields::REQUEST {
        for line in
            [name.to_string(), format!("close, {}", name.as_str().to_uppercase()), format!(",{name} ,x")]
        {
            let mut request = FIXTURE.request.clone();
            request.headers.insert(http::header::CONNECTION, HeaderValue::from_str(&line).unwrap());
            assert_eq!(FIXTURE.codes(&request), [Some(Code::Malformed); 2], "{line}");
        }
    }
}
