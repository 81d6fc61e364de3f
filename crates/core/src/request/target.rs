use std::borrow::Cow;

/// The target of a request as it is covered: path and query exactly as sent (wire document, section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a>(Cow<'a, str>);

impl<'a> Target<'a> {
    /// Takes what stands in the request line, or `:path`.
    ///
    /// An absolute-form target contributes what follows the authority. Nothing is decoded or normalised; a bare `?`
    /// stays.
    ///
    /// # Errors
    /// For `*`, the authority-form, a fragment, and bytes outside 0x21–0x7E.
    pub fn parse(text: &'a str) -> Result<Self, TargetError> {
        // To the end in any case: without an early exit many bytes are looked at at once.
        if text.bytes().fold(false, |bad, b| bad | !matches!(b, 0x21..=0x7e) | (b == b'#')) {
            return Err(TargetError::Character);
        }
        if text.starts_with('/') {
            return Ok(Self(Cow::Borrowed(text)));
        }
        let (scheme, rest) = text.split_once("://").ok_or(TargetError::Form)?;
        let first_is_letter = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if !first_is_letter || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            return Err(TargetError::Form);
        }
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(authority).ok_or(TargetError::Form)?;
        if authority.is_empty() {
            return Err(TargetError::Form);
        }
        Ok(Self(if target.starts_with('/') {
            Cow::Borrowed(target)
        } else {
            Cow::Owned(format!("/{target}"))
        }))
    }

    /// Path and query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, undecoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.split_once('?').map_or(&*self.0, |(path, _)| path)
    }
}

/// Why a target cannot be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It has a fragment, or a byte outside 0x21–0x7E.
    #[error("a request target has only the bytes 0x21 to 0x7E and no fragment")]
    Character,
    /// It is neither in origin-form nor in absolute-form.
    #[error("a request target is in origin-form or absolute-form")]
    Form,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, covered) in [
            ("/", "/"),
            ("/?", "/?"),
            ("/a%2F?x=/../", "/a%2F?x=/../"),
            ("http://h/a?b", "/a?b"),
            ("http://h", "/"),
            ("https://h:1?x", "/?x"),
            ("//evil/a", "//evil/a"),
        ] {
            assert_eq!(Target::parse(text).map(|t| t.as_str().to_owned()), Ok(covered.to_owned()), "{text}");
        }
        assert_eq!(Target::parse("/a?b?c").map(|t| t.path().to_owned()), Ok("/a".into()));
        for bad in ["", "*", "host:443", "a/b", "?x", "http:///a", "1http://h/"] {
            assert_eq!(Target::parse(bad), Err(TargetError::Form), "{bad}");
        }
        for bad in ["/a#f", "/a b", "/é", "/a\n", "/\u{7f}"] {
            assert_eq!(Target::parse(bad), Err(TargetError::Character), "{bad}");
        }
    }
}
