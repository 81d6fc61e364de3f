use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use taa_core::durable::Durable;
use tokio::sync::Semaphore;

use super::*;

/// Counts writes; each waits for a permit of the test.
#[derive(Debug)]
struct Slow {
    writes: Mutex<Vec<(Protocol, UnixMillis)>>,
    begun: AtomicUsize,
    permits: Semaphore,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Slow {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            writes: Mutex::default(),
            begun: AtomicUsize::new(0),
            permits: Semaphore::new(permits),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    async fn write(&self) -> Result<(), DurableError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        assert!(!self.panics.load(Ordering::SeqCst), "a store that panics");
        if self.fails.load(Ordering::SeqCst) { Err(DurableError::new("down")) } else { Ok(()) }
    }
}

impl Durable for Slow {
    async fn raise_mark(&self, _: &AppId, protocol: Protocol, mark: UnixMillis) -> Result<(), DurableError> {
        self.write().await?;
        self.writes.lock().unwrap().push((protocol, mark));
        Ok(())
    }
    async fn raise_floor(&self, _: &AppId) -> Result<(), DurableError> {
        self.write().await
    }
    fn used(&self, _: &AppId, _: Option<KeyId>, _: UnixMillis) {}
}

fn wiki() -> AppId {
    AppId::parse("wiki").unwrap()
}

/// Enough turns for every task that can go on to do so.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_cause_one_write() {
    let slow = Slow::new(0);
    let ahead = Arc::new(WriteAhead::new(slow.clone(), true));
    let tasks: Vec<_> = (0..64)
        .map(|i| {
            let ahead = Arc::clone(&ahead);
            tokio::spawn(async move { ahead.mark(&wiki(), Protocol::V4, UnixMillis(10_000 + i)).await })
        })
        .collect();
    settle().await;
    assert!(tasks.iter().all(|task| !task.is_finished()), "nobody goes on before it is written");
    slow.permits.add_permits(1);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(slow.begun(), 1);
    // Two seconds ahead of whoever came first.
    let (_, to) = slow.writes.lock().unwrap()[0];
    assert!((12_000..12_064).contains(&to.0), "{to:?}");
    ahead.mark(&wiki(), Protocol::V4, to).await.unwrap();
    ahead.mark(&wiki(), Protocol::V4, UnixMillis(3)).await.unwrap();
    assert_eq!(slow.begun(), 1);
    slow.permits.add_permits(2);
    ahead.mark(&wiki(), Protocol::V4, UnixMillis(to.0 + 1)).await.unwrap();
    ahead.mark(&wiki(), Protocol::V2, UnixMillis(5)).await.unwrap();
    let written = slow.writes.lock().unwrap()[1..].to_vec();
    assert_eq!(written, [(Protocol::V4, UnixMillis(to.0 + 2_001)), (Protocol::V2, UnixMillis(2_005))]);
}

#[tokio::test]
async fn a_write_that_ends_below_is_followed_by_another() {
    let slow = Slow::new(0);
    let ahead = WriteAhead::new(slow.clone(), true);
    let id = wiki();
    let both = async {
        tokio::join!(
            ahead.mark(&id, Protocol::V4, UnixMillis(1_000)),
            ahead.mark(&id, Protocol::V4, UnixMillis(9_000)),
            // Both wait for the first write before it may end.
            async { slow.permits.add_permits(2) },
        )
    };
    let (one, other, ()) = both.await;
    assert!(one.is_ok() && other.is_ok());
    let marks: Vec<_> = slow.writes.lock().unwrap().iter().map(|(_, mark)| mark.0).collect();
    assert_eq!(marks, [3_000, 11_000]);
}

#[tokio::test]
async fn a_store_that_fails_is_asked_once_and_lets_nobody_go_on() {
    let slow = Slow::new(0);
    let ahead = WriteAhead::new(slow.clone(), true);
    let id = wiki();
    let three = || async {
        let mark = || ahead.mark(&id, Protocol::V4, UnixMillis(1_000));
        // All three wait before the store may answer.
        let answers = async { slow.permits.add_permits(1) };
        let (a, b, c, ()) = tokio::join!(mark(), mark(), mark(), answers);
        [a, b, c].map(|result| result.is_ok())
    };
    slow.fails.store(true, Ordering::SeqCst);
    assert_eq!(three().await, [false; 3]);
    slow.panics.store(true, Ordering::SeqCst);
    assert_eq!(three().await, [false; 3]);
    assert_eq!(slow.begun(), 2);
    slow.fails.store(false, Ordering::SeqCst);
    slow.panics.store(false, Ordering::SeqCst);
    assert_eq!(three().await, [true; 3]);
    assert_eq!(slow.begun(), 3);
}

/// The first of two requests is given up by its caller while it waits.
#[tokio::test]
async fn who_waits_goes_on_when_the_one_that_began_is_gone() {
    let slow = Slow::new(0);
    let ahead = Arc::new(WriteAhead::new(slow.clone(), true));
    let start = || {
        let ahead = Arc::clone(&ahead);
        tokio::spawn(async move { ahead.mark(&wiki(), Protocol::V4, UnixMillis(1_000)).await })
    };
    let first = start();
    settle().await;
    let second = start();
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    slow.permits.add_permits(1);
    second.await.unwrap().unwrap();
    // And when both are gone, the next one takes it up.
    ahead.mark(&wiki(), Protocol::V4, UnixMillis(3_000)).await.unwrap();
    let third = tokio::spawn({
        let ahead = Arc::clone(&ahead);
        async move { ahead.mark(&wiki(), Protocol::V4, UnixMillis(9_000)).await }
    });
    settle().await;
    third.abort();
    assert!(third.await.unwrap_err().is_cancelled());
    slow.permits.add_permits(1);
    ahead.mark(&wiki(), Protocol::V4, UnixMillis(9_000)).await.unwrap();
    assert_eq!(slow.begun(), 2);
}

#[tokio::test]
async fn without_marks_nothing_is_written() {
    let slow = Slow::new(0);
    WriteAhead::new(slow.clone(), false).mark(&wiki(), Protocol::V4, UnixMillis(1)).await.unwrap();
    assert_eq!(slow.begun(), 0);
}
