use std::sync::Arc;

use http::HeaderValue;
use taa_benches::{Client, client_identity, parts};
use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::fields;

use crate::server::Server;

pub(crate) const TARGET: &str = "/jira/rest/api/2/search?jql=project%3DHSP";

/// Requests as they go over the wire, made before they are sent. Those of one session differ in one field only, so that is
/// what is kept of each.
pub(crate) struct Requests {
    before: Vec<u8>,
    certificates: Option<std::vec::IntoIter<HeaderValue>>,
}

impl Requests {
    /// So many requests signed for this server, or any number without the fields.
    pub(crate) fn new(server: Option<&Server>, count: usize) -> Self {
        let Some(server) = server else {
            return Self { before: head(&parts("GET", &url())), certificates: None };
        };
        let provider: Arc<dyn CryptoProvider> = Arc::new(AwsLc);
        let identity = client_identity(&*provider, 2048, "confluence:6512");
        let client = Client::new(&provider, &identity, server.certificate());
        let mut sample = client.signed(parts("GET", &url()), None);
        sample.headers.remove(fields::CERT);
        let certificates: Vec<_> = (0..count)
            .map(|_| {
                let signed = client.signed(parts("GET", &url()), None);
                signed.headers.get(fields::CERT).cloned().expect("a certificate")
            })
            .collect();
        Self { before: head(&sample), certificates: Some(certificates.into_iter()) }
    }

    /// Writes the next request; false when there is none left.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        out.extend_from_slice(&self.before);
        if let Some(certificates) = &mut self.certificates {
            let Some(certificate) = certificates.next() else { return false };
            out.extend_from_slice(fields::CERT.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(certificate.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        true
    }
}

fn url() -> String {
    format!("https://tracker.example{TARGET}")
}

fn head(parts: &http::request::Parts) -> Vec<u8> {
    let mut out = format!("{} {TARGET} HTTP/1.1\r\nhost: tracker.example\r\n", parts.method).into_bytes();
    for (name, value) in &parts.headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}
