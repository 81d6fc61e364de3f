use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Writes the standard alphabet with padding on one line (older versions, section 6).
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads the one canonical form: padding required, no blanks, no stray bits. Nothing else ever authenticates.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads as the peers' library does: blanks and line ends inside the text are skipped (older versions, section 6).
pub(super) fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    let kept: Vec<u8> = text.iter().copied().filter(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')).collect();
    STANDARD.decode(kept).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        assert_eq!(decode(b"AQ==").as_deref(), Some(&[1][..]));
        for bad in ["AQ=", "AQ", "AR==", "A Q==", "AQ==\n", "_w==", "***"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(decode_lenient(b" A\tQ=\r\n= ").as_deref(), Some(&[1][..]));
    }
}
