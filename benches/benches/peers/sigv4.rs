use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use http::Request;
use taa_benches::parts;
use taa_core::time::{Clock, SystemClock};

use crate::{Peer, URL, USER};

/// AWS Signature Version 4, by the crate `aws-sigv4`, which only signs. The user is in a field of its own, which the
/// signature covers.
pub(crate) struct SigV4 {
    credentials: Credentials,
    clock: SystemClock,
}

impl SigV4 {
    pub(crate) fn new() -> Self {
        // The key of the example in Amazon's documentation.
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "bench");
        Self { credentials, clock: SystemClock::new() }
    }
}

impl Peer for SigV4 {
    type Message = Request<()>;

    fn request(&self) -> Self::Message {
        Request::from_parts(parts("GET", URL), ())
    }

    fn sign(&self, message: &mut Self::Message) {
        message.headers_mut().insert("x-user", http::HeaderValue::from_static(USER));
        let now = Duration::from_millis(self.clock.wall().expect("a time").0);
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("tracker")
            .time(SystemTime::UNIX_EPOCH + now)
            .settings(SigningSettings::default())
            .build()
            .expect("parameters")
            .into();
        let uri = message.uri().to_string();
        let fields =
            message.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable =
            SignableRequest::new("GET", uri, fields, SignableBody::empty()).expect("a request to sign");
        let signed = http_request::sign(signable, &params).expect("a signature");
        signed.into_parts().0.apply_to_request_http1x(message);
    }

    fn verify(&self, _: &Self::Message) {
        panic!("the crate has no verifier");
    }
}
