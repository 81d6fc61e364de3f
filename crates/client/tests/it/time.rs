use std::sync::Arc;
use std::time::Duration;

use taa_client::{Retry, Signer, TrustAnswer};
use taa_core::answer::Code;
use taa_core::fields;
use taa_core::time::{Clock, ManualClock, UnixMillis};

use crate::tracker::*;

struct Pair {
    client: Arc<ManualClock>,
    tracker: Tracker,
    signer: Signer,
}

/// A server whose clock is ahead by so many seconds.
fn apart(seconds: i64) -> Pair {
    let client = clock();
    let server = Arc::new(ManualClock::new(UnixMillis(START.0.saturating_add_signed(seconds * 1000))));
    Pair { signer: signer(&client), tracker: Tracker::new(&server), client }
}

impl Pair {
    fn send(&self, request: http::request::Parts) -> TrustAnswer {
        let (pending, answer) = exchange(&self.signer, &self.tracker, request);
        pending.read(&answer)
    }

    fn pass(&self, time: Duration) {
        self.client.advance(time);
        self.tracker.clock.advance(time);
    }
}

#[test]
fn learned_from_one_refusal() {
    for seconds in [120, -120, 299, -299] {
        let pair = apart(seconds);
        let refused = pair.send(get());
        assert_eq!(refused.status().code(), Some(Code::OldCert), "{seconds}");
        assert_eq!(refused.server_time(), pair.tracker.clock.wall().ok());
        assert_eq!(refused.retry(), Retry::SignAnew);
        assert!(pair.send(get()).status().is_trusted(), "{seconds}");
    }
}

#[test]
fn forgotten_after_five_minutes() {
    let pair = apart(120);
    pair.send(get());
    pair.pass(Duration::from_secs(299));
    assert!(pair.send(get()).status().is_trusted());
    pair.pass(Duration::from_secs(1));
    assert_eq!(pair.send(get()).status().code(), Some(Code::OldCert));
    assert!(pair.send(get()).status().is_trusted());
}

#[test]
fn a_repaired_clock_is_noticed() {
    let pair = apart(120);
    pair.send(get());
    pair.client.set_wall(pair.tracker.clock.wall().unwrap());
    assert_eq!(pair.send(get()).status().code(), Some(Code::OldCert));
    assert!(pair.send(get()).status().is_trusted());
}

#[test]
fn a_slow_answer_teaches_nothing_and_repeats_nothing() {
    let pair = apart(120);
    let (pending, answer) = exchange(&pair.signer, &pair.tracker, get());
    pair.pass(Duration::from_millis(10_001));
    let trust = pending.read(&answer);
    assert_eq!((trust.status().code(), trust.retry()), (Some(Code::OldCert), Retry::ByCaller));
    assert_eq!(pair.send(get()).status().code(), Some(Code::OldCert), "still without the offset");
}

#[test]
fn an_unproven_answer_teaches_nothing() {
    let pair = apart(120);
    let (pending, mut answer) = exchange(&pair.signer, &pair.tracker, get());
    answer.headers.remove(fields::PROOF);
    assert_eq!(pending.read(&answer).server_time(), None);
    assert_eq!(pair.send(get()).status().code(), Some(Code::OldCert));
}

#[test]
fn unsafe_methods_are_repeated_only_when_they_were_late() {
    let mut delete = get();
    delete.method = http::Method::DELETE;
    assert_eq!(apart(120).send(delete.clone()).retry(), Retry::SignAnew, "too old: it cannot become valid");
    assert_eq!(apart(-120).send(delete).retry(), Retry::No, "dated ahead: it may still become valid");
    assert_eq!(apart(-120).send(get()).retry(), Retry::SignAnew);
}

#[test]
fn a_replay_is_not_repeated() {
    let pair = apart(0);
    let mut request = get();
    let pending = pair.signer.sign(&mut request, &fred(), None).unwrap();
    assert!(pending.read(&ask(&pair.tracker, &request)).status().is_trusted());
    let again = pending.read(&ask(&pair.tracker, &request));
    assert_eq!((again.status().code(), again.retry()), (Some(Code::Replayed), Retry::ByCaller));
    assert!(again.server_time().is_some());
}

#[test]
fn a_changed_offset_ends_the_session() {
    let pair = apart(120);
    let mut request = get();
    let mut key = || {
        pair.signer.sign(&mut request, &fred(), None).unwrap();
        request.headers[fields::KEY].clone()
    };
    let before = key();
    pair.send(get());
    let after = key();
    assert_ne!(before, after);
    pair.pass(Duration::from_secs(10));
    assert_eq!(after, key());
}
