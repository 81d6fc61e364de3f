//! What peers written in Java make of text. Used to read and to explain, never to authenticate.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// The lines of a text: LF, CR and CRLF all end one, and a last line end opens no further line.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((line, after)) = rest.split_once(['\n', '\r']) else {
            lines.push(rest);
            break;
        };
        lines.push(line);
        let ended_by_cr = rest.as_bytes().get(line.len()) == Some(&b'\r');
        rest = match after.strip_prefix('\n') {
            Some(after) if ended_by_cr => after,
            _ => after,
        };
    }
    lines
}

/// Removes all characters up to U+0020 from both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

/// Reads a `long`: an optional sign, leading zeros, decimal digits of any script in the basic plane.
pub(super) fn long(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for c in digits.chars() {
        let digit = i64::from(decimal_digit(c)?);
        value = value.checked_mul(10)?;
        // Counted downwards for negative numbers: the smallest has no positive twin.
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// Reads an `int`, as [`long`].
pub(super) fn int(text: &str) -> Option<i32> {
    long(text).and_then(|value| i32::try_from(value).ok())
}

fn decimal_digit(c: char) -> Option<u8> {
    if let Some(digit) = c.to_digit(10) {
        return u8::try_from(digit).ok();
    }
    // Characters outside the basic plane are two units to Java, and no digits.
    let code = u16::try_from(u32::from(c)).ok()?;
    let is_digit = |code: u16| {
        CodePointMapData::<GeneralCategory>::new().get32(u32::from(code)) == GeneralCategory::DecimalNumber
    };
    if !is_digit(code) {
        return None;
    }
    // The digits of a script stand together, zero first, and no two scripts in the basic plane touch.
    (1..=9u8)
        .find(|back| !is_digit(code.wrapping_sub(u16::from(*back))))
        .map_or(Some(9), |back| Some(back - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends() {
        assert_eq!(lines("a\nb\rc\r\nd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n"), ["a"]);
        assert_eq!(lines("\n"), [""]);
        assert_eq!(lines("a\n\rb"), ["a", "", "b"]);
        assert_eq!(lines(""), [""; 0]);
    }

    #[test]
    fn longs() {
        for (text, value) in [
            ("5", Some(5)),
            ("+5", Some(5)),
            ("-5", Some(-5)),
            ("005", Some(5)),
            ("٢٣", Some(23)),
            ("\u{ff19}\u{ff10}", Some(90)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("", None),
            ("+", None),
            ("+-5", None),
            (" 5", None),
            ("5.0", None),
            ("\u{1d7d0}", None),
            ("²", None),
        ] {
            assert_eq!(long(text), value, "{text:?}");
        }
        assert_eq!(int("99999999999"), None);
        assert_eq!(int("-1"), Some(-1));
    }
}
