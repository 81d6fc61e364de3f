//! Content of requests.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use taa_core::answer::Code;
use taa_core::request::ContentDigest;
use taa_server::TrustLayer;

use super::world::{BodyFault, BoxBody, Handler, Setup, World, full};

const LIMIT: usize = 1000;

fn limited(handler: Handler) -> Setup {
    Setup::default().handler(handler)
}

fn limit(
    builder: taa_server::TrustBuilder<super::world::Users>,
) -> taa_server::TrustBuilder<super::world::Users> {
    builder.request_limit(LIMIT)
}

/// Frames one by one, without a length.
fn frames(frames: Vec<Result<Frame<Bytes>, BodyFault>>) -> BoxBody {
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

#[tokio::test]
async fn content_that_matches_arrives_intact() {
    let world = World::new();
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for content in [Bytes::new(), Bytes::from_static(b"{}"), Bytes::from(all)] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::GET] {
            let call = world.call(method, "/x").content("application/octet-stream", content.clone());
            assert_eq!(world.accepted(&call).await.body.unwrap(), content);
        }
    }
    // Without a digest there is nothing, on any method.
    for method in [Method::POST, Method::GET] {
        let seen = world.accepted(&world.call(method, "/x")).await;
        assert!(seen.body.unwrap().is_empty());
    }
}

#[tokio::test]
async fn content_that_does_not_match_is_refused() {
    let world = World::new();
    world.refused(&world.post("/", "{}").body("{ }"), Code::BadDigest).await;
    world.refused(&world.post("/", "{}").body(""), Code::BadDigest).await;
    world.refused(&world.post("/", "").body("{}"), Code::BadDigest).await;
    world.refused(&world.post("/", "{}").digest(""), Code::BadDigest).await;
    for digest in ["sha-512=:AA==:", "sha-256=:AA==:", "rubbish", "sha-256=?1", "sha-256=:=:"] {
        world.refused(&world.post("/", "{}").digest(digest), Code::BadDigest).await;
    }
    let good = ContentDigest::of(b"{}").to_field();
    for digest in [format!("{good}, {good}"), format!("{good},sha-256=1")] {
        world.refused(&world.post("/", "{}").digest(&digest), Code::BadDigest).await;
    }
    // Other members do not count, whatever they say.
    for digest in [format!("sha-512=:AA==:, {good}"), format!("{good};a=1, md5=x")] {
        world.accepted(&world.post("/", "{}").digest(&digest)).await;
    }
}

#[tokio::test]
async fn above_the_limit_it_is_413() {
    let world = limited(Handler::default()).build_with(limit);
    for (length, refused) in [(LIMIT, false), (LIMIT + 1, true), (100 * LIMIT, true)] {
        for known_length in [true, false] {
            let content = vec![b'x'; length];
            let call = world.call(Method::POST, "/").content("text/plain", content.clone());
            let body = if known_length {
                full(content)
            } else {
                frames(
                    content.chunks(333).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect(),
                )
            };
            if refused {
                let answer = world.send_request(call.request_with(body)).await;
                assert_eq!(answer.status(), 413);
                answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));
                assert!(world.handler.take().is_empty());
            } else {
                let seen = world.accepted_request(call.request_with(body), &call).await;
                assert_eq!(seen.body.unwrap().len(), length);
            }
        }
    }
}

/// A body that is said to be huge is refused before it is read; one without digest at its first byte.
#[tokio::test]
async fn what_is_refused_is_not_read() {
    let world = limited(Handler::default()).build_with(limit);
    let call = world.call(Method::POST, "/").content("text/plain", vec![0; 10 * LIMIT]);
    let mut request = call.request();
    *request.body_mut() = Untouchable(10_000).boxed_unsync();
    let answer = world.send_request(request).await;
    assert_eq!(answer.status(), 413);

    // And nothing before step 12 looks at the body at all: `100 (Continue)` would be sent.
    for (call, code) in [
        (world.post("/", "{}").user("nobody"), Code::UserUnknown),
        (world.post("/", "{}").created(world.now().minus(std::time::Duration::from_secs(61))), Code::OldCert),
        (world.post("/", "{}").digest("rubbish"), Code::BadDigest),
    ] {
        let answer = world.send_request(call.request_with(Untouchable(2).boxed_unsync())).await;
        answer.check_refusal(code, Some((world.caller.keys(), &call.iv)));
    }
    let request = world.post("/", "{}").uri("/b").request_with(Untouchable(2).boxed_unsync());
    let answer = world.send_request(request).await;
    answer.check_refusal(Code::BadSignature, None);
}

/// A body that must not be read.
struct Untouchable(u64);

impl http_body::Body for Untouchable {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        panic!("the content was read")
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn chunks_trailers_and_broken_bodies() {
    let world = World::new();
    let call = world.post("/", "hello");
    let mut trailers = HeaderMap::new();
    trailers.insert("content-digest", "sha-256=:AA==:".parse().unwrap());
    let body = frames(vec![
        Ok(Frame::data("he".into())),
        Ok(Frame::data("".into())),
        Ok(Frame::data("llo".into())),
        Ok(Frame::trailers(trailers.clone())),
    ]);
    assert_eq!(world.accepted_request(call.request_with(body), &call).await.body.unwrap(), "hello");

    // A digest in the trailers is none.
    let call = world.call(Method::POST, "/");
    trailers.insert("content-digest", ContentDigest::of(b"hello").to_field().parse().unwrap());
    let body = frames(vec![Ok(Frame::data("hello".into())), Ok(Frame::trailers(trailers))]);
    let answer = world.send_request(call.request_with(body)).await;
    answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));

    // A body that breaks off is no content, even when what came would be right.
    let call = world.post("/", "hello");
    let body = frames(vec![Ok(Frame::data("hello".into())), Err("the connection broke".into())]);
    let answer = world.send_request(call.request_with(body)).await;
    answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));
    assert!(world.handler.take().is_empty());

    // An empty body of unknown length is empty.
    let call = world.call(Method::POST, "/");
    world.accepted_request(call.request_with(frames(Vec::new())), &call).await;
}

fn verifying(handler: Handler) -> World {
    limited(handler).route(TrustLayer::verifying_stream).build_with(limit)
}

fn long() -> Vec<u8> {
    vec![b'x'; 3 * LIMIT]
}

fn chunked(content: &[u8]) -> BoxBody {
    frames(content.chunks(700).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect())
}

#[tokio::test]
async fn a_verifying_stream_gives_good_content_of_any_length() {
    let world = verifying(Handler::default());
    for known_length in [true, false] {
        for content in [long(), b"short".to_vec(), Vec::new()] {
            let call = world.call(Method::POST, "/").content("text/plain", content.clone());
            let body = if known_length { full(content.clone()) } else { chunked(&content) };
            assert_eq!(world.accepted_request(call.request_with(body), &call).await.body.unwrap(), content);
        }
    }
}

#[tokio::test]
async fn a_verifying_stream_ends_in_an_error_and_the_answer_is_thrown_away() {
    let world = verifying(Handler::new(|seen| {
        assert_eq!(seen.body.as_ref().unwrap_err(), "the content does not match its digest");
        http::Response::new(full("done, all of it"))
    }));
    let mut altered = long();
    altered[2500] ^= 1;
    for content in [altered, vec![b'x'; 3 * LIMIT - 1], vec![b'x'; 3 * LIMIT + 1]] {
        for known_length in [true, false] {
            let call = world.call(Method::POST, "/").content("text/plain", long());
            let body = if known_length { full(content.clone()) } else { chunked(&content) };
            let answer = world.send_request(call.request_with(body)).await;
            answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));
            assert!(!answer.body.starts_with(b"done"));
            assert_eq!(world.handler.take().len(), 1);
        }
    }
    // Shorter than the limit, so that it was checked before: the handler does not see it.
    let call = world.post("/", "{}").body("[]");
    world.refused(&call, Code::BadDigest).await;
    // No digest: no content, and no stream either.
    let call = world.call(Method::POST, "/");
    let answer = world.send_request(call.request_with(chunked(&long()))).await;
    answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));
    assert!(world.handler.take().is_empty());
}

/// A handler that does not read to the end has not seen that the content is good, so its answer does not go out.
#[tokio::test]
async fn a_verifying_stream_that_is_not_read_to_its_end() {
    let handler = Handler::new(|_| {
        http::Response::builder().header(header::SET_COOKIE, "a=b").body(full("done")).unwrap()
    });
    let world = verifying(handler.that_does_not_read());
    for known_length in [true, false] {
        let call = world.call(Method::POST, "/").content("text/plain", long());
        let body = if known_length { full(long()) } else { chunked(&long()) };
        let answer = world.send_request(call.request_with(body)).await;
        answer.check_refusal(Code::BadDigest, Some((world.caller.keys(), &call.iv)));
        assert_eq!(world.handler.take().len(), 1);
    }
    // Content that was buffered was checked, read or not.
    let call = world.post("/", "{}");
    world.accepted(&call).await;
}
