//! Octets on a connection, where a client library would be in the way.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::net::{serve, world};
use crate::layer::world::{Call, Handler};

fn head(line: &str, call: &Call<'_>, more: &str) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nHost: tracker.example\r\n{more}");
    for (name, value) in &call.headers() {
        text.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    text + "\r\n"
}

/// Sends, and reads until this many bytes of `end` were seen or the server closed.
async fn exchange(stream: &mut TcpStream, send: &str, end: &str, times: usize) -> String {
    stream.write_all(send.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&got);
        if text.matches(end).count() >= times {
            return text.into_owned();
        }
        let mut space = [0; 4096];
        match stream.read(&mut space).await.unwrap() {
            0 => return String::from_utf8(got).unwrap(),
            read => got.extend_from_slice(&space[..read]),
        }
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// The client waits with its content until the server asks for it; it must not be asked before all else is good.
#[tokio::test]
async fn expect_100_continue() {
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    let expect = "Expect: 100-continue\r\nContent-Length: 2\r\n";
    let refused = [
        (head("POST /other", &world.post("/x", "{}"), expect), "401", "BAD_SIGNATURE"),
        (head("POST /x", &world.post("/x", "{}").user("nobody"), expect), "403", "USER_UNKNOWN"),
        (head("POST /x", &world.post("/x", "{}").digest("sha-512=:AA==:"), expect), "400", "BAD_DIGEST"),
    ];
    for (request, status, code) in refused {
        let got = exchange(&mut connect(address).await, &request, &format!("{code}: "), 1).await;
        assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{got}");
        assert!(!got.contains("100 Continue"), "{got}");
        assert!(
            got.contains(&format!("x-seraph-trusted-app-error: {code};\t")),
            "the tab is on the wire: {got}"
        );
    }
    let too_long = "Expect: 100-continue\r\nContent-Length: 9999999\r\n";
    let request = head("POST /x", &world.post("/x", "{}"), too_long);
    let got = exchange(&mut connect(address).await, &request, "BAD_DIGEST: ", 1).await;
    assert!(got.starts_with("HTTP/1.1 413 "), "{got}");
    assert!(world.handler.take().is_empty());

    let mut stream = connect(address).await;
    let got = exchange(&mut stream, &head("POST /x", &world.post("/x", "{}"), expect), "\r\n\r\n", 1).await;
    assert_eq!(got, "HTTP/1.1 100 Continue\r\n\r\n");
    let got = exchange(&mut stream, "{}", "the answer", 1).await;
    assert!(got.starts_with("HTTP/1.1 200 ") && got.contains("x-seraph-trusted-app-status: OK"), "{got}");
    assert_eq!(world.handler.only().body.unwrap(), "{}");
}

/// The same octets several times in one packet.
#[tokio::test]
async fn pipelined_duplicates() {
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    let request = head("GET /x", &world.get("/x"), "");
    let got =
        exchange(&mut connect(address).await, &request.repeat(5), "x-seraph-trusted-app-proof: ", 5).await;
    assert_eq!(got.matches("HTTP/1.1 200 ").count(), 1, "{got}");
    assert_eq!(got.matches("x-seraph-trusted-app-error: REPLAYED;").count(), 4, "{got}");
    assert_eq!(world.handler.take().len(), 1);
}

/// Content in chunks, with a trailer that says otherwise; and chunks that are not what was signed.
#[tokio::test]
async fn chunks_on_the_wire() {
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    let chunked = "Transfer-Encoding: chunked\r\nTrailer: Content-Digest\r\n";
    for (chunks, accepted) in [
        ("2\r\n{\"\r\n3\r\na\"}\r\n0\r\n\r\n", true),
        ("5\r\n{\"a\"}\r\n0\r\nContent-Digest: sha-256=:AA==:\r\n\r\n", true),
        ("5\r\n{\"b\"}\r\n0\r\n\r\n", false),
        ("6\r\n{\"a\"} \r\n0\r\n\r\n", false),
        ("0\r\n\r\n", false),
    ] {
        let request = head("POST /x", &world.post("/x", "{\"a\"}"), chunked) + chunks;
        let got = exchange(&mut connect(address).await, &request, "x-seraph-trusted-app-proof: ", 1).await;
        assert_eq!(got.starts_with("HTTP/1.1 200 "), accepted, "{chunks:?}: {got}");
        assert_eq!(got.contains("BAD_DIGEST"), !accepted, "{chunks:?}: {got}");
        assert_eq!(world.handler.take().len(), usize::from(accepted));
    }
}

/// A target in absolute form, as to a proxy.
#[tokio::test]
async fn absolute_form_on_the_wire() {
    let world = world(Handler::default());
    let address = serve(world.service()).await;
    for (line, signed, accepted) in [
        ("GET http://elsewhere.example/a?b", "/a?b", true),
        ("GET http://elsewhere.example", "/", true),
        ("GET http://elsewhere.example?b", "/?b", true),
        ("GET http://elsewhere.example/a?c", "/a?b", false),
        ("GET //elsewhere.example/a", "//elsewhere.example/a", true),
        ("GET //elsewhere.example/a", "/a", false),
    ] {
        let request = head(line, &world.get(signed), "");
        let got = exchange(&mut connect(address).await, &request, "\r\n\r\n", 1).await;
        assert_eq!(got.starts_with("HTTP/1.1 200 "), accepted, "{line}: {got}");
        world.handler.take();
    }
}
