use jiff::Timestamp;
use jiff::tz::TimeZone;
use taa_core::time::UnixMillis;

/// A point in time on a page: for people and, in `datetime`, for programs. Always UTC: logs of several machines are
/// compared by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) text: String,
    pub(crate) machine: String,
}

impl Moment {
    pub(crate) fn of(at: UnixMillis) -> Self {
        Self { text: written(at, "%-d %b %Y, %H:%M UTC"), machine: rfc3339(at) }
    }

    /// To the second: for the audit trail.
    pub(crate) fn exact(at: UnixMillis) -> Self {
        Self { text: written(at, "%Y-%m-%d %H:%M:%S UTC"), machine: rfc3339(at) }
    }

    /// To the millisecond: for comparing clocks.
    pub(crate) fn of_clock(at: UnixMillis) -> Self {
        Self { text: written(at, "%Y-%m-%d %H:%M:%S.%3f UTC"), machine: rfc3339(at) }
    }

    pub(crate) fn of_seconds(seconds: u64) -> Self {
        Self::of(UnixMillis(seconds.saturating_mul(1000)))
    }
}

/// RFC 3339 with milliseconds, in UTC.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

fn written(at: UnixMillis, format: &str) -> String {
    let known = i64::try_from(at.0).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    known.map_or_else(
        || format!("{} ms after 1970", at.0),
        |timestamp| timestamp.to_zoned(TimeZone::UTC).strftime(format).to_string(),
    )
}

/// Reads what a person or program writes: RFC 3339, or a date, or date and time with `T` or a blank between, taken as UTC.
pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
    use jiff::civil::{Date, DateTime};
    let text = text.trim();
    let civil = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let timestamp = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(civil))
        .or_else(|| text.parse::<Date>().ok().and_then(|date| civil(date.at(0, 0, 0, 0))))?;
    u64::try_from(timestamp.as_millisecond()).ok().map(UnixMillis)
}

/// How long ago or ahead, roughly: `3 days`.
pub(crate) fn roughly(millis: u64) -> String {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let (count, unit) = match millis {
        0..MINUTE => (millis / 1000, "second"),
        MINUTE..HOUR => (millis / MINUTE, "minute"),
        HOUR..DAY => (millis / HOUR, "hour"),
        _ => (millis / DAY, "day"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_in_utc() {
        let at = UnixMillis(1_790_000_000_123);
        assert_eq!(rfc3339(at), "2026-09-21T14:13:20.123Z");
        assert_eq!(Moment::of(at).text, "21 Sep 2026, 14:13 UTC");
        assert_eq!(Moment::of_clock(at).text, "2026-09-21 14:13:20.123 UTC");
        assert_eq!(Moment::of(UnixMillis(u64::MAX)).text, format!("{} ms after 1970", u64::MAX));
    }

    #[test]
    fn read_again() {
        for text in
            ["2026-09-21T14:13:00Z", "2026-09-21T16:13:00+02:00", "2026-09-21T14:13", " 2026-09-21 14:13:00 "]
        {
            assert_eq!(parse(text), Some(UnixMillis(1_789_999_980_000)), "{text}");
        }
        assert_eq!(parse("2026-09-21"), Some(UnixMillis(1_789_948_800_000)));
        assert_eq!(parse(&rfc3339(UnixMillis(123))), Some(UnixMillis(123)));
        for text in ["", "yesterday", "1969-12-31", "2026-13-01", "<b>"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn roughly_said() {
        for (millis, text) in [
            (0, "0 seconds"),
            (61_000, "1 minute"),
            (7_200_000, "2 hours"),
            (86_400_000, "1 day"),
            (u64::MAX, "213503982334 days"),
        ] {
            assert_eq!(roughly(millis), text);
        }
    }
}
