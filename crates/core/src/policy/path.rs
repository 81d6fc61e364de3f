use std::borrow::Cow;
use std::fmt;

/// The path of a request in the one form in which rules and handler see it.
///
/// Two servers, or a server and a proxy, read some paths differently; what one takes for `/rest/x` is `/admin` to
/// another. Such paths are refused, never repaired. A path
///
/// * begins with `/` and is ASCII, without control characters, blanks, `?` and `#` (the query is cut off before);
/// * has no empty segment but one at the end (`/rest/` is fine, `//rest` is not);
/// * has no `.` or `..` segment, escaped or not;
/// * has no `;` and no `\`, escaped or not, and no escaped `/` or control character;
/// * has only escapes of two hexadecimal digits; those from `%80` on are valid UTF-8 together, so that no overlong
///   form hides a character; none is an escape of `%` that would be another escape if it were decoded twice.
///
/// In what is left, escaped letters, digits, `-`, `.`, `_`, `~` are decoded (RFC 3986, section 6.2.2.2), other escapes
/// get upper-case digits, and characters that RFC 3986 does not allow in a path are escaped. Letter case counts. A path
/// that already has this form is borrowed, not copied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CanonicalPath<'a>(Cow<'a, str>);

impl<'a> CanonicalPath<'a> {
    /// Reads the path of a request target as it was sent, without its query.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(raw: &'a str) -> Result<Self, PathError> {
        if is_plain(raw) { Ok(Self(Cow::Borrowed(raw))) } else { Self::parse_any(raw) }
    }

    fn parse_any(raw: &'a str) -> Result<Self, PathError> {
        let Some(mut rest) = raw.as_bytes().strip_prefix(b"/") else {
            return Err(PathError::NotAbsolute);
        };
        let mut out = Output { raw, read: 1, copy: None };
        let mut segment = Segment::default();
        while let Some((byte, after)) = rest.split_first() {
            let taken = match *byte {
                b'/' => {
                    std::mem::take(&mut segment).close()?;
                    out.keep(1);
                    1
                }
                b'%' => escape(rest, &mut out, &mut segment)?,
                byte => {
                    plain(byte, &mut out)?;
                    segment.add(byte);
                    1
                }
            };
            // The byte that was split off is among those taken.
            rest = after.get(taken.saturating_sub(1)..).unwrap_or_default();
        }
        segment.close_last()?;
        Ok(Self(out.finish()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same path with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> CanonicalPath<'static> {
        CanonicalPath(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Display for CanonicalPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// True for most paths there are: they have no escapes and are canonical as they stand, which is quickly seen.
fn is_plain(raw: &str) -> bool {
    let Some(rest) = raw.as_bytes().strip_prefix(b"/") else { return false };
    let mut length = 0_usize;
    let mut dots = 0_usize;
    for byte in rest {
        match byte {
            // RFC 3986, section 3.3, without the semicolon.
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => length += 1,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => length += 1,
            b'.' => (length, dots) = (length + 1, dots + 1),
            // What ends here is not empty, and neither `.` nor `..`.
            b'/' if length > dots || length > 2 => (length, dots) = (0, 0),
            _ => return false,
        }
    }
    length == 0 || length > dots || length > 2
}

/// A character that is not escaped.
fn plain(byte: u8, out: &mut Output<'_>) -> Result<(), PathError> {
    match byte {
        0x00..=0x20 | 0x7f => return Err(PathError::Control),
        0x80.. => return Err(PathError::NotAscii),
        b';' => return Err(PathError::Semicolon),
        b'\\' => return Err(PathError::Backslash),
        b'?' | b'#' => return Err(PathError::Query),
        b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => {
            out.replace(1, Piece::Escape(byte))
        }
        _ => out.keep(1),
    }
    Ok(())
}

/// An escape at the front of `rest`, or the 2 to 4 of them that are one character. Returns how many bytes they have.
fn escape(rest: &[u8], out: &mut Output<'_>, segment: &mut Segment) -> Result<usize, PathError> {
    let byte = escaped(rest)?;
    match byte {
        0x00..=0x1f | 0x7f => return Err(PathError::Control),
        b'/' => return Err(PathError::EscapedSlash),
        b'\\' => return Err(PathError::Backslash),
        b';' => return Err(PathError::Semicolon),
        b'%' if is_digits(rest.get(3..).unwrap_or_default()) => return Err(PathError::DoubleEscape),
        0x80.. => {
            let taken = check_utf8(byte, rest)?;
            for digits in rest.chunks_exact(3).take(taken / 3) {
                out.escape_as_is(digits, escaped(digits)?);
            }
            segment.add(byte);
            return Ok(taken);
        }
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            out.replace(3, Piece::Char(byte))
        }
        _ => out.escape_as_is(rest, byte),
    }
    segment.add(byte);
    Ok(3)
}

/// Whether two hexadecimal digits follow, each as it is or escaped: after `%25` they would make an escape of what is
/// decoded, `%25%32%66` no less than `%252f`.
fn is_digits(mut rest: &[u8]) -> bool {
    for _ in 0..2 {
        let (byte, taken) = match rest {
            [b'%', ..] => (escaped(rest).unwrap_or_default(), 3),
            [byte, ..] => (*byte, 1),
            [] => return false,
        };
        if !byte.is_ascii_hexdigit() {
            return false;
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    true
}

/// The byte that `%XX` at the front of `rest` stands for.
fn escaped(rest: &[u8]) -> Result<u8, PathError> {
    let [b'%', high, low, ..] = rest else { return Err(PathError::BadEscape) };
    match (hex(*high), hex(*low)) {
        (Some(high), Some(low)) => Ok(high << 4 | low),
        _ => Err(PathError::BadEscape),
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Whether the escapes at the front are one character of UTF-8; returns how many bytes of `rest` they are.
fn check_utf8(lead: u8, rest: &[u8]) -> Result<usize, PathError> {
    let len = match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Err(PathError::NotUtf8),
    };
    let mut character = [0; 4];
    let escapes = rest.chunks(3).map(escaped);
    for (place, byte) in character.iter_mut().take(len).zip(escapes) {
        // What stands there instead may be a bad escape too; that the character is cut off is true in any case.
        *place = byte.map_err(|_| PathError::NotUtf8)?;
    }
    let character = character.get(..len).ok_or(PathError::NotUtf8)?;
    // A path that ends too early leaves a zero in `character`, which is no continuation.
    std::str::from_utf8(character).map_err(|_| PathError::NotUtf8)?;
    Ok(len * 3)
}

/// What is known of the segment that is being read, decoded.
#[derive(Default)]
struct Segment {
    len: usize,
    dots: usize,
}

impl Segment {
    fn add(&mut self, byte: u8) {
        self.len += 1;
        self.dots += usize::from(byte == b'.');
    }

    fn close(self) -> Result<(), PathError> {
        if self.len == 0 { Err(PathError::EmptySegment) } else { self.close_last() }
    }

    /// The last one may be empty.
    fn close_last(self) -> Result<(), PathError> {
        match (self.len, self.dots) {
            (1, 1) | (2, 2) => Err(PathError::DotSegment),
            _ => Ok(()),
        }
    }
}

/// The canonical form: the raw text as long as it is the same, a copy from the first difference on.
struct Output<'a> {
    raw: &'a str,
    read: usize,
    copy: Option<String>,
}

#[derive(Clone, Copy)]
enum Piece {
    Char(u8),
    Escape(u8),
}

impl<'a> Output<'a> {
    /// The next `len` bytes are the same.
    fn keep(&mut self, len: usize) {
        let end = self.read + len;
        if let Some(copy) = &mut self.copy {
            copy.push_str(self.raw.get(self.read..end).unwrap_or_default());
        }
        self.read = end;
    }

    /// `piece` stands in place of the next `len` bytes.
    fn replace(&mut self, len: usize, piece: Piece) {
        let (raw, read) = (self.raw, self.read);
        let copy = self.copy.get_or_insert_with(|| {
            let mut copy = String::with_capacity(raw.len() + 16);
            copy.push_str(raw.get(..read).unwrap_or_default());
            copy
        });
        match piece {
            Piece::Char(byte) => copy.push(char::from(byte)),
            Piece::Escape(byte) => {
                copy.push('%');
                for digit in [byte >> 4, byte & 0xf] {
                    copy.extend(char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
        self.read += len;
    }

    /// The escape `digits` begins with stays one, in upper case.
    fn escape_as_is(&mut self, digits: &[u8], byte: u8) {
        if digits.iter().take(3).any(u8::is_ascii_lowercase) {
            self.replace(3, Piece::Escape(byte));
        } else {
            self.keep(3);
        }
    }

    fn finish(self) -> Cow<'a, str> {
        self.copy.map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }
}

/// Why a path has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// It has a `\`, escaped or not.
    #[error("the path has a backslash")]
    Backslash,
    /// A `%` is not followed by two hexadecimal digits.
    #[error("the path has a % without two hexadecimal digits")]
    BadEscape,
    /// It has a control character, escaped or not, or a blank.
    #[error("the path has a control character or a blank")]
    Control,
    /// It has a `.` or `..` segment, escaped or not.
    #[error("the path has a . or .. segment")]
    DotSegment,
    /// It has `%25` before two hexadecimal digits, escaped or not.
    #[error("the path has an escape within an escape")]
    DoubleEscape,
    /// It has an empty segment that is not its last.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// It has `%2F`.
    #[error("the path has an escaped slash")]
    EscapedSlash,
    /// It does not begin with `/`.
    #[error("the path does not begin with /")]
    NotAbsolute,
    /// It has a character outside ASCII.
    #[error("the path has a character outside ascii")]
    NotAscii,
    /// Its escapes are not UTF-8.
    #[error("the path has escapes that are not utf-8")]
    NotUtf8,
    /// It has a `?` or `#`: a query or fragment was not cut off.
    #[error("the path has a query or a fragment")]
    Query,
    /// It has a `;`, escaped or not.
    #[error("the path has a semicolon")]
    Semicolon,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick way says nothing that the slow one does not say.
    #[test]
    fn plain_paths_are_canonical() {
        let pieces = [
            "", "/", ".", "..", "...", "a", "%2e", "a.b", ";", "~", "%", "é", ":@", "[", "\"", "?", " ",
            "\0", "*",
        ];
        let mut plain = 0;
        let four = |number: usize| [1, 19, 361, 6859].map(|scale| pieces[number / scale % pieces.len()]);
        for [a, b, c, d] in (0..pieces.len().pow(4)).map(four) {
            for path in [format!("/{a}{b}{c}{d}"), format!("/{a}/{b}/{c}{d}"), format!("{a}{b}/{c}/{d}")] {
                if is_plain(&path) {
                    plain += 1;
                    let slowly = CanonicalPath::parse_any(&path);
                    assert!(
                        matches!(&slowly, Ok(CanonicalPath(Cow::Borrowed(same))) if *same == path),
                        "{path:?}"
                    );
                }
            }
        }
        assert!(plain > 1_000, "{plain}");
        assert!(
            is_plain("/")
                && is_plain("/rest/api/2/search")
                && is_plain("/a/.../b.c/")
                && !is_plain("/a/../b")
        );
    }

    #[test]
    fn canonical_already_and_not_copied() {
        for raw in [
            "/",
            "/rest",
            "/rest/",
            "/rest/api/2/issue/ABC-1",
            "/a%20b/c",
            "/%C3%A9/%E2%82%AC/%F0%9F%98%80",
            "/a!$&'()*+,=:@-._~",
            "/...",
            "/.hidden/..x/x..",
            "/100%25",
            "/100%25/2g",
            "/%25%20",
            "/%25%25/%251",
            "/%40%3F%23",
        ] {
            let path = CanonicalPath::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
            assert_eq!(path.as_str(), raw);
            assert!(matches!(path.0, Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn made_canonical() {
        for (raw, canonical) in [
            ("/%64ocs", "/docs"),
            ("/%44%6F%63s/%7e%2D%5f%2e%31", "/Docs/~-_.1"),
            ("/a%2cb%3a", "/a%2Cb%3A"),
            ("/%c3%a9/%E2%82%ac", "/%C3%A9/%E2%82%AC"),
            ("/x%2e%2e%2e", "/x..."),
            ("/[a]{b}|^`\"<>", "/%5Ba%5D%7Bb%7D%7C%5E%60%22%3C%3E"),
            ("/%5ba%5D", "/%5Ba%5D"),
            ("/a/%62/c/", "/a/b/c/"),
        ] {
            let path = CanonicalPath::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
            assert_eq!(path.as_str(), canonical);
            assert_eq!(CanonicalPath::parse(canonical).unwrap().as_str(), canonical, "again");
        }
    }

    #[test]
    fn refused() {
        use PathError::*;
        for (raw, why) in [
            ("", NotAbsolute),
            ("docs", NotAbsolute),
            ("*", NotAbsolute),
            ("%2Fdocs", NotAbsolute),
            ("//", EmptySegment),
            ("//docs", EmptySegment),
            ("/docs//x", EmptySegment),
            ("/docs//", EmptySegment),
            ("/.", DotSegment),
            ("/..", DotSegment),
            ("/docs/../admin", DotSegment),
            ("/docs/./x", DotSegment),
            ("/docs/%2e%2e/admin", DotSegment),
            ("/docs/%2E./admin", DotSegment),
            ("/docs/.%2e", DotSegment),
            ("/docs/%2e/", DotSegment),
            ("/docs;jsessionid=1", Semicolon),
            ("/docs/..;/admin", Semicolon),
            ("/docs%3bx", Semicolon),
            ("/docs%3B", Semicolon),
            ("/docs\\admin", Backslash),
            ("/docs%5cadmin", Backslash),
            ("/docs%5Cadmin", Backslash),
            ("/docs%2fadmin", EscapedSlash),
            ("/docs/..%2Fadmin", EscapedSlash),
            ("/docs%00", Control),
            ("/docs%0a", Control),
            ("/docs%7F", Control),
            ("/docs\0", Control),
            ("/docs\t", Control),
            ("/a b", Control),
            ("/docs\u{7f}", Control),
            ("/docs%", BadEscape),
            ("/docs%2", BadEscape),
            ("/docs%2/", BadEscape),
            ("/docs%zz", BadEscape),
            ("/docs%+1", BadEscape),
            ("/docs%u002e", BadEscape),
            ("/docs/%252e%252e/admin", DoubleEscape),
            ("/docs%252Fadmin", DoubleEscape),
            ("/docs%25%32%66admin", DoubleEscape),
            ("/docs%252%46admin", DoubleEscape),
            ("/docs%25%32fadmin", DoubleEscape),
            ("/é", NotAscii),
            ("/%c0%ae%c0%ae/", NotUtf8),
            ("/%C0%AF", NotUtf8),
            ("/%e0%80%af", NotUtf8),
            ("/%f0%80%80%af", NotUtf8),
            ("/%ED%A0%80", NotUtf8),
            ("/%E9", NotUtf8),
            ("/%E9/x", NotUtf8),
            ("/%C3%41", NotUtf8),
            ("/%C3x", NotUtf8),
            ("/%E2%82", NotUtf8),
            ("/%E2%82%", NotUtf8),
            ("/%80", NotUtf8),
            ("/%F5%80%80%80", NotUtf8),
            ("/%FF", NotUtf8),
            ("/x?y=1", Query),
            ("/x#y", Query),
        ] {
            assert_eq!(CanonicalPath::parse(raw).map(CanonicalPath::into_owned), Err(why), "{raw:?}");
        }
    }

    #[test]
    fn every_byte_alone_and_escaped() {
        for byte in 0..=0x7f_u8 {
            let raw = format!("/a{}", char::from(byte));
            let escaped = [format!("/a%{byte:02x}"), format!("/a%{byte:02X}")];
            let [lower, upper] = escaped.each_ref().map(|raw| CanonicalPath::parse(raw));
            assert_eq!(lower, upper, "{byte:#x}");
            if let Ok(path) = lower {
                assert_eq!(CanonicalPath::parse(path.as_str()).as_ref(), Ok(&path), "{byte:#x}");
            }
            if let Ok(path) = CanonicalPath::parse(&raw) {
                assert!(!matches!(byte, 0..=0x20 | 0x7f | b';' | b'\\' | b'?' | b'#' | b'%'), "{byte:#x}");
                assert_eq!(CanonicalPath::parse(path.as_str()).as_ref(), Ok(&path), "{byte:#x}");
            }
        }
    }
}
