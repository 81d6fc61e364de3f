//! Moments and spans as people read and type them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use taa_core::time::UnixMillis;

use crate::exit::Failure;

/// `2026-11-21 23:05:08 UTC`; the number when it is no day people have.
pub(crate) fn day_and_time(at: UnixMillis) -> String {
    timestamp(at).map_or_else(
        || format!("{} ms since 1970", at.0),
        |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// `2026-11-21`.
pub(crate) fn day(at: UnixMillis) -> String {
    timestamp(at).map_or_else(|| day_and_time(at), |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// RFC 3339, for programs; the number when it is no day people have.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    timestamp(at).map_or_else(|| at.0.to_string(), |moment| moment.to_string())
}

fn timestamp(at: UnixMillis) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()
}

/// `3 min 20 s ago`, `in 2 days 4 h`, `now`.
pub(crate) fn relative(at: UnixMillis, now: UnixMillis) -> String {
    match now.0.abs_diff(at.0) {
        0 => "now".to_owned(),
        distance if at < now => format!("{} ago", span(distance)),
        distance => format!("in {}", span(distance)),
    }
}

/// The two greatest parts of a span in milliseconds: `2 days 4 h`, `61 s` as `1 min 1 s`, `250 ms`.
pub(crate) fn span(millis: u64) -> String {
    const UNITS: [(u64, &str, &str); 5] = [
        (86_400_000, "day", "days"),
        (3_600_000, "h", "h"),
        (60_000, "min", "min"),
        (1_000, "s", "s"),
        (1, "ms", "ms"),
    ];
    let mut rest = millis;
    let mut parts = Vec::new();
    for (unit, one, many) in UNITS {
        let number = rest / unit;
        rest %= unit;
        // Milliseconds beside minutes are noise.
        let noise = unit == 1 && millis >= 60_000;
        if number > 0 && !noise {
            parts.push(format!("{number} {}", if number == 1 { one } else { many }));
        }
        if parts.len() == 2 || (!parts.is_empty() && number == 0) {
            break;
        }
    }
    if parts.is_empty() { "0 ms".to_owned() } else { parts.join(" ") }
}

/// Reads a moment: RFC 3339, a date or a date with a time (UTC), milliseconds since 1970, or how long ago (`90s`, `2h`,
/// `3 days`).
pub(crate) fn parse(text: &str, now: UnixMillis) -> Result<UnixMillis, Failure> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(UnixMillis).map_err(|_| not_a_moment(text));
    }
    let moment = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| civil_moment(text))
        .map(|moment| u64::try_from(moment.as_millisecond()));
    match moment {
        Some(millis) => millis.map(UnixMillis).map_err(|_| not_a_moment(text)),
        None => ago(text, now).ok_or_else(|| not_a_moment(text)),
    }
}

fn civil_moment(text: &str) -> Option<Timestamp> {
    let date_time: civil::DateTime = text.parse().ok()?;
    Some(date_time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn ago(text: &str, now: UnixMillis) -> Option<UnixMillis> {
    let text = text.strip_suffix("ago").unwrap_or(text).trim();
    let days = text.strip_suffix("days").or(text.strip_suffix("day")).or(text.strip_suffix('d'));
    let millis = match days.map(|days| days.trim().parse::<u64>()) {
        Some(Ok(days)) => days.checked_mul(86_400_000)?,
        _ => u64::try_from(text.parse::<SignedDuration>().ok()?.as_millis()).ok()?,
    };
    now.0.checked_sub(millis).map(UnixMillis)
}

fn not_a_moment(text: &str) -> Failure {
    Failure::usage(format!(
        "`{}` is no moment: write 2026-11-21T22:00:00Z, a date, milliseconds since 1970, or how long ago (2h)",
        crate::text::plain(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    #[test]
    fn written() {
        assert_eq!(day_and_time(NOW), "2026-09-21 14:13:20 UTC");
        assert_eq!(rfc3339(UnixMillis(NOW.0 + 5)), "2026-09-21T14:13:20.005Z");
        assert_eq!(day_and_time(UnixMillis(u64::MAX)), format!("{} ms since 1970", u64::MAX));
        for (millis, text) in [
            (0, "0 ms"),
            (250, "250 ms"),
            (1_250, "1 s 250 ms"),
            (61_000, "1 min 1 s"),
            (60_500, "1 min"),
            (3_600_000, "1 h"),
            (90_061_000, "1 day 1 h"),
            (172_800_000, "2 days"),
            (86_401_000, "1 day"),
        ] {
            assert_eq!(span(millis), text, "{millis}");
        }
        assert_eq!(relative(UnixMillis(NOW.0 - 2_000), NOW), "2 s ago");
        assert_eq!(relative(UnixMillis(NOW.0 + 2_000), NOW), "in 2 s");
        assert_eq!(relative(NOW, NOW), "now");
    }

    #[test]
    fn typed() {
        for (text, millis) in [
            ("1790000000000", NOW.0),
            ("2026-09-21T14:13:20Z", NOW.0),
            ("2026-09-21T16:13:20+02:00", NOW.0),
            ("2026-09-21 14:13:20", NOW.0),
            ("2026-09-21", 1_789_948_800_000),
            ("2h", NOW.0 - 7_200_000),
            ("90s ago", NOW.0 - 90_000),
            ("3 days", NOW.0 - 259_200_000),
            ("1d", NOW.0 - 86_400_000),
        ] {
            assert_eq!(parse(text, NOW).unwrap(), UnixMillis(millis), "{text}");
        }
        for text in ["", "yesterday", "-5", "2026-13-01", "1900-01-01", "99999999999999999999", "-2h"] {
            assert!(parse(text, NOW).is_err(), "{text}");
        }
    }
}
