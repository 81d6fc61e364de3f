use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use httpsig_hyper::MessageSignatureReqSync;
use httpsig_hyper::prelude::message_component::HttpMessageComponentId;
use httpsig_hyper::prelude::{AlgorithmName, HttpSignatureParams, PublicKey, SecretKey, SharedKey};
use taa_benches::{Key, parts, private_pem};

use crate::{BITS, Peer, URL, USER};

/// HTTP Message Signatures (RFC 9421), by the crate `httpsig-hyper`: its blocking functions, which run a small executor for
/// each call. The user is in a field of its own, which the signature covers.
pub(crate) struct HttpSig {
    keys: Keys,
    key_id: String,
    covered: Vec<HttpMessageComponentId>,
}

enum Keys {
    Shared(SharedKey),
    Rsa(Box<(SecretKey, PublicKey)>),
}

const USER_FIELD: &str = "x-user";

impl HttpSig {
    pub(crate) fn hmac_sha256() -> Self {
        Self::new(Keys::Shared(SharedKey::HmacSha256(vec![0x5a; 32])))
    }

    pub(crate) fn rsa_sha256() -> Self {
        let pem = private_pem(Key::Client, BITS);
        let secret = SecretKey::from_pem(&AlgorithmName::RsaV1_5Sha256, pem).expect("a key");
        let public = secret.public_key();
        Self::new(Keys::Rsa(Box::new((secret, public))))
    }

    fn new(keys: Keys) -> Self {
        use httpsig_hyper::prelude::VerifyingKey;
        let covered = ["@method", "@target-uri", USER_FIELD].map(HttpMessageComponentId::try_from);
        let key_id = match &keys {
            Keys::Shared(key) => VerifyingKey::key_id(key),
            Keys::Rsa(keys) => VerifyingKey::key_id(&keys.1),
        };
        let covered = covered.into_iter().collect::<Result<_, _>>().expect("components");
        Self { keys, key_id, covered }
    }
}

impl Peer for HttpSig {
    type Message = Request<Empty<Bytes>>;

    fn request(&self) -> Self::Message {
        Request::from_parts(parts("GET", URL), Empty::new())
    }

    fn sign(&self, message: &mut Self::Message) {
        message.headers_mut().insert(USER_FIELD, http::HeaderValue::from_static(USER));
        let mut params = HttpSignatureParams::try_new(&self.covered).expect("parameters");
        params.set_random_nonce().set_expires_with_duration(Some(60));
        match &self.keys {
            Keys::Shared(key) => {
                params.set_key_info(key);
                message.set_message_signature_sync(&params, key, None)
            }
            Keys::Rsa(keys) => {
                params.set_key_info(&keys.0);
                message.set_message_signature_sync(&params, &keys.0, None)
            }
        }
        .expect("a signature");
    }

    fn verify(&self, message: &Self::Message) {
        let found = match &self.keys {
            Keys::Shared(key) => message.verify_message_signature_sync(key, Some(&self.key_id)),
            Keys::Rsa(keys) => message.verify_message_signature_sync(&keys.1, Some(&self.key_id)),
        };
        found.expect("a good signature");
        assert_eq!(message.headers().get(USER_FIELD).map(http::HeaderValue::as_bytes), Some(USER.as_bytes()));
    }
}
