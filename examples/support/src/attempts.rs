use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use taa_core::time::Clock;

/// Limits how often passwords are tried: from one address, and for one name from everywhere.
///
/// Only failures count, and a try counts as one until it has succeeded, so that many at once cannot get past the limit.
/// For one name the limit is higher: otherwise anybody could keep its owner out.
pub struct Attempts {
    clock: Arc<dyn Clock>,
    counted: Mutex<HashMap<Who, Count>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    /// An address; of IPv6 the /64, which is one network to its owner. None: the address is not known.
    Address(Option<IpAddr>),
    Name(String),
}

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    /// On the clock that does not jump.
    since: Duration,
}

impl Attempts {
    /// Failures are forgotten after this time.
    pub const WINDOW: Duration = Duration::from_secs(300);
    /// The most failures from one address.
    pub const PER_ADDRESS: u32 = 10;
    /// The most failures for one name.
    pub const PER_NAME: u32 = 50;
    /// The most addresses and names that are counted; the oldest goes when there is one more.
    const MAX: usize = 10_000;

    /// Nobody has tried yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, counted: Mutex::default() }
    }

    /// Counts a try before the password is looked at. False: too many have failed, and this one is not looked at.
    #[must_use]
    pub fn begin(&self, address: Option<IpAddr>, name: &str) -> bool {
        let now = self.clock.monotonic();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let who = [(Who::address(address), Self::PER_ADDRESS), (Who::name(name), Self::PER_NAME)];
        let over = |(who, most): &(Who, u32)| {
            counted.get(who).is_some_and(|count| !count.is_over(now) && count.failures >= *most)
        };
        if who.iter().any(over) {
            return false;
        }
        for (who, _) in who {
            if !counted.contains_key(&who) && counted.len() >= Self::MAX {
                make_room(&mut counted, now);
            }
            let count = counted.entry(who).or_insert(Count { failures: 0, since: now });
            if count.is_over(now) {
                *count = Count { failures: 0, since: now };
            }
            count.failures = count.failures.saturating_add(1);
        }
        true
    }

    /// The try succeeded: it was no failure.
    pub fn succeeded(&self, address: Option<IpAddr>, name: &str) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for who in [Who::address(address), Who::name(name)] {
            if let Some(count) = counted.get_mut(&who) {
                count.failures = count.failures.saturating_sub(1);
            }
        }
    }
}

impl Who {
    fn address(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
            v4 @ IpAddr::V4(_) => v4,
        }))
    }

    /// Long names are no names; they count together by their beginning.
    fn name(name: &str) -> Self {
        Self::Name(name.to_lowercase().chars().take(64).collect())
    }
}

impl Count {
    fn is_over(self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= Attempts::WINDOW
    }
}

fn make_room(counted: &mut HashMap<Who, Count>, now: Duration) {
    counted.retain(|_, count| !count.is_over(now));
    if counted.len() >= Attempts::MAX {
        let oldest = counted.iter().min_by_key(|(_, count)| count.since).map(|(who, _)| who.clone());
        oldest.and_then(|who| counted.remove(&who));
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempts(..)")
    }
}

#[cfg(test)]
mod tests {
    use taa_core::time::ManualClock;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn too_many_failures_from_one_address() {
        let clock = Arc::new(ManualClock::default());
        let attempts = Attempts::new(clock.clone());
        for _ in 0..Attempts::PER_ADDRESS {
            assert!(attempts.begin(address("2001:db8::1"), "admin"));
        }
        assert!(!attempts.begin(address("2001:db8::2"), "fred"), "the same network");
        assert!(attempts.begin(address("2001:db8:0:1::1"), "admin"));
        clock.advance(Attempts::WINDOW);
        assert!(attempts.begin(address("2001:db8::1"), "admin"));
    }

    #[test]
    fn too_many_failures_for_one_name() {
        let attempts = Attempts::new(Arc::new(ManualClock::default()));
        for from in 0..Attempts::PER_NAME {
            assert!(attempts.begin(address(&format!("10.0.0.{from}")), "admin"));
        }
        assert!(!attempts.begin(address("10.0.1.1"), "ADMIN"));
        assert!(attempts.begin(address("10.0.1.1"), "fred"));
    }

    #[test]
    fn success_is_no_failure() {
        let attempts = Attempts::new(Arc::new(ManualClock::default()));
        for _ in 0..100 {
            assert!(attempts.begin(None, "admin"));
            attempts.succeeded(None, "admin");
        }
    }

    #[test]
    fn there_is_an_end_to_them() {
        let attempts = Attempts::new(Arc::new(ManualClock::default()));
        for number in 0..Attempts::MAX {
            assert!(attempts.begin(address("10.0.0.1"), &format!("name {number}")) == (number < 10));
            assert!(
                attempts.begin(Some(IpAddr::V4(u32::try_from(number).unwrap().into())), "x") || number >= 50
            );
        }
        assert!(attempts.counted.lock().unwrap().len() <= Attempts::MAX);
    }
}
