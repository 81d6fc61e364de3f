use std::fmt::Write as _;

/// Writes parameters: `["a","b"]` (older versions, section 10).
///
/// No parameter can bring in a tab or a line end. Characters beyond ASCII stay as they are, except U+0080 to U+009F and
/// U+2000 to U+20FF.
#[must_use]
pub fn write_params(params: &[String]) -> String {
    let mut out = String::from("[");
    for (position, param) in params.iter().enumerate() {
        out.push_str(if position == 0 { "\"" } else { ",\"" });
        let mut before = '\0';
        for c in param.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '/' if before == '<' => out.push_str("\\/"),
                '\u{8}' => out.push_str("\\b"),
                '\t' => out.push_str("\\t"),
                '\n' => out.push_str("\\n"),
                '\u{c}' => out.push_str("\\f"),
                '\r' => out.push_str("\\r"),
                '\0'..='\u{1f}' | '\u{80}'..='\u{9f}' | '\u{2000}'..='\u{20ff}' => {
                    // Writing to a String does not fail.
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
            before = c;
        }
        out.push('"');
    }
    out.push(']');
    out
}

/// Reads parameters as leniently as peers do: either kind of quotes, bare words with commas and blanks in them,
/// comments, `;` for `,`, a missing `]`, `\xHH`, and anything after the `]` (older versions, section 10). `None` stands
/// for `null` and for nothing before a comma.
///
/// # Errors
/// What is wrong with the text.
pub fn read_params(text: &str) -> Result<Vec<Option<String>>, ParamsError> {
    let mut reader = Reader { chars: text.chars().peekable() };
    if reader.next_clean()? != Some('[') {
        return Err(ParamsError::NoBracket);
    }
    let mut params = Vec::new();
    let mut next = reader.next_clean()?;
    loop {
        match next {
            None | Some(']') => return Ok(params),
            Some(',') => {
                params.push(None);
            }
            Some(first) => {
                params.push(reader.value(first)?);
                next = reader.next_clean()?;
            }
        }
        match next {
            None | Some(']') => return Ok(params),
            Some(',' | ';') => next = reader.next_clean()?,
            Some(_) => return Err(ParamsError::NoComma),
        }
    }
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    /// The next character that is neither blank nor in a comment.
    fn next_clean(&mut self) -> Result<Option<char>, ParamsError> {
        loop {
            match self.chars.next() {
                None => return Ok(None),
                Some('#') => self.skip_line(),
                Some('/') => match self.chars.peek() {
                    Some('/') => self.skip_line(),
                    Some('*') => {
                        self.chars.next();
                        self.skip_comment()?;
                    }
                    _ => return Ok(Some('/')),
                },
                Some(c) if c > ' ' => return Ok(Some(c)),
                Some(_) => {}
            }
        }
    }

    fn skip_line(&mut self) {
        while self.chars.next_if(|c| !matches!(c, '\n' | '\r')).is_some() {}
    }

    fn skip_comment(&mut self) -> Result<(), ParamsError> {
        loop {
            match self.chars.next() {
                None => return Err(ParamsError::Unterminated),
                Some('*') if self.chars.next_if_eq(&'/').is_some() => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn value(&mut self, first: char) -> Result<Option<String>, ParamsError> {
        if matches!(first, '"' | '\'') {
            return self.quoted(first).map(Some);
        }
        let in_word = |c: char| c >= ' ' && !":]}/\\\"[{;=#".contains(c);
        let mut word = String::new();
        if !in_word(first) {
            return Err(ParamsError::NoValue);
        }
        word.push(first);
        while let Some(c) = self.chars.next_if(|c| in_word(*c)) {
            word.push(c);
        }
        let word = word.trim_matches(|c| c <= ' ');
        Ok((!word.eq_ignore_ascii_case("null")).then(|| word.to_owned()))
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParamsError> {
        // Collected as UTF-16: two escapes may make one character.
        let mut units = Vec::new();
        loop {
            let c = match self.chars.next() {
                None | Some('\n' | '\r') => return Err(ParamsError::Unterminated),
                Some(c) if c == quote => return Ok(String::from_utf16_lossy(&units)),
                Some('\\') => match self.chars.next().ok_or(ParamsError::Unterminated)? {
                    'b' => '\u{8}',
                    't' => '\t',
                    'n' => '\n',
                    'f' => '\u{c}',
                    'r' => '\r',
                    kind @ ('u' | 'x') => {
                        units.push(self.hex(if kind == 'u' { 4 } else { 2 })?);
                        continue;
                    }
                    c => c,
                },
                Some(c) => c,
            };
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }

    fn hex(&mut self, digits: usize) -> Result<u16, ParamsError> {
        let mut value = 0u16;
        for _ in 0..digits {
            let c = self.chars.next().ok_or(ParamsError::Unterminated)?;
            let digit = c.to_digit(16).and_then(|digit| u16::try_from(digit).ok()).ok_or(ParamsError::Hex)?;
            value = (value << 4) | digit;
        }
        Ok(value)
    }
}

/// Why a text holds no parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// An escape does not have its hexadecimal digits.
    #[error("an escape does not have its hexadecimal digits")]
    Hex,
    /// It does not begin with `[`.
    #[error("parameters begin with [")]
    NoBracket,
    /// Two values are not parted by a comma.
    #[error("parameters are parted by commas")]
    NoComma,
    /// There is something that is no value.
    #[error("a parameter is missing")]
    NoValue,
    /// A text, an escape or a comment has no end.
    #[error("a text, an escape or a comment has no end")]
    Unterminated,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let all: String = (0..0x2200u32).chain(0x1f600..0x1f610).filter_map(char::from_u32).collect();
        let params = vec![all, String::new(), "</a>".to_owned(), "null".to_owned()];
        let written = write_params(&params);
        assert!(!written.contains(['\t', '\n', '\r']));
        assert_eq!(read_params(&written), Ok(params.into_iter().map(Some).collect()));
    }

    #[test]
    fn lenient() {
        let some = |texts: &[&str]| Ok(texts.iter().map(|text| Some((*text).to_owned())).collect());
        assert_eq!(read_params("[a;b]"), some(&["a", "b"]));
        assert_eq!(read_params("[\"\\ud83d\\ude00\"]"), some(&["\u{1f600}"]));
        assert_eq!(read_params("[,]"), Ok(vec![None]));
        assert_eq!(read_params("[\"a\","), some(&["a"]));
        assert_eq!(read_params("[\"\\u12\"]"), Err(ParamsError::Hex));
        assert_eq!(read_params("[\"a"), Err(ParamsError::Unterminated));
        assert_eq!(read_params("[/*"), Err(ParamsError::Unterminated));
        assert_eq!(read_params("[:]"), Err(ParamsError::NoValue));
    }
}
