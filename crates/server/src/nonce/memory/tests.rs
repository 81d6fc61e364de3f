use std::sync::atomic::AtomicU64;

use taa_core::time::{ClockError, ManualClock, UnixMillis};

use super::*;

fn key(number: u64) -> NonceKey {
    let mut iv = [0; 16];
    iv[..8].copy_from_slice(&number.to_be_bytes());
    NonceKey::of_request(&[9; 32], &iv)
}

fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

fn table(limits: NonceLimits) -> (Arc<ManualClock>, MemoryNonces) {
    let clock = Arc::new(ManualClock::new(UnixMillis(0)));
    (clock.clone(), MemoryNonces::new(clock, [3; 16], limits))
}

fn limits(total: u32, per_application: u32) -> NonceLimits {
    NonceLimits { total, per_application, ..NonceLimits::default() }
}

const SHORT: Duration = Duration::from_secs(150);
const FAR: Duration = Duration::from_secs(28 * 60);

/// A clock that shows what it is told.
#[derive(Debug)]
struct Told(AtomicU64);

impl Clock for Told {
    fn wall(&self) -> Result<UnixMillis, ClockError> {
        Err(ClockError)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn first_and_then_before() {
    let (_, nonces) = table(NonceLimits::default());
    assert!(!nonces.contains_now(key(1)));
    assert_eq!(nonces.record_now(&app("wiki"), key(1), SHORT).unwrap(), Seen::First);
    assert_eq!(nonces.record_now(&app("wiki"), key(1), SHORT).unwrap(), Seen::Before);
    assert_eq!(
        nonces.record_now(&app("other"), key(1), FAR).unwrap(),
        Seen::Before,
        "whatever class and application"
    );
    assert!(nonces.contains_now(key(1)));
    assert_eq!(nonces.record_now(&app("wiki"), key(2), SHORT).unwrap(), Seen::First);
}

#[test]
fn one_of_many_threads_is_first() {
    let (_, nonces) = table(NonceLimits::default());
    for round in 0..200 {
        let keep = if round % 2 == 0 { SHORT } else { FAR };
        let firsts: usize = std::thread::scope(|scope| {
            let record = || nonces.record_now(&app("wiki"), key(round), keep).unwrap() == Seen::First;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(record)).collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(firsts, 1);
    }
}

#[test]
fn one_of_many_threads_is_first_while_generations_end() {
    let (clock, nonces) =
        table(NonceLimits { ordinary_keep: Duration::from_secs(1), ..NonceLimits::default() });
    let keep = Duration::from_secs(1);
    for round in 0..500 {
        clock.advance(Duration::from_millis(333));
        let firsts: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let (nonces, clock) = (&nonces, &clock);
                    scope.spawn(move || {
                        if thread == 0 {
                            clock.advance(Duration::from_millis(400));
                        }
                        nonces.record_now(&app("wiki"), key(round), keep).unwrap() == Seen::First
                    })
                })
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(firsts, 1);
    }
}

#[test]
fn kept_at_least_as_long_as_asked_and_not_for_ever() {
    for (keep, most) in [(SHORT, 2 * SHORT), (Duration::from_secs(151), 2 * FAR), (FAR, 2 * FAR)] {
        for start in [0, 1, 149_999, 150_000, 150_001, 299_999, 1_679_999, 1_680_000] {
            for other in [false, true] {
                let (clock, nonces) = table(NonceLimits::default());
                clock.advance(Duration::from_millis(start));
                assert_eq!(nonces.record_now(&app("wiki"), key(1), keep).unwrap(), Seen::First);
                if other {
                    // Others keep the parts turning, the sweep among them.
                    let steps = 1_000;
                    for step in 0..steps {
                        clock.advance(keep / steps);
                        nonces.record_now(&app("wiki"), key(100 + u64::from(step)), Duration::ZERO).unwrap();
                    }
                    clock.advance(keep - keep / steps * steps);
                } else {
                    clock.advance(keep);
                }
                nonces.sweep();
                assert!(nonces.contains_now(key(1)), "{keep:?} from {start}");
                assert_eq!(nonces.record_now(&app("wiki"), key(1), keep).unwrap(), Seen::Before);
                clock.advance(most - keep);
                nonces.sweep();
                assert!(!nonces.contains_now(key(1)), "{keep:?} from {start}");
            }
        }
    }
}

#[test]
fn a_clock_that_stands_still_or_goes_back_does_not_forget() {
    let clock = Arc::new(Told(AtomicU64::new(1_000_000_000)));
    let nonces = MemoryNonces::new(clock.clone(), [3; 16], NonceLimits::default());
    let at = |millis: u64| clock.0.store(millis, Ordering::SeqCst);
    for number in 0..2_000 {
        nonces.record_now(&app("wiki"), key(number), SHORT).unwrap();
    }
    for now in [0, 1, 500_000_000, 999_000_000] {
        at(now);
        for number in 2_000..4_000 {
            let _ = nonces.record_now(&app("wiki"), key(number), SHORT).unwrap();
        }
        nonces.sweep();
        assert!((0..4_000).all(|number| nonces.contains_now(key(number))), "at {now}");
    }
    assert!(nonces.live_of(&app("wiki")) >= 4_000);
    // What was added while the clock was back is counted, and kept, until it has caught up.
    at(1_000_000_000 + 149_999);
    nonces.sweep();
    assert!((0..4_000).all(|number| nonces.contains_now(key(number))));
    at(1_000_000_000 + 300_000);
    nonces.sweep();
    assert!(!(0..4_000).any(|number| nonces.contains_now(key(number))));
    assert_eq!(nonces.live(), 0);
}

#[test]
fn a_clock_that_leaps_forgets_what_is_over() {
    let (clock, nonces) = table(NonceLimits::default());
    nonces.record_now(&app("wiki"), key(1), SHORT).unwrap();
    clock.advance(Duration::from_secs(1_000_000_000));
    nonces.sweep();
    assert!(!nonces.contains_now(key(1)));
    assert_eq!(nonces.record_now(&app("wiki"), key(1), SHORT).unwrap(), Seen::First);
    assert_eq!(nonces.live(), 1);
}

#[test]
fn too_long_is_refused_rather_than_forgotten() {
    let (_, nonces) = table(NonceLimits::default());
    let more = FAR + Duration::from_nanos(1);
    assert!(matches!(nonces.record_now(&app("wiki"), key(1), more), Err(NonceError::TooLong)));
    assert!(!nonces.contains_now(key(1)));
    assert_eq!(nonces.live(), 0);
}

#[test]
fn full_for_all_is_full_and_forgets_nothing() {
    let (clock, nonces) = table(limits(1_000, 1_000));
    for number in 0..1_000 {
        assert_eq!(nonces.record_now(&app("wiki"), key(number), SHORT).unwrap(), Seen::First);
    }
    for name in ["wiki", "other"] {
        assert!(matches!(nonces.record_now(&app(name), key(5_000), SHORT), Err(NonceError::Full)));
    }
    assert!(!nonces.contains_now(key(5_000)));
    assert_eq!(
        nonces.record_now(&app("wiki"), key(7), SHORT).unwrap(),
        Seen::Before,
        "replays are told apart even then"
    );
    assert!((0..1_000).all(|number| nonces.contains_now(key(number))));
    assert_eq!(nonces.live(), 1_000);
    // Far ones have bounds of their own.
    assert_eq!(nonces.record_now(&app("wiki"), key(6_000), FAR).unwrap(), Seen::First);
    clock.advance(SHORT);
    assert!(matches!(nonces.record_now(&app("wiki"), key(5_000), SHORT), Err(NonceError::Full)));
    clock.advance(SHORT);
    assert_eq!(nonces.record_now(&app("wiki"), key(5_000), SHORT).unwrap(), Seen::First);
    assert_eq!(nonces.live(), 2);
}

#[test]
fn counted_ahead_it_is_full_a_little_early_and_never_late() {
    let (clock, nonces) = table(limits(200_000, 100_000));
    let fill = |name: &str, from: u64| {
        let app = app(name);
        (from..from + 100_500).filter(|number| nonces.record_now(&app, key(*number), SHORT).is_ok()).count()
    };
    let early = 100_000 / 64;
    let wiki = fill("wiki", 0);
    assert!((100_000 - early..=100_000).contains(&wiki), "{wiki}");
    let other = fill("other", 1_000_000);
    assert!((100_000 - early..=100_000).contains(&other), "{other}");
    assert_eq!(nonces.live_of(&app("wiki")), u32::try_from(wiki).unwrap());
    assert_eq!(nonces.live(), u32::try_from(wiki + other).unwrap());
    assert!(matches!(nonces.record_now(&app("third"), key(5_000_000), FAR), Ok(Seen::First)));
    // The generation after the next has all its room again.
    clock.advance(2 * SHORT);
    nonces.sweep();
    assert_eq!((nonces.live_of(&app("wiki")), nonces.live_of(&app("other"))), (0, 0));
    let wiki = fill("wiki", 2_000_000);
    assert!((100_000 - early..=100_000).contains(&wiki), "{wiki}");
    // What a part had left of it counts no more when it has ended, though its entries do.
    clock.advance(SHORT);
    nonces.sweep();
    let ordinary = nonces.ordinary.generation(nonces.now());
    assert_eq!(nonces.totals.0.ordinary.live(ordinary), u32::try_from(wiki).unwrap());
}

#[test]
fn full_for_one_application_leaves_room_for_another() {
    let (_, nonces) = table(limits(1_000, 100));
    for number in 0..100 {
        nonces.record_now(&app("wiki"), key(number), SHORT).unwrap();
    }
    for number in 100..10_000 {
        assert!(matches!(nonces.record_now(&app("wiki"), key(number), SHORT), Err(NonceError::Full)));
    }
    assert_eq!((nonces.live(), nonces.live_of(&app("wiki"))), (100, 100));
    assert_eq!(nonces.record_now(&app("other"), key(200), SHORT).unwrap(), Seen::First);
    assert_eq!(nonces.live_of(&app("other")), 1);
}

#[test]
fn far_ones_are_bounded_apart() {
    let bounds = NonceLimits { far_total: 30, far_per_application: 20, ..NonceLimits::default() };
    let (_, nonces) = table(bounds);
    let count = |name: &str, from: u64| {
        (from..from + 100).filter(|number| nonces.record_now(&app(name), key(*number), FAR).is_ok()).count()
    };
    assert_eq!(count("wiki", 0), 20);
    assert_eq!(count("other", 1_000), 10);
    assert_eq!(nonces.record_now(&app("wiki"), key(5_000), SHORT).unwrap(), Seen::First);
}

#[test]
fn threads_stay_within_the_bounds() {
    let (_, nonces) = table(limits(3_000, 1_000));
    let firsts: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread: u64| {
                let nonces = &nonces;
                let app = app(if thread.is_multiple_of(2) { "wiki" } else { "other" });
                scope.spawn(move || {
                    (0..2_000)
                        .filter(|n| nonces.record_now(&app, key(thread << 32 | n), SHORT).is_ok())
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(firsts, 2_000);
    assert_eq!((nonces.live_of(&app("wiki")), nonces.live_of(&app("other"))), (1_000, 1_000));
}

#[test]
fn parts_of_a_second_count_as_a_whole_one() {
    for keep in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(999)] {
        let (clock, nonces) = table(NonceLimits { ordinary_keep: keep, ..NonceLimits::default() });
        nonces.record_now(&app("wiki"), key(1), keep).unwrap();
        clock.advance(Duration::from_secs(1));
        nonces.sweep();
        assert!(nonces.contains_now(key(1)));
        clock.advance(Duration::from_secs(1));
        nonces.sweep();
        assert!(!nonces.contains_now(key(1)));
    }
}

#[test]
fn a_million_take_at_most_forty_bytes_each_and_the_burst_is_given_back() {
    let (clock, nonces) = table(limits(4_000_000, 2_000_000));
    let empty = nonces.allocated();
    assert!(empty < 300_000, "{empty}");
    let mut numbers = 1_000_000..;
    let mut fresh = || key(numbers.next().unwrap());
    let wiki = app("wiki");
    for _ in 0..500_000 {
        nonces.record_now(&wiki, fresh(), SHORT).unwrap();
    }
    clock.advance(SHORT);
    for _ in 0..500_000 {
        nonces.record_now(&wiki, fresh(), SHORT).unwrap();
    }
    assert_eq!(nonces.live(), 1_000_000);
    let each = nonces.allocated() / 1_000_000;
    assert!(each <= 40, "{each}");
    // A few requests later, without a timer, all parts have been turned.
    clock.advance(2 * SHORT);
    for number in 0..512 {
        nonces.record_now(&wiki, key(number), SHORT).unwrap();
    }
    assert!(nonces.allocated() < empty + 512 * 1_000, "{}", nonces.allocated());
    clock.advance(2 * SHORT);
    nonces.sweep();
    assert!(nonces.allocated() <= empty, "and with one, everything");
}

#[test]
fn counters_of_applications_go_with_their_nonces() {
    let (clock, nonces) = table(NonceLimits::default());
    for number in 0..10_000 {
        nonces.record_now(&app(&format!("app:{number}")), key(number), SHORT).unwrap();
    }
    assert_eq!(nonces.applications.len(), 10_000);
    clock.advance(2 * SHORT);
    for number in 0..512 {
        nonces.record_now(&app("wiki"), key(number), SHORT).unwrap();
    }
    assert_eq!(nonces.applications.len(), 1);
    assert_eq!(nonces.live_of(&app("wiki")), 512);
    assert_eq!(nonces.live_of(&app("app:1")), 0);
}

#[test]
fn debug_shows_no_nonce() {
    let (_, nonces) = table(NonceLimits::default());
    nonces.record_now(&app("wiki"), key(1), SHORT).unwrap();
    assert_eq!(format!("{nonces:?}"), "MemoryNonces { live: 1, .. }");
}
