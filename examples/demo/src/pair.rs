use anyhow::{Context, Result};
use clap::Parser as _;
use taa_server::Trust;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracker::Users;
use url::Url;

/// Both applications, started and trusting each other.
pub(crate) struct Pair {
    pub(crate) tracker_url: Url,
    pub(crate) wiki_url: Url,
    pub(crate) tracker_fingerprint: String,
    pub(crate) wiki_fingerprint: String,
    pub(crate) trust: Trust<Users>,
    services: [JoinHandle<Result<()>>; 2],
}

impl Pair {
    /// Starts both; each fetches the other's certificate as it would from another machine. Comes back when both have.
    pub(crate) async fn start(tracker_address: &str, wiki_address: &str) -> Result<Self> {
        let options = tracker::service::Options::try_parse_from(["tracker", "--listen", tracker_address])?;
        let mut tracker = tracker::service::Service::bind(options).await?;
        let tracker_url = tracker.base_url().clone();
        let options = wiki::service::Options::try_parse_from([
            "wiki",
            "--listen",
            wiki_address,
            "--server",
            tracker_url.as_str(),
        ])?;
        let wiki = wiki::service::Service::bind(options).await?;
        let wiki_url = wiki.base_url().clone();
        tracker.also_trust(wiki_url.clone());

        let trust = tracker.trust().clone();
        let tracker_fingerprint = tracker.fingerprint().to_owned();
        let wiki_fingerprint = wiki.fingerprint().to_owned();
        let (taken, mut wait) = mpsc::unbounded_channel();
        let also_taken = taken.clone();
        let services = [
            // Nobody waits any more once both were told.
            tokio::spawn(tracker.run(move |_, peer| drop(taken.send(peer.fingerprint())))),
            tokio::spawn(wiki.run(move |_, peer| drop(also_taken.send(peer.fingerprint())))),
        ];
        let mut pair = Self { tracker_url, wiki_url, tracker_fingerprint, wiki_fingerprint, trust, services };
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
        Ok(pair)
    }

    async fn ended(&mut self) -> Result<()> {
        let [tracker, wiki] = &mut self.services;
        tokio::select! {
            ended = tracker => ended?.context("the tracker"),
            ended = wiki => ended?.context("the wiki"),
        }
    }

    /// Waits until both have stopped.
    pub(crate) async fn wait(self) -> Result<()> {
        for service in self.services {
            service.await??;
        }
        Ok(())
    }
}
