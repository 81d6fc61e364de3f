//! What goes out: the proof is over exactly that.

use http::{Method, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use taa_core::fields;
use taa_core::request::ContentDigest;

use super::world::{Answer, BodyFault, BoxBody, Call, Handler, Setup, World, full, pieces};

fn world(make: impl Fn() -> Response<BoxBody> + Send + Sync + 'static) -> World {
    Setup::default().handler(Handler::new(move |_| make())).build_with(|builder| builder.response_limit(100))
}

async fn good(world: &World, call: &Call<'_>) -> Answer {
    let answer = world.send(call).await;
    assert_eq!(answer.field(fields::STATUS), Some("OK"), "{answer:?}");
    assert!(answer.is_proven(world.caller.keys(), &call.iv), "{answer:?}");
    assert_eq!(answer.field(header::CACHE_CONTROL), Some("no-store, no-transform"));
    answer.check_digest();
    answer
}

#[tokio::test]
async fn what_the_handler_says_about_trust_caching_and_cookies_does_not_go_out() {
    let world = world(|| {
        let mut response = Response::builder();
        for (name, value) in [
            ("X-Seraph-Trusted-App-Status", "ERROR"),
            ("X-Seraph-Trusted-App-Status", "OK"),
            ("X-Seraph-Trusted-App-Error", "BUSY;\tx;\t[]"),
            ("X-Seraph-Trusted-App-Proof", "AAAAAAAAAAAAAAAAAAAAAA"),
            ("X-Seraph-Trusted-App-Other", "x"),
            ("Content-Digest", "sha-256=:AA==:"),
            ("Content-Digest", "sha-256=:BB==:"),
            ("Set-Cookie", "JSESSIONID=1"),
            ("Set-Cookie", "other=1"),
            ("Cache-Control", "public, max-age=1000"),
            ("Expires", "Thu, 01 Dec 2044 16:00:00 GMT"),
            ("CDN-Cache-Control", "max-age=1000"),
            ("Surrogate-Control", "max-age=1000"),
            ("ETag", "\"1\""),
        ] {
            response = response.header(name, value);
        }
        response.body(full("x")).unwrap()
    });
    for call in [world.get("/"), world.call(Method::POST, "/")] {
        let answer = good(&world, &call).await;
        let mut names: Vec<_> = answer.head.headers.keys().map(header::HeaderName::as_str).collect();
        names.sort_unstable();
        let mut expected = [
            "cache-control",
            "content-digest",
            "etag",
            "x-seraph-trusted-app-proof",
            "x-seraph-trusted-app-status",
        ];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert!(answer.field(fields::CONTENT_DIGEST).is_some());
    }
    // An answer to somebody else is not touched but for `Vary`.
    let answer = world.send_request(http::Request::get("/").body(full("")).unwrap()).await;
    assert_eq!(answer.head.headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!(answer.field("cache-control"), Some("public, max-age=1000"));
}

#[tokio::test]
async fn a_digest_where_the_whole_content_is_known_and_small() {
    for (length, digest) in [(0, true), (1, true), (100, true), (101, false), (100_000, false)] {
        let world = world(move || Response::new(full(vec![b'x'; length])));
        let answer = good(&world, &world.get("/")).await;
        assert_eq!(answer.field(fields::CONTENT_DIGEST).is_some(), digest, "{length}");
        assert_eq!(answer.body.len(), length);
    }
    let world = world(|| Response::new(pieces(["of unknown ", "length"])));
    let answer = good(&world, &world.get("/")).await;
    assert_eq!((answer.field(fields::CONTENT_DIGEST), &*answer.body), (None, &b"of unknown length"[..]));
}

#[tokio::test]
async fn no_digest_where_there_is_no_content() {
    let digest = || ContentDigest::of(b"").to_field();
    let head = world(move || Response::builder().header("content-digest", digest()).body(full("x")).unwrap());
    let answer = good(&head, &head.call(Method::HEAD, "/")).await;
    assert_eq!(answer.field(fields::CONTENT_DIGEST), None);
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let world = world(move || {
            Response::builder().status(status).header("content-digest", digest()).body(full("")).unwrap()
        });
        let answer = good(&world, &world.get("/")).await;
        assert_eq!((answer.field(fields::CONTENT_DIGEST), answer.head.status), (None, status));
    }
    // Refusals to HEAD as well.
    let world = World::new();
    let answer = world.send(&world.call(Method::HEAD, "/").user("nobody")).await;
    assert_eq!((answer.status(), answer.field(fields::CONTENT_DIGEST), answer.body.len()), (403, None, 0));
}

/// The status of the handler is covered, an error of its own is no refusal.
#[tokio::test]
async fn the_handler_s_status_is_covered() {
    for status in [200, 201, 302, 404, 500, 599] {
        let world = world(move || {
            Response::builder().status(status).header(header::LOCATION, "/elsewhere").body(full("x")).unwrap()
        });
        let call = world.get("/");
        let mut answer = good(&world, &call).await;
        assert_eq!((answer.status(), answer.code()), (status, None));
        answer.head.status = StatusCode::IM_A_TEAPOT;
        assert!(!answer.is_proven(world.caller.keys(), &call.iv), "another status is not proven");
    }
}

/// A body that fails or is longer than it said: what was begun is not sent, and that is proven too.
#[tokio::test]
async fn content_that_fails_is_a_proven_500() {
    struct Lying(&'static [Result<&'static str, &'static str>]);
    impl http_body::Body for Lying {
        type Data = bytes::Bytes;
        type Error = BodyFault;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<bytes::Bytes>, BodyFault>>> {
            let Some((first, rest)) = self.0.split_first() else { return std::task::Poll::Ready(None) };
            self.0 = rest;
            std::task::Poll::Ready(Some(first.map(|data| Frame::data(data.into())).map_err(Into::into)))
        }
        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(10)
        }
    }
    const LONG: &str = "0123456789012345678901234567890123456789";
    let cases: [&'static [Result<&str, &str>]; 2] =
        [&[Ok("half"), Err("broken")], &[Ok(LONG), Ok(LONG), Ok(LONG)]];
    for frames in cases {
        let world = world(move || {
            Response::builder().header(header::CONTENT_LENGTH, 10).body(Lying(frames).boxed_unsync()).unwrap()
        });
        let answer = good(&world, &world.get("/")).await;
        assert_eq!((answer.status(), answer.body.len()), (500, 0));
        assert_eq!(answer.field(header::CONTENT_LENGTH), None);
    }
}

/// Trailers of a streaming answer are not the layer's; those of one that is held as a whole are dropped with it.
#[tokio::test]
async fn a_streaming_answer_goes_out_as_it_comes() {
    let world = world(|| {
        let frames = [Ok::<_, BodyFault>(Frame::data("a".into())), Ok(Frame::data("b".into()))];
        Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync())
    });
    let answer = good(&world, &world.get("/")).await;
    assert_eq!((answer.field(fields::CONTENT_DIGEST), &*answer.body), (None, &b"ab"[..]));
}

/// Without a digest of ours the handler's own stays, under the proof.
#[tokio::test]
async fn a_handler_s_own_digest_of_long_content_is_covered() {
    let content = "x".repeat(1000);
    let digest = ContentDigest::of(content.as_bytes()).to_field();
    let sent = (content.clone(), digest.clone());
    let world = world(move || {
        Response::builder().header("content-digest", &sent.1).body(full(sent.0.clone())).unwrap()
    });
    let answer = good(&world, &world.get("/")).await;
    assert_eq!(answer.field(fields::CONTENT_DIGEST), Some(&*digest));
}
