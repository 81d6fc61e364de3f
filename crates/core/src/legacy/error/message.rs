/// Fills in the `{0}` places of a message as Java's `MessageFormat` does with texts: `''` is an apostrophe, a single
/// one begins and ends a stretch that is taken as it stands, and a place without a parameter stays as it is (older
/// versions, section 10).
///
/// # Errors
/// When a place does not hold a plain number, or a brace is not closed.
pub fn format_message(message: &str, params: &[String]) -> Result<String, FormatError> {
    let mut out = String::with_capacity(message.len());
    let mut quoted = false;
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.next_if_eq(&'\'').is_some() => out.push('\''),
            '\'' => quoted = !quoted,
            '{' if !quoted => {
                let mut place = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => place.push(c),
                        None => return Err(FormatError::Unclosed),
                    }
                }
                let number = place_number(&place).ok_or(FormatError::Place)?;
                match params.get(number) {
                    Some(param) => out.push_str(param),
                    None => out.push_str(&format!("{{{number}}}")),
                }
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Blanks stay outside: a place with a format of its own (`{0,number}`) makes no sense for texts and is refused.
fn place_number(place: &str) -> Option<usize> {
    let digits = place.strip_prefix('+').unwrap_or(place);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Why a message cannot be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A place holds something else than a number.
    #[error("a place in the message holds something else than a number")]
    Place,
    /// A brace is not closed.
    #[error("a brace in the message is not closed")]
    Unclosed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled_in() {
        let params = ["a".to_owned(), "{0} 'q'".to_owned()];
        for (message, filled) in [
            ("x {0} {1} {2}", Ok("x a {0} 'q' {2}")),
            ("it's {0}", Ok("its {0}")),
            ("it''s {0}", Ok("it's a")),
            ("'{'{0}'}'", Ok("{a}")),
            ("a } b", Ok("a } b")),
            ("", Ok("")),
            ("{x}", Err(FormatError::Place)),
            ("{}", Err(FormatError::Place)),
            ("{-1}", Err(FormatError::Place)),
            ("{0,number}", Err(FormatError::Place)),
            ("{99999999999999999999}", Err(FormatError::Place)),
            ("{0", Err(FormatError::Unclosed)),
        ] {
            assert_eq!(format_message(message, &params).as_deref(), filled.as_ref().copied(), "{message}");
        }
    }
}
