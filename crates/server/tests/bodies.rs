//! The layer is generic over bodies: also over those whose error is any error, as `tower-http` and `axum` make them.
#![cfg(feature = "aws-lc")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use taa_core::crypto::AwsLc;
use taa_core::directory::Directory;
use taa_core::id::AppId;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_server::resolver::StaticUsers;
use taa_server::{RequestBody, Trust};
use tower::{ServiceBuilder, ServiceExt, service_fn};

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type AnyBody = UnsyncBoxBody<Bytes, AnyError>;

fn any(text: &'static str) -> AnyBody {
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
}

#[tokio::test]
async fn any_error_of_a_body_will_do_and_the_future_can_be_spawned() {
    let profile = Profile {
        id: AppId::parse("tracker").unwrap(),
        name: "Tracker".into(),
        base_url: "https://tracker.example/".parse().unwrap(),
        seq: 1,
        iat: 0,
        older_protocols: Vec::new(),
    };
    let signing = OwnKey::current(SigningKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
    let decryption = OwnKey::current(DecryptingKey::generate(&AwsLc, KeySize::Rsa2048).unwrap());
    let identity = Identity::new(profile, vec![signing], vec![decryption]).unwrap();
    let trust = Trust::builder(identity, Directory::default(), StaticUsers::new(["fred"])).build().unwrap();
    let handler = |_: Request<RequestBody<AnyBody>>| async { Ok::<_, AnyError>(Response::new(any("hello"))) };
    let service = ServiceBuilder::new().layer(trust.layer()).service(service_fn(handler));

    let plain = Request::new(any(""));
    let answer = tokio::spawn(service.clone().oneshot(plain)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let attempt = Request::builder().header("x-seraph-trusted-app-version", "4").body(any("")).unwrap();
    let answer = tokio::spawn(service.oneshot(attempt)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes().as_ref(),
        b"APP_ID_NOT_FOUND: Application id not found in request\n"
    );
}
