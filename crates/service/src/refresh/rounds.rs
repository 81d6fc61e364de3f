use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::Duration;

use taa_core::crypto::Random;
use taa_core::id::AppId;
use taa_store::StoreError;
use taa_store::model::{Actor, Row, Snapshot};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;

use super::{Outcome, Refresher};

/// Refreshes under way at once: a slow peer takes one place for a few seconds, and the others go on.
const AT_ONCE: usize = 4;

/// How often peers are refreshed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rounds {
    /// The longest from one refresh to the next.
    at_least_every: Duration,
    /// The first of each peer comes within this time after the start.
    first_within: Duration,
    /// How often to look whether there are new peers.
    look_every: Duration,
}

impl Default for Rounds {
    /// 12 h (wire document, section 7).
    fn default() -> Self {
        Self::at_least_every(Duration::from_secs(12 * 60 * 60))
    }
}

impl Rounds {
    pub(super) fn at_least_every(every: Duration) -> Self {
        Self {
            at_least_every: every,
            first_within: Duration::from_secs(60).min(every / 8),
            look_every: Duration::from_secs(30).min(every / 8),
        }
    }

    /// When a peer is due again: between half and fifteen sixteenths of the longest time, so that the time a refresh
    /// itself takes fits in; sooner when it did not go well.
    fn after(&self, went_well: bool, random: &dyn Random) -> Duration {
        let every = if went_well { self.at_least_every } else { self.at_least_every / 12 };
        every / 2 + part(every * 7 / 16, random)
    }
}

/// A random part of a time. Without randomness the whole of it: only the spread is lost.
fn part(of: Duration, random: &dyn Random) -> Duration {
    let mut bytes = [0; 2];
    match random.fill(&mut bytes) {
        Ok(()) => of.mul_f64(f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)),
        Err(_) => of,
    }
}

/// When each peer is due, and which are under way.
#[derive(Default)]
struct Plan {
    due: HashMap<AppId, Instant>,
    under_way: HashMap<task::Id, AppId>,
}

/// What a refresh brought, with the task that did it.
type Ended = Result<(task::Id, Result<Outcome, StoreError>), JoinError>;

impl Refresher {
    /// Refreshes all peers for ever, each at least every 12 h, with jitter; the first time soon after the start, spread
    /// over a minute. Ends when it is dropped, with what is under way.
    pub async fn run(&self) {
        let mut plan = Plan::default();
        let mut tasks = JoinSet::new();
        loop {
            self.plan_peers(&mut plan);
            self.bring_forward(&mut plan);
            let now = Instant::now();
            while plan.under_way.len() < AT_ONCE {
                let Some(id) = plan.next_due(now) else { break };
                let (refresher, peer) = (self.clone(), id.clone());
                let task = tasks.spawn(async move { refresher.refresh(&peer, &Actor::system()).await });
                plan.under_way.insert(task.id(), id);
            }
            let wake = plan.wake_at(now + self.rounds.look_every);
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                () = self.nudges.some.notified() => {}
                Some(ended) = tasks.join_next_with_id() => self.note(&mut plan, ended),
            }
        }
    }

    /// Peers that are new get a time; those that are gone are forgotten.
    fn plan_peers(&self, plan: &mut Plan) {
        let peers = peers(&self.store.snapshot());
        plan.due.retain(|id, _| peers.contains(id));
        for id in peers {
            let first = || Instant::now() + part(self.rounds.first_within, &*self.random);
            plan.due.entry(id).or_insert_with(first);
        }
    }

    fn bring_forward(&self, plan: &mut Plan) {
        let mut waiting = self.nudges.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for id in waiting.drain() {
            if let Some(due) = plan.due.get_mut(&id) {
                *due = Instant::now();
            }
        }
    }

    fn note(&self, plan: &mut Plan, ended: Ended) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let Some(id) = plan.under_way.remove(&task) else { return };
        let went_well = matches!(ended, Ok((_, Ok(Outcome::Taken | Outcome::Same))));
        plan.due.insert(id.clone(), Instant::now() + self.rounds.after(went_well, &*self.random));
        match ended {
            Ok((_, Ok(Outcome::Taken))) => tracing::info!(peer = %id, "a newer certificate was taken over"),
            Ok((_, Ok(Outcome::Same))) => tracing::debug!(peer = %id, "the certificate is the same"),
            Ok((_, Ok(Outcome::Kept(why)))) => tracing::warn!(peer = %id, why, "the certificate held stays"),
            // It was removed meanwhile.
            Ok((_, Err(StoreError::NotFound(_)))) => {}
            Ok((_, Err(error))) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(peer = %id, error, "the store failed during a refresh");
            }
            Err(error) => tracing::error!(peer = %id, %error, "a refresh broke off"),
        }
    }
}

impl Plan {
    fn is_under_way(&self, id: &AppId) -> bool {
        self.under_way.values().any(|other| other == id)
    }

    /// The peer that is due longest.
    fn next_due(&self, now: Instant) -> Option<AppId> {
        let waiting = self.due.iter().filter(|(id, due)| **due <= now && !self.is_under_way(id));
        waiting.min_by_key(|(_, due)| **due).map(|(id, _)| id.clone())
    }

    /// When to look again: when the next is due, unless all places are taken, and not after `latest`.
    fn wake_at(&self, latest: Instant) -> Instant {
        if self.under_way.len() >= AT_ONCE {
            return latest;
        }
        let waiting = self.due.iter().filter(|(id, _)| !self.is_under_way(id));
        waiting.map(|(_, due)| *due).min().map_or(latest, |due| due.min(latest))
    }
}

/// Whoever has a record that can be used.
fn peers(snapshot: &Snapshot) -> HashSet<AppId> {
    let applications = snapshot.applications.iter().filter_map(Row::good).map(|known| &known.id);
    let servers = snapshot.servers.iter().filter_map(Row::good).map(|known| &known.id);
    applications.chain(servers).cloned().collect()
}
