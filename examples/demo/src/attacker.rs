//! Applications that ask for what they may not have.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use example_support::by_options;
use http::request::Parts;
use reqwest::Client;
use reqwest::redirect;
use taa_client::{Pending, ServerRecord, Signer};
use taa_core::crypto::AwsLc;
use taa_core::directory::{Application, Directory};
use taa_core::id::{AppId, UserName};
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{KeySize, SigningKey};
use taa_core::policy::{AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Protocol};
use taa_core::request::ContentDigest;
use taa_core::time::{Clock, ManualClock, SystemClock};
use taa_store::model::{NewApplication, PeerKeys, Rules};
use taa_store::{Store, StoreError};
use url::Url;

use crate::answer::Answer;
use crate::pair::Pair;

/// An application of its own, with a key and a client.
pub(crate) struct Attacker {
    identity: Arc<Identity>,
    signer: Signer,
    http: Client,
    tracker: Url,
}

/// The applications of this demonstration that are trusted for a while.
const TRUSTED: [&str; 3] = ["elsewhere", "late", "trusted"];

/// Takes back the trust in all of them.
pub(crate) async fn forget_all(pair: &Pair) -> Result<()> {
    let Some(store) = &pair.store else { return Ok(()) };
    for id in TRUSTED {
        forget(store, id).await?;
    }
    Ok(())
}

/// One may be there from a time before, with another key.
async fn forget(store: &Store, id: &str) -> Result<()> {
    match store.remove_application(id, &by_options()).await {
        Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A signed request that was not sent yet.
pub(crate) struct Signed {
    pub(crate) parts: Parts,
    pub(crate) body: &'static str,
    pending: Pending,
}

impl Attacker {
    /// Makes an application that knows the tracker; whether the tracker knows it is another matter.
    pub(crate) fn new(id: &str, pair: &Pair) -> Result<Self> {
        Self::with_clock(id, pair, Arc::new(SystemClock::new()))
    }

    /// One whose clock is behind by so much.
    pub(crate) fn late(id: &str, pair: &Pair, by: Duration) -> Result<Self> {
        let now = SystemClock::new().wall()?;
        Self::with_clock(id, pair, Arc::new(ManualClock::new(now.minus(by))))
    }

    fn with_clock(id: &str, pair: &Pair, clock: Arc<dyn Clock>) -> Result<Self> {
        let signing = SigningKey::generate(&AwsLc, KeySize::Rsa2048)?;
        let profile = Profile {
            id: AppId::parse(id)?,
            name: id.to_owned(),
            base_url: "http://127.0.0.1/".parse()?,
            seq: 1,
            iat: SystemClock::new().wall()?.seconds(),
            older_protocols: Vec::new(),
        };
        let identity = Arc::new(Identity::new(profile, vec![OwnKey::current(signing)], Vec::new())?);
        let trust = pair.trusts.first().context("there is a tracker")?;
        let record = ServerRecord::builder(trust.identity().certificate())
            .base_url(pair.tracker_url.clone())
            .build()?;
        let signer = Signer::builder(Arc::clone(&identity)).server(record).clock(clock).build()?;
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            // A connection for each request, so that each node gets some.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { identity, signer, http, tracker: pair.tracker_url.clone() })
    }

    /// Lets the tracker's administrator trust this application, for calls from `addresses`.
    pub(crate) async fn be_trusted(&self, pair: &Pair, addresses: &str) -> Result<()> {
        let rules = Rules {
            addresses: AddressRules::parse_list(addresses)?,
            paths: PathRules::parse_list("/rest/api/2/search\n/rest/api/2/issue")?,
            methods: MethodRules::parse_list("GET\nPOST")?,
            never_as: NeverAs::default(),
            timeout: Duration::from_secs(60),
            min_protocol: Protocol::V4,
            allow_repeats: false,
        };
        let Some(store) = &pair.store else {
            let policy = rules.policy(GreatestTimeout::default())?;
            let application = Application::new(&AwsLc, self.identity.certificate(), policy)?;
            for trust in &pair.trusts {
                let before = trust.directory();
                let others = before.applications().map(|other| Application::clone(other));
                trust.replace_directory(Directory::new(others.chain([application.clone()]))?);
            }
            return Ok(());
        };
        let id = self.identity.id();
        forget(store, id.as_str()).await?;
        let new = NewApplication {
            id: id.clone(),
            name: id.to_string(),
            base_url: self.identity.certificate().content().base_url.clone(),
            keys: PeerKeys { certificate: Some(self.identity.certificate().clone()), legacy: None },
            rules,
        };
        store.add_application(new, &by_options()).await?;
        // The other node learns of it within a second.
        let known = || pair.trusts.iter().all(|trust| trust.directory().application(id.as_str()).is_some());
        for _ in 0..100 {
            if known() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("a node of the tracker has not learned of {id}")
    }

    /// Signs a request as `user`.
    pub(crate) fn sign(&self, method: &str, path: &str, user: &str, body: &'static str) -> Result<Signed> {
        let mut request = http::Request::builder().method(method).uri(self.tracker.join(path)?.as_str());
        if !body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        let (mut parts, ()) = request.body(())?.into_parts();
        let digest = (!body.is_empty()).then(|| ContentDigest::of(body.as_bytes()));
        let pending = self.signer.sign(&mut parts, &UserName::parse(user)?, digest.as_ref())?;
        Ok(Signed { parts, body, pending })
    }

    /// Sends it, as often as it is called.
    pub(crate) async fn send(&self, signed: &Signed) -> Result<Answer> {
        let request = self
            .http
            .request(signed.parts.method.clone(), signed.parts.uri.to_string())
            .headers(signed.parts.headers.clone())
            .body(signed.body);
        let response: http::Response<reqwest::Body> = request.send().await?.into();
        let (head, _) = response.into_parts();
        Ok(Answer::read(&head, &signed.pending.read(&head)))
    }
}
