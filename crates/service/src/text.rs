//! How moments are written for a person.

use jiff::Timestamp;
use taa_core::time::UnixMillis;

/// `2026-11-21 22:45 UTC`; the number itself when it is no day people have.
pub(crate) fn day_and_time(at: UnixMillis) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .map_or_else(|| format!("{} ms", at.0), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(day_and_time(UnixMillis(1_777_887_000_000)), "2026-05-04 09:30 UTC");
        assert_eq!(day_and_time(UnixMillis(u64::MAX)), format!("{} ms", u64::MAX));
    }
}
