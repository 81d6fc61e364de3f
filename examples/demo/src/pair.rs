use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;

use anyhow::{Context, Result};
use clap::Parser as _;
use example_support::{RoundRobin, SecretUrl};
use taa_core::id::AppId;
use taa_server::Trust;
use taa_store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracker::Users;
use url::Url;

use crate::place::{Place, Side};

/// How the pair is started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Where the tracker listens.
    pub(crate) tracker: String,
    /// Where the wiki listens.
    pub(crate) wiki: String,
    /// Where they keep their trust.
    pub(crate) place: Option<Place>,
    /// Where nodes of the tracker share nonces: then there are two.
    pub(crate) nonces: Option<SecretUrl>,
    /// The administrator's password.
    pub(crate) admin_password_file: Option<PathBuf>,
    /// Whether each is told where the other lives. Without it they know each other already, or never will.
    pub(crate) set_up: bool,
}

/// Both applications, started and trusting each other.
pub(crate) struct Pair {
    pub(crate) tracker_url: Url,
    pub(crate) wiki_url: Url,
    pub(crate) tracker_fingerprint: String,
    pub(crate) wiki_fingerprint: String,
    /// Of each node of the tracker.
    pub(crate) trusts: Vec<Trust<Users>>,
    /// Where the tracker keeps its trust.
    pub(crate) store: Option<Store>,
    services: Vec<JoinHandle<Result<()>>>,
    front: Option<JoinHandle<Result<()>>>,
}

impl Start {
    const fn nodes(&self) -> usize {
        if self.nonces.is_some() { 2 } else { 1 }
    }

    fn kept(&self, side: Side) -> Vec<String> {
        let mut options = self.place.as_ref().map(|place| place.options(side)).unwrap_or_default();
        options.extend(
            self.admin_password_file.iter().map(|file| format!("--admin-password-file={}", file.display())),
        );
        options
    }

    fn tracker_options(&self, listen: &str, front: Option<&Url>) -> Result<tracker::service::Options> {
        let mut options = vec!["tracker".to_owned(), format!("--listen={listen}")];
        options.extend(self.kept(Side::Tracker));
        options.extend(front.map(|url| format!("--base-url={url}")));
        options.extend(self.nonces.iter().map(|url| format!("--nonces={}", url.reveal())));
        options.push(format!("--replicas={}", self.nodes()));
        Ok(tracker::service::Options::try_parse_from(options)?)
    }

    fn wiki_options(&self, tracker: &Url) -> Result<wiki::service::Options> {
        let mut options = vec!["wiki".to_owned(), format!("--listen={}", self.wiki)];
        options.extend(self.kept(Side::Wiki));
        options.extend(self.set_up.then(|| format!("--server={tracker}")));
        Ok(wiki::service::Options::try_parse_from(options)?)
    }

    /// One address in front of the tracker's nodes. It listens where the tracker has lived before.
    async fn front(&self) -> Result<Option<RoundRobin>> {
        if self.nodes() == 1 {
            return Ok(None);
        }
        let kept = self.tracker_options(&self.tracker, None)?.store;
        let listen = match kept.lives_at().await? {
            Some(url) if self.tracker.ends_with(":0") => url.authority().to_owned(),
            _ => self.tracker.clone(),
        };
        RoundRobin::bind(&listen).await.map(Some)
    }
}

impl Pair {
    /// Starts both; each fetches the other's certificate as it would from another machine. Comes back when both have, or
    /// know each other already.
    pub(crate) async fn start(start: &Start) -> Result<Self> {
        if let Some(place) = &start.place {
            place.prepare().await?;
        }
        let mut front = start.front().await?;
        let mut nodes = Vec::new();
        match &mut front {
            None => nodes.push(start.tracker_options(&start.tracker, None)?),
            Some(front) => {
                let url = format!("http://{}/", front.address()?).parse()?;
                for _ in 0..start.nodes() {
                    nodes.push(start.tracker_options("127.0.0.1:0", Some(&url))?);
                }
            }
        }
        let mut trackers = Vec::new();
        for options in nodes {
            let node = tracker::service::Service::bind(options).await?;
            if let Some(front) = &mut front {
                front.add(node.address()?);
            }
            trackers.push(node);
        }
        let first = trackers.first().context("there is a tracker")?;
        let (tracker_url, tracker_fingerprint) = (first.base_url().clone(), first.fingerprint().to_owned());
        let store = first.store().cloned();
        let wiki = wiki::service::Service::bind(start.wiki_options(&tracker_url)?).await?;
        let (wiki_url, wiki_fingerprint) = (wiki.base_url().clone(), wiki.fingerprint().to_owned());

        let (taken, mut wait) = mpsc::unbounded_channel();
        let trusts = trackers.iter().map(|tracker| tracker.trust().clone()).collect();
        let mut services = Vec::new();
        let front = front.map(|front| tokio::spawn(front.run()));
        for (number, mut tracker) in trackers.into_iter().enumerate() {
            // One node sets it up, and the others find it.
            if start.set_up && number == 0 {
                tracker.also_trust(wiki_url.clone());
            }
            let taken = taken.clone();
            // Nobody waits any more once both were told.
            services.push(tokio::spawn(tracker.run(move |_, met| drop(taken.send(met.fingerprint())))));
        }
        services.push(tokio::spawn(wiki.run(move |_, met| drop(taken.send(met.fingerprint())))));
        let mut pair = Self {
            tracker_url,
            wiki_url,
            tracker_fingerprint,
            wiki_fingerprint,
            trusts,
            store,
            services,
            front,
        };
        if start.set_up {
            let mut seen = Vec::new();
            for _ in 0..2 {
                tokio::select! {
                    fingerprint = wait.recv() => seen.extend(fingerprint),
                    ended = pair.ended() => ended?,
                }
            }
            seen.sort();
            let mut shown = [pair.tracker_fingerprint.clone(), pair.wiki_fingerprint.clone()];
            shown.sort();
            // In life a person compares these.
            anyhow::ensure!(seen == shown, "the fingerprints differ: somebody is in between");
        }
        Ok(pair)
    }

    /// When each application that the tracker keeps was added.
    pub(crate) fn added(&self) -> BTreeMap<AppId, u64> {
        let snapshot = self.store.as_ref().map(Store::snapshot);
        let kept = snapshot.iter().flat_map(|snapshot| &snapshot.applications).filter_map(|row| row.good());
        kept.map(|known| (known.id.clone(), known.created.at.0)).collect()
    }

    async fn ended(&mut self) -> Result<()> {
        let ended = std::future::poll_fn(|context| {
            let mut services = self.services.iter_mut().chain(&mut self.front);
            let ended = services.find_map(|service| match Pin::new(service).poll(context) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            });
            ended.map_or(Poll::Pending, Poll::Ready)
        });
        ended.await?.context("one of the services")
    }

    /// Waits until all have stopped.
    pub(crate) async fn wait(self) -> Result<()> {
        for service in self.services {
            service.await??;
        }
        if let Some(front) = self.front {
            front.abort();
        }
        Ok(())
    }

    /// Stops all, as a crash would.
    pub(crate) async fn stop(self) {
        for service in self.services.into_iter().chain(self.front) {
            service.abort();
            // It was told to end, and that it did is all there is to say.
            let _cancelled = service.await;
        }
    }
}
