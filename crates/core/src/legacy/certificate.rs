use super::{MAGIC, java};

/// Writes a certificate's plaintext: `TIMESTAMP LF USER LF MAGIC` (older versions, section 3).
pub(super) fn write(timestamp: impl std::fmt::Display, user: &str) -> String {
    format!("{timestamp}\n{user}\n{MAGIC}")
}

/// A certificate's plaintext as a request may be proven with: exactly three lines, parted by LF, and no CR anywhere.
///
/// Peers read CR and CRLF as line ends too, and ignore lines after the third: a user named `admin LF -1159983122` was
/// logged in as `admin` (older versions, section 17). Their signers only ever write this form.
pub(super) struct StrictCertificate<'a> {
    /// The first line: not yet a number.
    pub(super) timestamp: &'a [u8],
    /// The second line: not yet UTF-8.
    pub(super) user: &'a [u8],
}

impl<'a> StrictCertificate<'a> {
    /// Splits the plaintext; `None` when it has another form or the magic line is wrong.
    pub(super) fn read(plaintext: &'a [u8]) -> Option<Self> {
        if plaintext.contains(&b'\r') {
            return None;
        }
        let mut lines = plaintext.split(|byte| *byte == b'\n');
        let (timestamp, user, magic) = (lines.next()?, lines.next()?, lines.next()?);
        (lines.next().is_none() && magic == MAGIC.as_bytes()).then_some(Self { timestamp, user })
    }

    /// The time, when it stands in its one form: ASCII digits without sign or leading zero, not above Java's `long`.
    pub(super) fn timestamp(&self) -> Option<u64> {
        let text = std::str::from_utf8(self.timestamp).ok()?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) || (text.starts_with('0') && text != "0") {
            return None;
        }
        text.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok())
    }
}

/// A certificate's plaintext as peers read it, to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LenientCertificate {
    /// The first line as a number, when it is one to Java.
    pub(super) timestamp: Option<i64>,
    /// The second line, with U+FFFD for what is no UTF-8.
    pub(super) user: Option<String>,
    /// Whether the third line is the magic text; `None` when there is none.
    pub(super) magic: Option<bool>,
}

impl LenientCertificate {
    pub(super) fn read(plaintext: &[u8]) -> Self {
        let text = String::from_utf8_lossy(plaintext);
        let mut lines = java::lines(&text).into_iter();
        Self {
            timestamp: lines.next().and_then(java::long),
            user: lines.next().map(str::to_owned),
            magic: lines.next().map(|line| line == MAGIC),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_authenticates() {
        let text = write(1_700_000_000_000u64, "admin");
        let read = StrictCertificate::read(text.as_bytes()).unwrap();
        assert_eq!((read.timestamp(), read.user), (Some(1_700_000_000_000), &b"admin"[..]));
        for bad in [
            "5\r\nadmin\r\n-1159983122",
            "5\radmin\r-1159983122",
            "5\nadmin\r-1159983122\n-1159983122",
            "5\nadmin\n-1159983122\n-1159983122",
            "5\nadmin\n-1159983122\n",
            "5\nadmin\n-1159983122 ",
            "5\nadmin",
            "",
        ] {
            assert!(StrictCertificate::read(bad.as_bytes()).is_none(), "{bad:?}");
        }
        for bad in ["", "+5", "-5", " 5", "05", "٢", "5.0", "9223372036854775808", "99999999999999999999999"]
        {
            assert_eq!(
                StrictCertificate { timestamp: bad.as_bytes(), user: b"" }.timestamp(),
                None,
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_peers_read() {
        let read = LenientCertificate::read(b"+005\r\nadm\xffin\r-1159983122\nmore");
        assert_eq!(read.timestamp, Some(5));
        assert_eq!(read.user.as_deref(), Some("adm\u{fffd}in"));
        assert_eq!(read.magic, Some(true));
        let read = LenientCertificate::read(b"x");
        assert_eq!((read.timestamp, read.user, read.magic), (None, None, None));
    }
}
