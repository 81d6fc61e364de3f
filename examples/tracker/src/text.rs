//! Values as the two wire formats and the pages write them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use taa_core::time::UnixMillis;

/// A moment as the JSON answers write it: `2026-05-04T09:30:00.000+0000`.
pub(crate) fn json_time(at: UnixMillis) -> String {
    format(at, "%Y-%m-%dT%H:%M:%S.%3f%z")
}

/// A moment as the XML view writes it (RFC 822 with a year of four digits): `Mon, 4 May 2026 09:30:00 +0000`.
pub(crate) fn rss_time(at: UnixMillis) -> String {
    format(at, "%a, %-d %b %Y %H:%M:%S %z")
}

/// A day as the XML view writes it: a moment at midnight.
pub(crate) fn rss_day(day: Date) -> String {
    strtime::format("%a, %-d %b %Y 00:00:00 +0000", day).unwrap_or_default()
}

/// A moment as pages show it: `4 May 2026, 09:30`.
pub(crate) fn page_time(at: UnixMillis) -> String {
    format(at, "%-d %b %Y, %H:%M")
}

/// A day as pages show it: `4 May 2026`.
pub(crate) fn page_day(day: Date) -> String {
    strtime::format("%-d %b %Y", day).unwrap_or_default()
}

fn format(at: UnixMillis, pattern: &str) -> String {
    // A moment past the year 9999 has no date; it shows as nothing.
    i64::try_from(at.0)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .and_then(|moment| strtime::format(pattern, &moment.to_zoned(TimeZone::UTC)).ok())
        .unwrap_or_default()
}

/// A text as XML can hold it: the few characters that XML 1.0 has no way to write, escaped or not, become U+FFFD.
/// Escaping comes after this.
pub(crate) fn xml_text(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => c,
            _ => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let at = UnixMillis(1_777_887_000_000);
        assert_eq!(json_time(at), "2026-05-04T09:30:00.000+0000");
        assert_eq!(rss_time(at), "Mon, 4 May 2026 09:30:00 +0000");
        assert_eq!(page_time(at), "4 May 2026, 09:30");
        assert_eq!(json_time(UnixMillis(u64::MAX)), "");
        assert_eq!(rss_day(jiff::civil::date(2026, 5, 4)), "Mon, 4 May 2026 00:00:00 +0000");
        assert_eq!(page_day(jiff::civil::date(2026, 5, 14)), "14 May 2026");
    }

    #[test]
    fn only_what_xml_can_hold() {
        assert_eq!(xml_text("a\0b\u{8}c\u{fffe}d\u{ffff}e\tf"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\tf");
    }
}
