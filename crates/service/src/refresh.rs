//! Certificates of peers, fetched again: by a person, and in the background at least every 12 h.
//!
//! 1. The document comes from the base URL of the record, never from elsewhere and never because of a request.
//! 2. `Certificate::succeeds` decides whether it replaces the one held (wire document, section 7). What it does not
//!    allow needs a person: [`Setup::fetch_again`](crate::Setup::fetch_again), compare, save.
//! 3. The last good one is kept for ever. What went wrong stands in the record until it goes well again.
//!
//! The page of the older versions announces nothing, so its key is only compared.

mod rounds;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use taa_client::fetch::{FetchError, Fetcher};
use taa_core::certificate::{Certificate, Succession, SuccessionError};
use taa_core::crypto::{CryptoProvider, Random, SystemRandom};
use taa_core::id::{AppId, KeyId};
use taa_core::time::UnixMillis;
use taa_store::model::{Actor, Refreshed, Snapshot};
use taa_store::{Store, StoreError};
use tokio::sync::Notify;
use url::Url;

use crate::setup::{SetupError, fetch_failed, same_place};

/// Fetches certificates of peers again. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Refresher {
    store: Store,
    provider: Arc<dyn CryptoProvider>,
    random: Arc<dyn Random>,
    fetcher: Fetcher,
    rounds: rounds::Rounds,
    nudges: Arc<Nudges>,
}

/// Peers whose refresh a client has brought forward.
#[derive(Debug, Default)]
struct Nudges {
    /// When each was last brought forward, on the clock that does not jump. Only of servers that are known.
    last: Mutex<HashMap<AppId, Duration>>,
    waiting: Mutex<HashSet<AppId>>,
    some: Notify,
}

/// What became of one refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A newer certificate was taken over.
    Taken,
    /// The one held is still served.
    Same,
    /// The one held stays; why, for a person.
    Kept(String),
}

/// What is held of a peer.
struct Held {
    /// Where its record says it lives. A peer that is trusted and called may have two places.
    places: Vec<Url>,
    /// Its certificates: one, or two when the records differ.
    certificates: Vec<Certificate>,
    /// Its key of the older versions.
    legacy: Option<KeyId>,
}

/// Why a certificate stays, and the other place it named.
struct Problem {
    text: String,
    other_base_url: Option<Url>,
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self { text, other_base_url: None }
    }
}

impl Refresher {
    /// A client brings a server's refresh forward at most once in this time (wire document, section 7).
    pub const NUDGE_EVERY: Duration = Duration::from_secs(300);

    /// A refresher that fetches with the rules of the wire document, section 7.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(store: Store, provider: Arc<dyn CryptoProvider>) -> Result<Self, SetupError> {
        Ok(Self {
            store,
            provider,
            random: Arc::new(SystemRandom),
            // A person allowed plain http when a peer was added there; and what comes has to be signed by a key that
            // was announced, so whoever is on the path can only hold it back.
            fetcher: Fetcher::new()?.insecure_allow_http(),
            rounds: rounds::Rounds::default(),
            nudges: Arc::default(),
        })
    }

    /// Refreshes every peer at least once in this time; 12 h by default.
    #[must_use]
    pub fn at_least_every(mut self, every: Duration) -> Self {
        self.rounds = rounds::Rounds::at_least_every(every);
        self
    }

    /// Another source of randomness than the system's.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Refreshes one peer, wherever it stands.
    ///
    /// # Errors
    /// When the store fails or there is no such peer. What the peer does wrong is an [`Outcome`].
    pub async fn refresh(&self, id: &AppId, by: &Actor) -> Result<Outcome, StoreError> {
        let snapshot = self.store.snapshot();
        let held = Held::of(&snapshot, id)
            .ok_or_else(|| StoreError::NotFound(format!("application or server {id}")))?;
        let now = self.store.clock().wall().map_err(|_| StoreError::Time)?;
        let found = match held.certificates.is_empty() {
            true => self.look_at_page(id, &held).await,
            false => self.look_at_certificate(&held, now).await,
        };
        let outcome = match found {
            Ok(Some(newer)) => self.take(&newer, by).await?,
            Ok(None) => Ok(Outcome::Same),
            Err(problem) => Err(problem),
        };
        let (problem, other_base_url) = match &outcome {
            Ok(_) => (None, None),
            Err(problem) => (Some(problem.text.clone()), problem.other_base_url.clone()),
        };
        let at = self.store.clock().wall().map_err(|_| StoreError::Time)?;
        self.store.note_refresh(id, Refreshed { at, problem, other_base_url }).await?;
        Ok(outcome.unwrap_or_else(|problem| Outcome::Kept(problem.text)))
    }

    /// Asks for a server's refresh to be brought forward, because it refused a request with an unproven
    /// `BAD_SIGNATURE`: its keys may have changed. Only [`run`](Refresher::run) acts on it. True when it will; within
    /// 5 minutes of the last time nothing happens, nor for a server that is not known.
    pub fn nudge(&self, server: &AppId) -> bool {
        if self.store.snapshot().server(server.as_str()).is_none() {
            return false;
        }
        let now = self.store.clock().monotonic();
        let mut last = self.nudges.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.saturating_sub(*at) < Self::NUDGE_EVERY);
        if last.contains_key(server) {
            return false;
        }
        last.insert(server.clone(), now);
        drop(last);
        self.nudges.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone());
        self.nudges.some.notify_one();
        true
    }

    /// A newer certificate than those held; none when it is the same.
    async fn look_at_certificate(
        &self,
        held: &Held,
        now: UnixMillis,
    ) -> Result<Option<Certificate>, Problem> {
        let fetch = |place| async move { self.fetcher.certificate(&*self.provider, &place, now).await };
        let new = self.fetch_one(held, fetch).await?;
        let mut newer = false;
        for certificate in &held.certificates {
            match new.succeeds(certificate, now) {
                Ok(Succession::Newer) => newer = true,
                Ok(Succession::Same) => {}
                Err(why) => return Err(not_a_successor(why, &new, certificate)),
            }
        }
        Ok(newer.then_some(new))
    }

    /// The page of the older versions: it can only be the same.
    async fn look_at_page(&self, id: &AppId, held: &Held) -> Result<Option<Certificate>, Problem> {
        let fetch = |place: Url| async move { self.fetcher.legacy_page(&place).await };
        let page = self.fetch_one(held, fetch).await?;
        if page.app_id != *id {
            return Err(another_application(&page.app_id).into());
        }
        if held.legacy.is_some_and(|key| key != page.key.thumbprint()) {
            let text = "The page shows another key than the one held. The older versions cannot announce a new key: a \
                        person has to compare it over another channel.";
            return Err(text.to_owned().into());
        }
        Ok(None)
    }

    /// Fetches from the first place that answers.
    async fn fetch_one<T, F>(&self, held: &Held, fetch: impl Fn(Url) -> F) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, FetchError>>,
    {
        let mut first = None;
        for place in &held.places {
            match fetch(place.clone()).await {
                Ok(found) => return Ok(found),
                Err(error) => first = first.or(Some(fetch_failed(&error))),
            }
        }
        Err(first.unwrap_or_else(|| "It is not known where this peer lives.".into()).into())
    }

    /// Takes a newer certificate over; what the peer did wrong is no failure of the store.
    async fn take(&self, newer: &Certificate, by: &Actor) -> Result<Result<Outcome, Problem>, StoreError> {
        match self.store.replace_certificate(newer, None, false, by).await {
            Ok(_) => Ok(Ok(Outcome::Taken)),
            Err(
                error @ (StoreError::Certificate(_)
                | StoreError::Key(_)
                | StoreError::KeyInUse { .. }
                | StoreError::OwnId(_)),
            ) => Ok(Err(format!("The certificate is not taken over: {error}.").into())),
            // Another node was quicker, or a person has just looked: what is held now is not what was compared.
            Err(StoreError::Changed | StoreError::Succession(_)) => Ok(Ok(Outcome::Same)),
            Err(error) => Err(error),
        }
    }
}

fn not_a_successor(why: SuccessionError, new: &Certificate, held: &Certificate) -> Problem {
    let (new, held) = (new.content(), held.content());
    match why {
        SuccessionError::BaseUrl => Problem {
            text: format!(
                "Its certificate now says that it lives at {}, and not at {}: a move, or a clone with the same id. A \
                 person has to look at it.",
                new.base_url, held.base_url
            ),
            other_base_url: Some(new.base_url.clone()),
        },
        SuccessionError::Issuer => another_application(&new.iss).into(),
        SuccessionError::LowerSequence => format!(
            "An older certificate is served there: number {}, and {} is held. It may have been restored from a backup.",
            new.seq, held.seq
        )
        .into(),
        SuccessionError::SameSequence => format!(
            "A certificate with the number of the one held, {}, and other content is served there: it may be a clone, \
             or restored from a backup.",
            held.seq
        )
        .into(),
        why => format!("Its new certificate is not taken over: {why}.").into(),
    }
}

fn another_application(id: &AppId) -> String {
    format!("Another application answers there: {id}. A person has to look at it.")
}

impl Held {
    fn of(snapshot: &Snapshot, id: &AppId) -> Option<Self> {
        let (application, server) = (snapshot.application(id.as_str()), snapshot.server(id.as_str()));
        let mut held = Self {
            places: Vec::new(),
            certificates: Vec::new(),
            legacy: application.and_then(|known| Some(known.keys.legacy.as_ref()?.0.thumbprint())),
        };
        let records = [
            application.map(|known| (&known.base_url, known.keys.certificate.as_ref())),
            server.map(|known| (&known.base_url, known.certificate.as_ref())),
        ];
        for (base_url, certificate) in records.into_iter().flatten() {
            if !held.places.iter().any(|place| same_place(place, base_url)) {
                held.places.push(base_url.clone());
            }
            held.certificates.extend(certificate.filter(|new| !held.certificates.contains(new)).cloned());
        }
        (!held.places.is_empty()).then_some(held)
    }
}

#[cfg(test)]
mod tests;
