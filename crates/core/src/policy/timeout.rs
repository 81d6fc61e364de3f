use std::time::Duration;

/// How old a request may be when it is judged: at least 1 ms, and never above the server's greatest
/// (wire document, sections 4 and 5). There is no "unlimited".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeout(Duration);

impl Timeout {
    /// 60 s: the timeout of a policy that names none, where the server allows as much.
    pub const DEFAULT: Duration = Duration::from_secs(60);

    /// Checks a timeout against the server's greatest.
    ///
    /// # Errors
    /// When it is below 1 ms, or above the greatest.
    pub fn new(timeout: Duration, greatest: GreatestTimeout) -> Result<Self, TimeoutError> {
        if timeout < Duration::from_millis(1) {
            return Err(TimeoutError::Zero);
        }
        if timeout > greatest.get() {
            return Err(TimeoutError::AboveGreatest { greatest });
        }
        Ok(Self(timeout))
    }

    /// [`Timeout::DEFAULT`], or the server's greatest when that is less.
    #[must_use]
    pub fn default_for(greatest: GreatestTimeout) -> Self {
        Self(Self::DEFAULT.min(greatest.get()))
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The duration, at most the server's greatest: nonces are kept for that, and no record may stretch the time of a
    /// request beyond it, not even one that was made for another server.
    #[must_use]
    pub fn capped(self, greatest: GreatestTimeout) -> Duration {
        self.0.min(greatest.0)
    }
}

/// The greatest timeout any policy of this server may name: 1 to 300 s, 60 s by default (wire document, section 4).
///
/// It also says how long nonces are kept, so raising it is not only a matter of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GreatestTimeout(Duration);

impl GreatestTimeout {
    /// The least there may be: 1 s.
    pub const MIN: Self = Self(Duration::from_secs(1));
    /// The most there may be: 300 s.
    pub const MAX: Self = Self(Duration::from_secs(300));

    /// Checks a duration.
    ///
    /// # Errors
    /// When it is not within 1 to 300 s.
    pub fn new(greatest: Duration) -> Result<Self, TimeoutError> {
        let greatest = Self(greatest);
        if (Self::MIN..=Self::MAX).contains(&greatest) { Ok(greatest) } else { Err(TimeoutError::Greatest) }
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for GreatestTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

/// How far a client's clock may be ahead of the server's: 30 s by default, at most 60 s (wire document, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Skew(Duration);

impl Skew {
    /// The most there may be: 60 s.
    pub const MAX: Self = Self(Duration::from_secs(60));

    /// Checks a duration; 0 is allowed.
    ///
    /// # Errors
    /// When it is above 60 s.
    pub fn new(skew: Duration) -> Result<Self, TimeoutError> {
        if Self(skew) <= Self::MAX { Ok(Self(skew)) } else { Err(TimeoutError::Skew) }
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for Skew {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

/// A time bound is not within its own bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeoutError {
    /// A timeout is above the server's greatest.
    #[error("the timeout is above the server's greatest of {} ms", greatest.get().as_millis())]
    AboveGreatest {
        /// The server's greatest.
        greatest: GreatestTimeout,
    },
    /// A greatest timeout is not within 1 to 300 s.
    #[error("the greatest timeout is 1 to 300 s")]
    Greatest,
    /// A skew is above 60 s.
    #[error("the clock skew is at most 60 s")]
    Skew,
    /// A timeout is 0, or less than 1 ms. It never means "no timeout".
    #[error("a timeout is at least 1 ms")]
    Zero,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn never_zero_never_above_the_greatest() {
        let greatest = GreatestTimeout::default();
        assert_eq!(Timeout::new(Duration::ZERO, greatest), Err(TimeoutError::Zero));
        assert_eq!(Timeout::new(Duration::from_micros(999), greatest), Err(TimeoutError::Zero));
        assert_eq!(Timeout::new(SECOND * 60, greatest).map(Timeout::get), Ok(SECOND * 60));
        for above in [SECOND * 60 + Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(Timeout::new(above, greatest), Err(TimeoutError::AboveGreatest { greatest }));
        }
    }

    #[test]
    fn bounds_of_the_bounds() {
        assert!(GreatestTimeout::new(SECOND).is_ok() && GreatestTimeout::new(SECOND * 300).is_ok());
        for bad in [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(300_001), Duration::MAX]
        {
            assert_eq!(GreatestTimeout::new(bad), Err(TimeoutError::Greatest));
        }
        assert!(Skew::new(Duration::ZERO).is_ok() && Skew::new(SECOND * 60).is_ok());
        assert_eq!(Skew::new(SECOND * 61), Err(TimeoutError::Skew));
    }

    #[test]
    fn defaults() {
        assert_eq!(Timeout::default_for(GreatestTimeout::MAX).get(), SECOND * 60);
        assert_eq!(Timeout::default_for(GreatestTimeout::MIN).get(), SECOND);
        assert_eq!(GreatestTimeout::default().get(), SECOND * 60);
        assert_eq!(Skew::default().get(), SECOND * 30);
    }
}
