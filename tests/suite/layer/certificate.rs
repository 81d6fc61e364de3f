//! The certificate of a server, as others fetch it.

use http::{Method, Request};
use taa_core::certificate::Certificate;
use taa_core::legacy::{CertificatePage, Version};
use taa_server::CertificateLayer;
use taa_tests::harness::providers;
use tower::{Layer, ServiceExt};

use super::world::{Answer, BoxBody, Handler, START, fresh_key, full, server_identity, stored_key};

async fn send(layer: &CertificateLayer, method: Method, path: &str) -> Answer {
    let request: Request<BoxBody> = Request::builder().method(method).uri(path).body(full("")).unwrap();
    Answer::collect(layer.layer(Handler::default()).oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn the_document() {
    let identity = server_identity("jira:1", "https://t.example/jira", stored_key());
    let layer = CertificateLayer::new(&identity);
    for path in [
        "/.well-known/taa-certificate",
        "/jira/.well-known/taa-certificate",
        "/.well-known/taa-certificate?x",
    ] {
        let answer = send(&layer, Method::GET, path).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.field("content-type"), Some("application/taa-certificate+jwt"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let read = Certificate::verify(providers()[0], &text, START).unwrap();
        assert_eq!(read.fingerprint().to_string(), identity.certificate().fingerprint().to_string());
        let head = send(&layer, Method::HEAD, path).await;
        assert_eq!((head.status(), head.field("content-type")), (200, answer.field("content-type")));
        assert_eq!(head.field("content-length"), Some(&*answer.body.len().to_string()));
        assert!(head.body.is_empty());
    }
    for (method, path) in [
        (Method::POST, "/.well-known/taa-certificate"),
        (Method::GET, "/.well-known/taa-certificates"),
        (Method::GET, "/.well-known/taa-certificate/"),
        (Method::GET, "/admin/appTrustCertificate"),
        (Method::GET, "/x?/.well-known/taa-certificate"),
    ] {
        assert_eq!(&*send(&layer, method, path).await.body, b"the answer", "{path} goes on");
    }
    let next = server_identity("jira:1", "https://t.example/jira", fresh_key());
    layer.clone().replace(&next);
    let answer = send(&layer, Method::GET, "/.well-known/taa-certificate").await;
    assert_eq!(answer.body, next.certificate().document());
}

#[tokio::test]
async fn the_page_of_the_older_versions() {
    let identity = server_identity("jira:1", "https://t.example/", stored_key());
    let key = crate::attacks::legacy_key();
    let page = CertificatePage::write(identity.id(), key.verifying_key(), Version::V3);
    let layer = CertificateLayer::new(&identity).with_legacy_page(page.clone());
    for path in ["/admin/appTrustCertificate", "/jira/x/admin/appTrustCertificate"] {
        let answer = send(&layer, Method::GET, path).await;
        assert_eq!((answer.status(), answer.field("content-type")), (200, Some("text/plain")));
        assert_eq!(answer.body, page);
        let read = CertificatePage::read(&page).unwrap();
        assert_eq!((&read.app_id, &read.key), (identity.id(), key.verifying_key()));
    }
    assert_eq!(send(&layer, Method::GET, "/.well-known/taa-certificate").await.status(), 200);
    assert_eq!(&*send(&layer, Method::GET, "/admin/appTrustCertificat").await.body, b"the answer");
    // The key of the page is in nobody's document.
    assert!(!identity.certificate().document().contains(&key.thumbprint().to_string()));
}
