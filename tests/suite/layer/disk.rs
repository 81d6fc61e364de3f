//! What outlives a process in these tests: a disk that can fail.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use taa_core::durable::{Durable, DurableError, Mark};
use taa_core::id::{AppId, KeyId};
use taa_core::policy::Protocol;
use taa_core::time::UnixMillis;

#[derive(Debug, Default)]
pub(crate) struct Disk {
    marks: Mutex<HashMap<(AppId, Protocol), UnixMillis>>,
    floors: Mutex<Vec<AppId>>,
    used: Mutex<Vec<(AppId, Option<KeyId>, UnixMillis)>>,
    pub(crate) writes: AtomicUsize,
    pub(crate) down: AtomicBool,
}

impl Disk {
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let marks = self.marks.lock().unwrap();
        let mark = |((id, protocol), at): (&(AppId, Protocol), &UnixMillis)| Mark {
            application: Some(id.clone()),
            protocol: *protocol,
            at: *at,
        };
        marks.iter().map(mark).collect()
    }

    pub(crate) fn mark(&self, id: &str, protocol: Protocol) -> Option<UnixMillis> {
        self.marks.lock().unwrap().get(&(AppId::parse(id).unwrap(), protocol)).copied()
    }

    pub(crate) fn floors(&self) -> Vec<AppId> {
        self.floors.lock().unwrap().clone()
    }

    pub(crate) fn take_used(&self) -> Vec<(AppId, Option<KeyId>, UnixMillis)> {
        std::mem::take(&mut self.used.lock().unwrap())
    }

    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    pub(crate) fn break_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    async fn write(&self) -> Result<(), DurableError> {
        tokio::task::yield_now().await;
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(DurableError::new("secret-host is down"));
        }
        Ok(())
    }
}

impl Durable for Disk {
    async fn raise_mark(&self, id: &AppId, protocol: Protocol, mark: UnixMillis) -> Result<(), DurableError> {
        self.write().await?;
        let mut marks = self.marks.lock().unwrap();
        let held = marks.entry((id.clone(), protocol)).or_default();
        *held = mark.max(*held);
        Ok(())
    }

    async fn raise_floor(&self, id: &AppId) -> Result<(), DurableError> {
        self.write().await?;
        self.floors.lock().unwrap().push(id.clone());
        Ok(())
    }

    fn used(&self, id: &AppId, key: Option<KeyId>, at: UnixMillis) {
        self.used.lock().unwrap().push((id.clone(), key, at));
    }
}
