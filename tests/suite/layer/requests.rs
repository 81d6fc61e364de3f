//! Requests with something odd about their fields or target.

use http::{HeaderValue, Method, header};
use taa_core::answer::Code;
use taa_core::fields;
use taa_server::Outcome;

use super::world::{Handler, Setup, World, full, name, value};

#[tokio::test]
async fn without_a_field_it_passes_through_as_nobody() {
    let world = World::new();
    // A principal from elsewhere: one that another request was given.
    let forged = world.accepted(&world.get("/")).await;
    for anonymous in [false, true] {
        let route: fn(_) -> _ =
            if anonymous { taa_server::TrustLayer::anonymous_on_refusal } else { |layer| layer };
        let world = Setup::default().route(route).build();
        let mut request = http::Request::post("/x?y").body(full("content")).unwrap();
        request.headers_mut().insert(header::COOKIE, HeaderValue::from_static("a=b"));
        request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        request.extensions_mut().insert(forged.principal().unwrap().clone());
        request.extensions_mut().insert(Outcome::Trusted(forged.principal().unwrap().clone()));
        let answer = world.send_request(request).await;
        assert_eq!((answer.status(), &*answer.body), (200, &b"the answer"[..]));
        assert_eq!(answer.field(header::VARY), Some("X-Seraph-Trusted-App-Cert"));
        for name in [fields::STATUS, fields::ERROR, fields::PROOF, header::CACHE_CONTROL] {
            assert_eq!(answer.field(&name), None);
        }
        let seen = world.handler.only();
        assert!(seen.principal().is_none());
        assert!(seen.parts.extensions.get::<taa_server::Principal>().is_none());
        assert!(matches!(seen.parts.extensions.get(), Some(Outcome::NoAttempt)));
        assert_eq!(seen.parts.headers.len(), 2, "its own way of logging in is not touched");
        assert_eq!(seen.body.unwrap(), "content");
    }
}

/// A handler's own `Vary` stays beside ours.
#[tokio::test]
async fn vary_is_added_to_the_handler_s() {
    let handler =
        Handler::new(|_| http::Response::builder().header("vary", "Accept").body(full("")).unwrap());
    let world = Setup::default().handler(handler).build();
    let answer = world.send_request(http::Request::get("/").body(full("")).unwrap()).await;
    let all: Vec<_> = answer.head.headers.get_all(header::VARY).iter().collect();
    assert_eq!(all, ["Accept", "X-Seraph-Trusted-App-Cert"]);
}

/// Any of the fields makes it an attempt, alone and in any spelling.
#[tokio::test]
async fn one_field_alone_is_an_attempt() {
    let world = World::new();
    let names = [
        "X-Seraph-Trusted-App-Version",
        "X-Seraph-Trusted-App-ID",
        "X-Seraph-Trusted-App-Key",
        "X-Seraph-Trusted-App-Signature",
        "X-Seraph-Trusted-App-Cert",
        "X-Seraph-Trusted-App-Magic",
        "X_Seraph_Trusted_App_ID",
        "X-Seraph_Trusted-App_Cert",
    ];
    for field in names {
        for text in ["", "x"] {
            let request = http::Request::get("/").header(field, text).body(full("")).unwrap();
            world.refused_unproven(request, Code::BadProtocolVersion).await;
        }
    }
}

#[tokio::test]
async fn fields_that_other_software_reads_otherwise_are_malformed() {
    let world = World::new();
    let put = [
        // Twins with underscores.
        ("X_Seraph_Trusted_App_ID", "jira:1"),
        ("x-seraph-trusted-app_cert", "AAAA"),
        ("X_Seraph-Trusted-App-Version", ""),
        // Hop-by-hop.
        ("Connection", "X-Seraph-Trusted-App-Cert"),
        ("Connection", "close,  x-seraph-trusted-app-signature\t"),
        // Another method or target than the one signed.
        ("Content-Encoding", "gzip"),
        ("X-HTTP-Method", "DELETE"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"),
        ("X-Rewrite-URL", ""),
        // Second lines.
        ("X-Seraph-Trusted-App-Version", "4"),
        ("X-Seraph-Trusted-App-ID", "confluence:6512"),
        ("X-Seraph-Trusted-App-Key", "AAAA"),
        ("X-Seraph-Trusted-App-Signature", "AAAA"),
        ("X-Seraph-Trusted-App-Cert", "AAAA"),
        ("Content-Type", "application/json"),
        ("Content-Digest", "sha-256=:AA==:"),
    ];
    for (field, text) in put {
        let call = world.post("/x", "{}");
        let mut request = call.request();
        request.headers_mut().append(name(field), value(text));
        let answer = world.refused_unproven(request, Code::Malformed).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains(field));
        // What was wrong was that field: without it the same request is good.
        world.accepted(&call).await;
    }
    // Fields of these that are no danger.
    for (field, text) in
        [("Connection", "keep-alive, X-Other"), ("X_Seraph", "1"), ("Accept-Encoding", "gzip")]
    {
        let call = world.get("/x");
        let mut request = call.request();
        request.headers_mut().append(name(field), value(text));
        world.accepted_request(request, &call).await;
    }
}

#[tokio::test]
async fn fields_too_long_or_not_ascii() {
    let world = World::new();
    for field in [fields::ID, fields::KEY, fields::SIGNATURE, fields::CERT] {
        let mut request = world.get("/").request();
        let long = "A".repeat(4097);
        request.headers_mut().insert(field, value(&long));
        world.refused_unproven(request, Code::Malformed).await;
    }
    // Each as long as it may be, and the sum above 4 KiB, of a request that is good otherwise.
    let mut request = world.get("/").request();
    let rest: usize = fields::REQUEST[2..].iter().map(|name| request.headers()[name].len()).sum();
    request.headers_mut().insert(fields::ID, value(&"a".repeat(4096 - rest)));
    world.refused_unproven(request, Code::AppUnknown).await;
    let mut request = world.get("/").request();
    request.headers_mut().insert(fields::ID, value(&"a".repeat(4097 - rest)));
    world.refused_unproven(request, Code::Malformed).await;

    for (field, code) in [
        (fields::ID, Code::AppUnknown),
        (fields::KEY, Code::Malformed),
        (fields::SIGNATURE, Code::Malformed),
        (fields::CERT, Code::Malformed),
        (fields::VERSION, Code::BadProtocolVersion),
        (header::CONTENT_TYPE, Code::Malformed),
        (fields::CONTENT_DIGEST, Code::Malformed),
    ] {
        let mut request = world.get("/").request();
        request.headers_mut().insert(field, HeaderValue::from_bytes(b"\xc3\xa9").unwrap());
        world.refused_unproven(request, code).await;
    }
}

#[tokio::test]
async fn targets() {
    let world = World::new();
    for (signed, sent) in [
        ("/a?b", "http://tracker.example/a?b"),
        ("/a?b", "https://other.example:8443/a?b"),
        ("/", "http://tracker.example"),
        ("/?b", "http://tracker.example?b"),
        ("/a%20b?", "/a%20b?"),
        ("//a/../b;c=d", "//a/../b;c=d"),
    ] {
        println!("{signed} {sent}");
        let seen = world.accepted(&world.get(signed).uri(sent)).await;
        assert_eq!(seen.parts.uri.to_string(), sent.parse::<http::Uri>().unwrap().to_string());
    }
    for sent in ["/b", "/a?", "/A?b", "/a?b=", "/%61?b", "//a?b", "/a/?b", "http://tracker.example/"] {
        world.refused_unproven(world.get("/a?b").uri(sent).request(), Code::BadSignature).await;
    }
    for sent in ["*", "tracker.example:443"] {
        world.refused_unproven(world.get("/").uri(sent).request(), Code::Malformed).await;
    }
    let mut request = world.get("/").uri("tracker.example:443").request();
    *request.method_mut() = Method::CONNECT;
    world.refused_unproven(request, Code::Malformed).await;
}

/// What a proxy took away is put back before anything is checked, and the handler does not see it.
#[tokio::test]
async fn a_prefix_that_was_stripped() {
    let rules = taa_core::policy::PathRules::parse_list("/jira/rest").unwrap();
    let world =
        Setup::default().policy(super::world::any().paths(rules)).build_with(|b| b.stripped_prefix("/jira"));
    let seen = world.accepted(&world.get("/jira/rest/x?y").uri("/rest/x?y")).await;
    assert_eq!(seen.parts.uri.to_string(), "/rest/x?y");
    let answer = world.refused(&world.get("/jira/secure").uri("/secure"), Code::BadUrl).await;
    assert_eq!(answer.params(), ["/jira/secure"], "rules see the target as signed");
    world.refused_unproven(world.get("/rest/x").request(), Code::BadSignature).await;
    // The prefix must not make an asterisk into a path.
    world.refused_unproven(world.get("/jira/").uri("*").request(), Code::Malformed).await;
    for bad in ["jira", "/jira/", "/", "/a?b", "/a#b"] {
        let error = refused_prefix(bad);
        assert!(error.contains("stripped_prefix"), "{error}");
    }
}

fn refused_prefix(prefix: &str) -> String {
    use super::world::{Users, directory, server_identity, stored_key};
    let identity = server_identity("jira", "https://t.example/", stored_key());
    taa_server::Trust::builder(identity, directory(super::world::any()), Users::default())
        .stripped_prefix(prefix)
        .build()
        .unwrap_err()
        .to_string()
}

/// The first of several faults decides, in the order of the document.
#[tokio::test]
async fn the_order_of_checks() {
    let world = Setup::default()
        .policy(
            super::world::any().addresses(taa_core::policy::AddressRules::parse_list("10.0.0.1").unwrap()),
        )
        .build();
    let mut request = world.get("/").peer("192.0.2.1").request();
    let headers = request.headers_mut();
    headers.insert(fields::CERT, value("A"));
    headers.append(fields::KEY, value("A"));
    headers.insert(fields::ID, value(""));
    headers.insert(fields::VERSION, value("5"));
    let broken = request;
    let again = |change: &dyn Fn(&mut http::HeaderMap)| {
        let mut request = http::Request::get("/").body(full("")).unwrap();
        *request.headers_mut() = broken.headers().clone();
        *request.extensions_mut() = broken.extensions().clone();
        change(request.headers_mut());
        request
    };
    let good = world.get("/").headers();
    world.refused_unproven(again(&|_| ()), Code::BadProtocolVersion).await;
    world
        .refused_unproven(again(&|h| drop(h.insert(fields::VERSION, value("4")))), Code::AppIdNotFound)
        .await;
    let fix = |h: &mut http::HeaderMap, names: &[http::HeaderName]| {
        for name in names {
            h.insert(name.clone(), good[name].clone());
        }
    };
    let (version, id) = (fields::VERSION, fields::ID);
    let step = again(&|h| {
        fix(h, &[version.clone(), id.clone()]);
        h.remove(fields::KEY);
    });
    world.refused_unproven(step, Code::SecretKeyNotFound).await;
    let step = again(&|h| fix(h, &[version.clone(), id.clone(), fields::CERT]));
    world.refused_unproven(step, Code::Malformed).await;
    // Envelope head, then application, then address, then signature.
    let wrong_suite = |h: &mut http::HeaderMap| {
        let mut envelope = world.caller.sealed.envelope.clone();
        envelope[1] = 2;
        h.insert(fields::KEY, value(&super::world::encode(&envelope)));
    };
    let step = again(&|h| {
        fix(h, &fields::REQUEST);
        h.insert(fields::ID, value("nobody"));
        wrong_suite(h);
    });
    world.refused_unproven(step, Code::BadProtocolVersion).await;
    let step = again(&|h| {
        fix(h, &fields::REQUEST);
        h.insert(fields::ID, value("nobody"));
    });
    world.refused_unproven(step, Code::AppUnknown).await;
    let step = again(&|h| {
        fix(h, &fields::REQUEST);
        let zeros = "A".repeat(h[fields::SIGNATURE].len());
        h.insert(fields::SIGNATURE, value(&zeros));
    });
    world.refused_unproven(step, Code::BadRemoteIp).await;
}
