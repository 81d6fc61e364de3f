use http::{HeaderMap, HeaderValue, Method, Request};
use taa_client::{BuildError, RecordError, ServerRecord, SignError};
use taa_core::crypto::{Random, RandomError};
use taa_core::fields;
use taa_core::policy::PathError;
use taa_core::request::{ContentDigest, TargetError};
use taa_core::time::{Clock, ClockError};

use crate::tracker::*;

#[test]
fn trusted_as_the_user() {
    let (clock, content) = (clock(), b"{\"summary\":1}");
    let (signer, tracker) = (signer(&clock), Tracker::new(&clock));
    for method in [Method::GET, Method::DELETE, Method::OPTIONS] {
        let mut request = get();
        request.method = method;
        let (pending, answer) = exchange(&signer, &tracker, request);
        assert!(pending.read(&answer).status().is_trusted());
    }
    let mut request = post();
    let pending = signer.sign(&mut request, &fred(), Some(&ContentDigest::of(content))).unwrap();
    let (answer, body) = tracker.answer(&request, content).into_parts();
    let trust = pending.read(&answer);
    assert!(trust.status().is_trusted() && trust.is_proven());
    assert_eq!(trust.content_digest(), Some(ContentDigest::of(b"hello fred")));
    drop(body);
}

#[test]
fn what_a_signed_request_looks_like() {
    let clock = clock();
    let signer = signer(&clock);
    let mut request = get();
    for name in [
        "x-seraph-trusted-app-key",
        "x-seraph-trusted-app-magic",
        "x_seraph_trusted-app_id",
        "content-digest",
    ] {
        request.headers.append(name, HeaderValue::from_static("old"));
        request.headers.append(name, HeaderValue::from_static("older"));
    }
    request.headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    request.headers.insert("accept", HeaderValue::from_static("application/json"));
    let before = request.clone();
    signer.sign(&mut request, &fred(), None).unwrap();

    assert_eq!((&request.method, &request.uri), (&before.method, &before.uri));
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let five =
        ["cert", "id", "key", "signature", "version"].map(|name| format!("x-seraph-trusted-app-{name}"));
    let expected: Vec<_> = ["accept", "accept-encoding"].into_iter().map(str::to_owned).chain(five).collect();
    assert_eq!(names, expected);
    assert_eq!(request.headers["accept-encoding"], "identity");
    for name in [fields::KEY, fields::SIGNATURE, fields::CERT] {
        assert!(request.headers[name].is_sensitive());
    }

    // The same session, a new certificate.
    let first = request.headers.clone();
    signer.sign(&mut request, &fred(), None).unwrap();
    assert_eq!(first[fields::KEY], request.headers[fields::KEY]);
    assert_eq!(first[fields::SIGNATURE], request.headers[fields::SIGNATURE]);
    assert_ne!(first[fields::CERT], request.headers[fields::CERT]);
}

/// The request must be what it was, to the last byte.
fn refused(signer: &taa_client::Signer, request: http::request::Builder, why: &SignError) {
    let mut request = head(request);
    request.headers.insert("x-seraph-trusted-app-id", HeaderValue::from_static("mine"));
    let before: HeaderMap = request.headers.clone();
    let (method, uri) = (request.method.clone(), request.uri.clone());
    assert_eq!(signer.sign(&mut request, &fred(), None).err().as_ref(), Some(why));
    assert_eq!((request.method, request.uri, request.headers), (method, uri, before));
}

#[test]
fn all_or_nothing() {
    let clock = clock();
    let signer = signer(&clock);
    let url = "https://tracker.example/jira/x";
    let get = || Request::get(url);
    for (request, why) in [
        (get().method("CONNECT"), SignError::Method),
        (get().header("authorization", "Basic eDp5"), SignError::Credentials),
        (get().header("cookie", "JSESSIONID=1"), SignError::Credentials),
        (get().header("host", "evil.example"), SignError::Host),
        (get().header("content-encoding", "gzip"), SignError::Override(http::header::CONTENT_ENCODING)),
        (
            get().header("x-http-method-override", "PUT"),
            SignError::Override("x-http-method-override".parse().unwrap()),
        ),
        (get().header("connection", "close, X-Seraph-Trusted-App-Cert"), SignError::Connection(fields::CERT)),
        (
            get().header("content-type", "a/b").header("content-type", "a/b"),
            SignError::FieldDoubled(http::header::CONTENT_TYPE),
        ),
        (
            get().header("content-type", HeaderValue::from_bytes(b"a/\xe9").unwrap()),
            SignError::FieldNotAscii(http::header::CONTENT_TYPE),
        ),
        (Request::get("https://u:p@tracker.example/jira/x"), SignError::Credentials),
        (
            Request::get("https://tracker.example/jira/../admin"),
            SignError::AmbiguousPath(PathError::DotSegment),
        ),
        (
            Request::get("https://tracker.example/jira/%2e%2e/x"),
            SignError::AmbiguousPath(PathError::DotSegment),
        ),
        (Request::get("https://tracker.example/jira/\u{e9}"), SignError::Target(TargetError::Character)),
    ] {
        refused(&signer, request, &why);
    }
    // The first of several reasons, in the order of the list.
    let mut all = get();
    let last_first = [
        (
            "content-type",
            HeaderValue::from_bytes(b"a/\xe9").unwrap(),
            SignError::FieldNotAscii(http::header::CONTENT_TYPE),
        ),
        ("connection", fields::KEY.into(), SignError::Connection(fields::KEY)),
        (
            "x-rewrite-url",
            HeaderValue::from_static("/"),
            SignError::Override("x-rewrite-url".parse().unwrap()),
        ),
        (
            "x-http-method",
            HeaderValue::from_static("PUT"),
            SignError::Override("x-http-method".parse().unwrap()),
        ),
        ("host", HeaderValue::from_static("evil.example"), SignError::Host),
        ("cookie", HeaderValue::from_static("a=b"), SignError::Credentials),
    ];
    for (name, value, why) in last_first {
        all = all.header(name, value);
        let (parts, ()) = all.body(()).unwrap().into_parts();
        let mut again = Request::get(url);
        *again.headers_mut().unwrap() = parts.headers.clone();
        refused(&signer, again, &why);
        all = get();
        *all.headers_mut().unwrap() = parts.headers;
    }
    for elsewhere in [
        "https://evil.example/jira/x",
        "http://tracker.example/jira/x",
        "https://tracker.example:8443/jira/x",
        "https://tracker.example/jira2",
        "/jira/x",
    ] {
        refused(&signer, Request::get(elsewhere), &SignError::UnknownServer);
    }
}

#[derive(Debug)]
struct Broken;

impl Random for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

impl Clock for Broken {
    fn wall(&self) -> Result<taa_core::time::UnixMillis, ClockError> {
        Err(ClockError)
    }
    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

#[test]
fn nothing_without_time_or_randomness() {
    let clock = clock();
    let no_random = builder(&clock).random(std::sync::Arc::new(Broken)).server(record()).build().unwrap();
    refused(&no_random, Request::get("https://tracker.example/jira/x"), &SignError::Random(RandomError));
    let no_clock = builder(&clock).clock(std::sync::Arc::new(Broken)).server(record()).build().unwrap();
    refused(&no_clock, Request::get("https://tracker.example/jira/x"), &SignError::Clock(ClockError));
}

#[test]
fn a_full_head_is_left_alone() {
    let clock = clock();
    let mut request = get();
    let value = HeaderValue::from_static("v");
    while request.headers.try_append("x-many", value.clone()).is_ok() && request.headers.len() < 20_000 {}
    for number in 0.. {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        if request.headers.try_insert(name, value.clone()).is_err() {
            break;
        }
    }
    let before = request.headers.clone();
    assert_eq!(signer(&clock).sign(&mut request, &fred(), None).err(), Some(SignError::TooManyFields));
    assert_eq!(request.headers, before);
}

#[test]
fn the_longest_base_path_wins() {
    let clock = clock();
    let whole = ServerRecord::builder(&certificate("portal", "https://tracker.example")).build().unwrap();
    let signer = builder(&clock).server(whole).server(record()).build().unwrap();
    let tracker = Tracker::new(&clock);
    let (pending, answer) = exchange(&signer, &tracker, get());
    assert!(pending.read(&answer).status().is_trusted());
    // The envelope of another server does not open here.
    let (pending, answer) = exchange(&signer, &tracker, head(Request::get("https://tracker.example/x")));
    assert!(!pending.read(&answer).status().is_trusted());
    assert!(signer.knows(&"https://tracker.example:443/".parse().unwrap()));
    assert!(!signer.knows(&"https://tracker.example:444/".parse().unwrap()));
}

#[test]
fn each_of_many_servers_is_found() {
    let clock = clock();
    let bases = [
        "https://tracker.example/jira",
        "https://tracker.example:8443/jira",
        "https://tracker.example/wiki",
        "https://tracker.example/wiki/x",
        "https://a.example",
        "https://tracker-2.example",
        "http://localhost/jira",
        "http://[::1]:8080/jira",
    ];
    let mut many = builder(&clock);
    for (number, base) in bases.iter().enumerate() {
        many = many.server(ServerRecord::builder(&certificate(&format!("s{number}"), base)).build().unwrap());
    }
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let into = std::sync::Arc::clone(&told);
    let signer = many.on_signed(move |id| into.lock().unwrap().push(id.to_string())).build().unwrap();
    let mut expected = Vec::new();
    for (number, base) in bases.iter().enumerate() {
        for uri in [format!("{base}/y"), base.replace("example", "EXAMPLE").replace("local", "LOCAL")] {
            signer.sign(&mut head(Request::get(&uri)), &fred(), None).unwrap();
            expected.push(format!("s{number}"));
        }
    }
    assert_eq!(*told.lock().unwrap(), expected);
    for elsewhere in
        ["https://tracker.example/", "https://b.example", "http://a.example", "http://[::2]:8080/jira"]
    {
        assert!(!signer.knows(&elsewhere.parse().unwrap()), "{elsewhere}");
    }
}

#[test]
fn records() {
    let plain = certificate("tracker", "http://tracker.example");
    assert_eq!(ServerRecord::builder(&plain).build().err(), Some(RecordError::HttpNotAllowed));
    assert!(ServerRecord::builder(&plain).insecure_allow_http(true).build().is_ok());
    for loopback in ["http://localhost:8080/jira", "http://127.0.0.2:1", "http://[::1]"] {
        assert!(
            ServerRecord::builder(&plain).base_url(loopback.parse().unwrap()).build().is_ok(),
            "{loopback}"
        );
    }
    let client = wiki();
    assert_eq!(ServerRecord::builder(client.certificate()).build().err(), Some(RecordError::NoDecryptionKey));
}

#[test]
fn servers_that_cannot_be_told_apart() {
    let clock = clock();
    let same_id = ServerRecord::builder(&certificate("tracker", "https://other.example")).build().unwrap();
    let why = builder(&clock).server(record()).server(same_id.clone()).build().err();
    assert_eq!(why, Some(BuildError::SameId(record().id().clone())));
    let same_url =
        ServerRecord::builder(&certificate("other", "https://tracker.example:443/jira/")).build().unwrap();
    let why = builder(&clock).server(record()).server(same_url.clone()).build().err();
    assert_eq!(why, Some(BuildError::SameBaseUrl(same_url.base_url().clone())));

    let signer = signer(&clock);
    assert!(matches!(signer.replace_server(same_url), Err(BuildError::SameBaseUrl(_))));
    assert_eq!(signer.servers().len(), 1);
    // The same id is the same server, which has moved.
    signer.replace_server(same_id).unwrap();
    assert!(!signer.knows(&get().uri) && signer.knows(&"https://other.example/x".parse().unwrap()));
    assert!(signer.remove_server(record().id()) && !signer.remove_server(record().id()));
    assert!(signer.servers().is_empty());
}
