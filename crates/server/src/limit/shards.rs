//! A table cut into parts, each behind a lock of its own.

use std::sync::{LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// `N` parts of one table. `N` is a power of two, at most 65,536.
pub(crate) struct Shards<T, const N: usize>(Box<[Apart<T>]>);

impl<T, const N: usize> Shards<T, N> {
    const FITS: () = assert!(N.is_power_of_two() && N <= 65_536);

    pub(crate) fn new(mut make: impl FnMut() -> T) -> Self {
        let () = Self::FITS;
        Self((0..N).map(|_| Apart(make())).collect())
    }

    /// The part that a key with this hash belongs to.
    ///
    /// The tables inside take the lowest bits and the highest seven of the same hash; these are others.
    pub(crate) fn of(&self, hash: u64) -> &T {
        let [_, high, low, ..] = hash.to_be_bytes();
        self.at(usize::from(u16::from_be_bytes([high, low])))
    }

    /// The part with this number; counting goes round.
    #[allow(clippy::indexing_slicing, reason = "the remainder is below N, and there are N parts")]
    pub(crate) fn at(&self, index: usize) -> &T {
        &self.0[index % N].0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|part| &part.0)
    }
}

/// Keeps its content on cache lines of its own, so that two cores do not wait for each other's neighbours.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

// A panic under one of these locks leaves a table that is complete as it stands (at worst a counter that is one too high),
// so a poisoned lock is no reason to refuse every request from then on.

/// What a lock guards, whoever panicked under it.
pub(crate) fn whole<G>(guard: LockResult<G>) -> G {
    guard.unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    whole(mutex.lock())
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    whole(lock.read())
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    whole(lock.write())
}

/// The two halves of a SipHash key.
pub(crate) fn sip_key(bytes: [u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    (u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes([i, j, k, l, m, n, o, p]))
}
