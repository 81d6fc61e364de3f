//! A peer's certificate is fetched, kept pending on the server, shown to a person, and only what was shown is saved.
//!
//! What is kept as a peer's base URL is the one the person typed: its certificate is fetched again from there. The one
//! the certificate names stays inside the document, where the rule of succession looks at it; when the two differ, the
//! person is told.

mod addresses;
mod base_url;
mod error;
mod remark;
mod save;
mod why;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use taa_client::fetch::{FetchError, Fetcher};
use taa_core::crypto::{CryptoProvider, Random, SystemRandom};
use taa_core::id::AppId;
use taa_core::policy::{AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Protocol, Timeout};
use taa_core::time::UnixMillis;
use taa_store::model::{Actor, Pending, PendingId, Presented, Rules, RulesText, Stamp};
use taa_store::{Store, StoreError};
use url::Url;

pub use error::{SaveError, SetupError};
pub use remark::{OLDER_VERSIONS, Remark};

pub(crate) use base_url::same_place;
pub(crate) use why::fetch_failed;

/// Sets trust up in two steps, for a person: [`fetch`](Setup::fetch), compare, [`save`](Setup::save).
#[derive(Clone, Debug)]
pub struct Setup {
    store: Store,
    provider: Arc<dyn CryptoProvider>,
    random: Arc<dyn Random>,
    fetcher: Fetcher,
    paths: PathRules,
    methods: MethodRules,
    never_as: NeverAs,
    greatest: GreatestTimeout,
}

/// What to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchWhat {
    /// The peer's base URL, as a person typed it.
    pub base_url: String,
    /// Allows plain http to another host.
    pub insecure_allow_http: bool,
    /// Takes the page of the older versions instead of the certificate.
    pub older_versions: bool,
}

/// What was fetched, with what a person should know before going on.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// What waits.
    pub pending: Pending,
    /// What the form offers: the peer's name, the addresses its host has, the usual paths, 60,000 ms. Of a peer that is
    /// trusted already, its present rules.
    pub suggested: RulesText,
    /// What is remarkable about it.
    pub remarks: Vec<Remark>,
}

/// What becomes of it: either or both. With neither, a peer that is there already gets its new keys and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SaveWhat {
    /// Trust it (incoming), with these rules.
    pub incoming: Option<RulesText>,
    /// Call it (outgoing).
    pub outgoing: Option<OutgoingText>,
}

/// How a server is called, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutgoingText {
    /// Its name for people; the one it gives itself when blank.
    pub name: String,
    /// How long a session lasts, in seconds; 300 when blank.
    pub lifetime: String,
    /// Whether content is only accepted with a proven digest.
    pub require_content_digest: bool,
}

impl Setup {
    /// A set-up that fetches with the rules of the wire document, section 7.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(store: Store, provider: Arc<dyn CryptoProvider>) -> Result<Self, SetupError> {
        Ok(Self {
            store,
            provider,
            random: Arc::new(SystemRandom),
            fetcher: Fetcher::new()?,
            paths: ["/rest", "/sr"].into_iter().filter_map(|path| path.parse().ok()).collect(),
            methods: MethodRules::parse_list("GET HEAD POST PUT DELETE").unwrap_or_default(),
            never_as: NeverAs::default(),
            greatest: GreatestTimeout::default(),
        })
    }

    /// The paths that are suggested; `/rest` and `/sr` by default.
    #[must_use]
    pub fn suggested_paths(mut self, paths: PathRules) -> Self {
        self.paths = paths;
        self
    }

    /// The methods that are suggested; `GET HEAD POST PUT DELETE` by default.
    #[must_use]
    pub fn suggested_methods(mut self, methods: MethodRules) -> Self {
        self.methods = methods;
        self
    }

    /// The users that are suggested never to be named, such as the service's administrators; nobody by default.
    #[must_use]
    pub fn suggested_never_as(mut self, never_as: NeverAs) -> Self {
        self.never_as = never_as;
        self
    }

    /// The greatest timeout rules may name, which is the server's own; 60 s by default.
    #[must_use]
    pub fn greatest_timeout(mut self, greatest: GreatestTimeout) -> Self {
        self.greatest = greatest;
        self
    }

    /// Another source of randomness than the system's.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// The store that trust is kept in.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// First step: fetches what the peer presents and keeps it pending.
    ///
    /// # Errors
    /// A field error on the base URL, or what went wrong in fetching.
    pub async fn fetch(&self, what: &FetchWhat, by: &Actor) -> Result<Fetched, SetupError> {
        let base_url = base_url::parse(&what.base_url).map_err(SetupError::BaseUrl)?;
        self.fetch_from(base_url, what.insecure_allow_http, what.older_versions, by).await
    }

    /// First step for a peer that is there already and whose new certificate needs a person: fetches it from where the
    /// peer lives, so that a person can compare it and [`save`](Setup::save) it.
    ///
    /// # Errors
    /// When there is no such peer, or what went wrong in fetching.
    pub async fn fetch_again(&self, id: &AppId, by: &Actor) -> Result<Fetched, SetupError> {
        let snapshot = self.store.snapshot();
        let (application, server) = (snapshot.application(id.as_str()), snapshot.server(id.as_str()));
        let base_url = application
            .map(|known| &known.base_url)
            .or(server.map(|known| &known.base_url))
            .ok_or_else(|| StoreError::NotFound(format!("application or server {id}")))?;
        let older = remark::held(&snapshot, id.as_str()).is_none();
        // A person allowed plain http when the peer was added; otherwise this is no http URL.
        self.fetch_from(base_url.clone(), base_url.scheme() == "http", older, by).await
    }

    async fn fetch_from(
        &self,
        base_url: Url,
        allow_http: bool,
        older_versions: bool,
        by: &Actor,
    ) -> Result<Fetched, SetupError> {
        // Asked first, because a mistyped host is the most frequent mistake, and has its own answer.
        let addresses = addresses::of(&base_url).await.map_err(SetupError::BaseUrl)?;
        let now = self.now()?;
        let (presented, insecure_http) =
            match self.present(&self.fetcher, &base_url, older_versions, now).await {
                Err(FetchError::PlainHttp) if allow_http => {
                    let fetcher = self.fetcher.clone().insecure_allow_http();
                    (self.present(&fetcher, &base_url, older_versions, now).await?, true)
                }
                presented => (presented?, false),
            };
        let mut id = [0; 16];
        self.random.fill(&mut id).map_err(|_| StoreError::Random)?;
        let pending = Pending {
            id: PendingId::from_bytes(id),
            base_url,
            presented,
            insecure_http,
            fetched: Stamp { at: now, by: by.clone() },
        };
        self.store.add_pending(pending.clone()).await?;
        Ok(self.describe(pending, &addresses, now))
    }

    async fn present(
        &self,
        fetcher: &Fetcher,
        base_url: &Url,
        older_versions: bool,
        now: UnixMillis,
    ) -> Result<Presented, FetchError> {
        if older_versions {
            return fetcher.legacy_page(base_url).await.map(Presented::LegacyPage);
        }
        let certificate = fetcher.certificate(&*self.provider, base_url, now).await?;
        Ok(Presented::Certificate(Box::new(certificate)))
    }

    /// Shows once more what waits.
    ///
    /// # Errors
    /// When it lapsed or was saved.
    pub async fn fetched(&self, id: &PendingId) -> Result<Fetched, SetupError> {
        let pending = self.store.pending(id).await?;
        // The form can be shown without a suggestion.
        let addresses = addresses::of(&pending.base_url).await.unwrap_or_default();
        Ok(self.describe(pending, &addresses, self.now()?))
    }

    /// Gives up what waits.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn give_up(&self, id: &PendingId) -> Result<(), SetupError> {
        Ok(self.store.remove_pending(id).await?)
    }

    fn describe(&self, pending: Pending, addresses: &AddressRules, now: UnixMillis) -> Fetched {
        let snapshot = self.store.snapshot();
        let suggested = match snapshot.application(pending.app_id().as_str()) {
            Some(known) => RulesText::of(&known.name, &known.rules),
            None => self.suggest(&pending, addresses),
        };
        let remarks = remark::all(&pending, &snapshot, now);
        Fetched { pending, suggested, remarks }
    }

    fn suggest(&self, pending: &Pending, addresses: &AddressRules) -> RulesText {
        let (name, min_protocol) = match &pending.presented {
            Presented::Certificate(certificate) => (certificate.content().name.clone(), Protocol::V4),
            Presented::LegacyPage(page) => (pending.base_url.to_string(), save::page_protocol(page)),
        };
        let rules = Rules {
            addresses: addresses.clone(),
            paths: self.paths.clone(),
            methods: self.methods.clone(),
            never_as: self.never_as.clone(),
            timeout: Timeout::default_for(self.greatest).get(),
            min_protocol,
            allow_repeats: false,
        };
        RulesText::of(&name, &rules)
    }

    fn now(&self) -> Result<UnixMillis, SetupError> {
        self.store.clock().wall().map_err(|_| StoreError::Time.into())
    }
}

#[cfg(test)]
mod tests;
