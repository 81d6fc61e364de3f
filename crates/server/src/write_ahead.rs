//! What is written durably between step 8 and step 9: marks ahead of the requests they cover, and the floor of versions.

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use taa_core::decision::{Reason, Timely};
use taa_core::directory::Application;
use taa_core::durable::{DurableError, DynDurable};
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;

use crate::limit::shards::lock;
use crate::nonce::Marks;

/// Writes what must outlive the process before a request goes on.
///
/// A mark is written 2 s above the request that needs it, so that an application causes one write in about 2 s whatever it
/// sends. Requests that need a write while one is under way wait for that one, and share its end: a store that fails is
/// asked once, not once for each of them.
pub(crate) struct WriteAhead {
    durable: Arc<dyn DynDurable>,
    /// False where nonces outlive the process: then there is nothing that marks stand in for.
    marks: bool,
    /// One entry for each application that made a good request. Read without a lock: every request looks.
    applications: ArcSwap<HashMap<AppId, Arc<Written>>>,
}

/// How far ahead a mark is written (wire document, section 5).
const AHEAD: Duration = Duration::from_secs(2);

impl WriteAhead {
    pub(crate) fn new(durable: Arc<dyn DynDurable>, marks: bool) -> Self {
        Self { durable, marks, applications: ArcSwap::default() }
    }

    /// All that a request of version 4 needs that passed step 8.
    pub(crate) async fn before(&self, timely: &Timely<'_, '_>) -> Result<(), Reason> {
        let application = timely.application();
        self.mark(application.id(), Protocol::V4, timely.created()).await?;
        if timely.floor_unwritten() {
            self.floor(application).await?;
        }
        Ok(())
    }

    /// Makes sure that the mark is above a request of this time that passed step 8. It is written for keys that this
    /// process made as well: to the next process they are older ones.
    pub(crate) async fn mark(
        &self,
        id: &AppId,
        protocol: Protocol,
        created: UnixMillis,
    ) -> Result<(), Reason> {
        let is_above = |written: &Arc<Written>| created <= written.marks.of(protocol);
        if !self.marks || self.applications.load().get(id).is_some_and(is_above) {
            return Ok(());
        }
        let written = self.written(id);
        let enough = || created <= written.marks.of(protocol);
        while !enough() {
            let (durable, id, ahead) = (Arc::clone(&self.durable), id.clone(), created.plus(AHEAD));
            let noted = Arc::clone(&written);
            let write = async move {
                durable.raise_mark_dyn(&id, protocol, ahead).await?;
                noted.marks.raise(protocol, ahead);
                Ok(())
            };
            let Some(UnderWay { to, end }) = written.marking(protocol).join(ahead, write, enough) else {
                break;
            };
            // One that was under way may end below this request: then it needs another.
            if !end.await && created <= to {
                return Err(FAILED);
            }
        }
        Ok(())
    }

    /// Makes sure that the floor of this application is written, and tells its ratchet.
    async fn floor(&self, application: &Application) -> Result<(), Reason> {
        let (durable, id) = (Arc::clone(&self.durable), application.id().clone());
        let write = async move { durable.raise_floor_dyn(&id).await };
        let ratchet = application.ratchet();
        let settled = || !ratchet.observe(Protocol::V4);
        if let Some(UnderWay { end, .. }) =
            self.written(application.id()).floor.join(UnixMillis(0), write, settled)
            && !end.await
        {
            return Err(FAILED);
        }
        ratchet.settle();
        Ok(())
    }

    /// A good request came.
    pub(crate) fn used(&self, application: &AppId, key: Option<KeyId>, at: UnixMillis) {
        self.durable.used_dyn(application, key, at);
    }

    fn written(&self, id: &AppId) -> Arc<Written> {
        loop {
            if let Some(known) = self.applications.load().get(id) {
                return Arc::clone(known);
            }
            self.applications.rcu(|applications| {
                let mut applications = HashMap::clone(applications);
                applications.entry(id.clone()).or_default();
                applications
            });
        }
    }
}

const FAILED: Reason = Reason::System("what must outlive the process could not be written");

impl fmt::Debug for WriteAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteAhead(to {:?}, marks: {})", self.durable, self.marks)
    }
}

/// What was written for one application by this process.
#[derive(Default)]
struct Written {
    marks: Marks,
    marking_v2: OneAtATime,
    marking_v3: OneAtATime,
    marking_v4: OneAtATime,
    floor: OneAtATime,
}

impl Written {
    fn marking(&self, protocol: Protocol) -> &OneAtATime {
        match protocol {
            Protocol::V2 => &self.marking_v2,
            Protocol::V3 => &self.marking_v3,
            Protocol::V4 => &self.marking_v4,
        }
    }
}

/// At most one write, which all wait for who need it.
#[derive(Default)]
struct OneAtATime(Arc<Mutex<Option<UnderWay>>>);

/// A write that has begun. It goes on as long as one of those who wait for it does; if none does any more, with the next.
#[derive(Clone)]
struct UnderWay {
    to: UnixMillis,
    end: Shared<BoxFuture<'static, bool>>,
}

impl OneAtATime {
    /// The write that is under way, or else this one, which goes up to `to`; `None` when enough is written by now.
    fn join(
        &self,
        to: UnixMillis,
        write: impl Future<Output = Result<(), DurableError>> + Send + 'static,
        enough: impl FnOnce() -> bool,
    ) -> Option<UnderWay> {
        let mut place = lock(&self.0);
        if let Some(under_way) = &*place {
            return Some(under_way.clone());
        }
        // Another may have ended between the look and the lock.
        if enough() {
            return None;
        }
        let own = Arc::downgrade(&self.0);
        let end = async move {
            let good = succeeded(write).await;
            let over = own.upgrade().and_then(|place| lock(&place).take());
            drop(over);
            good
        };
        let under_way = UnderWay { to, end: end.boxed().shared() };
        *place = Some(under_way.clone());
        Some(under_way)
    }
}

async fn succeeded(write: impl Future<Output = Result<(), DurableError>>) -> bool {
    match AssertUnwindSafe(write).catch_unwind().await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "requests are refused: the durable store failed");
            false
        }
        Err(_) => {
            tracing::error!("requests are refused: a panic of the durable store");
            false
        }
    }
}

#[cfg(test)]
mod tests;
