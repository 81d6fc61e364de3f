//! A recorded request, as it stands in a log or in what `curl -v` prints.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::exit::Failure;

/// A request as far as it was recorded.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    /// The whole content; none when it was not recorded.
    pub(super) content: Option<Vec<u8>>,
}

/// Reads a request line and header lines that end with LF or CRLF, and after an empty line the content. Lines that begin
/// with `> ` are curl's: then only those count, and there is no content.
pub(super) fn parse(bytes: &[u8]) -> Result<Input, Failure> {
    let by_curl = lines(bytes).any(|(line, _)| is_request_line(line.strip_prefix(b"> ").unwrap_or_default()));
    if by_curl { of_curl(bytes) } else { plain(bytes) }
}

/// Each line without its end, and how many bytes of the input are over after it.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut over = 0;
    bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        over += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        (line.strip_suffix(b"\r").unwrap_or(line), over)
    })
}

fn is_request_line(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    method.is_some_and(|method| !method.is_empty() && method.iter().all(u8::is_ascii_alphabetic))
        && target.is_some_and(|target| !target.is_empty())
        && version.is_some_and(|version| version.starts_with(b"HTTP/"))
}

fn of_curl(bytes: &[u8]) -> Result<Input, Failure> {
    let mut head = Head::default();
    let mut begun = false;
    for (number, (line, _)) in lines(bytes).enumerate() {
        let Some(line) = line.strip_prefix(b">") else { continue };
        let line = line.strip_prefix(b" ").unwrap_or(line);
        if line.is_empty() {
            if begun {
                break;
            }
            continue;
        }
        begun = true;
        head.line(line, number)?;
    }
    head.finish(None)
}

fn plain(bytes: &[u8]) -> Result<Input, Failure> {
    let mut head = Head::default();
    let mut begun = false;
    let mut content = None;
    for (number, (line, over)) in lines(bytes).enumerate() {
        if line.is_empty() && begun {
            content = Some(bytes.get(over..).unwrap_or_default());
            break;
        }
        if line.is_empty() {
            continue;
        }
        begun = true;
        head.line(line, number)?;
    }
    head.finish(content)
}

#[derive(Debug, Default)]
struct Head {
    method: Option<Method>,
    target: Option<String>,
    /// Whether a request without a length has no content: not so in HTTP/2 and 3.
    length_tells: bool,
    headers: HeaderMap,
}

impl Head {
    fn line(&mut self, line: &[u8], number: usize) -> Result<(), Failure> {
        let wrong =
            |what: &str| Failure::usage(format!("line {} of the request: {what}", number.saturating_add(1)));
        if let Some(pseudo) = line.strip_prefix(b":") {
            return self.pseudo(pseudo).ok_or_else(|| wrong("not a field of HTTP/2"));
        }
        if self.method.is_none() {
            return self.request_line(line).ok_or_else(|| {
                wrong("it begins with the request line, such as `GET /rest/api/2/search HTTP/1.1`")
            });
        }
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            return Err(wrong("a field goes on in this line: write each field in one line, as it was sent"));
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return Err(wrong("a header line is `Name: value`"));
        };
        let name = HeaderName::from_bytes(name).map_err(|_| wrong("this is no name of a field"))?;
        let value = HeaderValue::from_bytes(value.trim_ascii())
            .map_err(|_| wrong("the value has characters that no field has"))?;
        self.headers.try_append(name, value).map_err(|_| wrong("there are too many fields"))?;
        Ok(())
    }

    fn request_line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        self.method = Some(Method::from_bytes(words.next()?).ok()?);
        self.target = Some(std::str::from_utf8(words.next()?).ok()?.to_owned());
        self.length_tells = match words.next() {
            Some(version) if version.starts_with(b"HTTP/1") => true,
            Some(version) if version.starts_with(b"HTTP/") => false,
            Some(_) => return None,
            None => true,
        };
        words.next().is_none().then_some(())
    }

    /// `:method: GET`, as HTTP/2 is written down. Without the first colon.
    fn pseudo(&mut self, line: &[u8]) -> Option<()> {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let value = value.trim();
        match name {
            "method" => self.method = Some(Method::from_bytes(value.as_bytes()).ok()?),
            "path" => self.target = Some(value.to_owned()),
            "authority" => {
                self.headers.insert(header::HOST, HeaderValue::from_str(value).ok()?);
            }
            _ => {}
        }
        Some(())
    }

    fn finish(self, content: Option<&[u8]>) -> Result<Input, Failure> {
        let (Some(method), Some(target)) = (self.method, self.target) else {
            return Err(Failure::usage(
                "there is no request: it begins with a line such as `GET / HTTP/1.1`",
            ));
        };
        let declared =
            self.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let framed = self.headers.contains_key(header::CONTENT_LENGTH)
            || self.headers.contains_key(header::TRANSFER_ENCODING);
        let safe = matches!(method, Method::GET | Method::HEAD);
        let content = match (content.unwrap_or_default(), declared) {
            (_, Some(0)) => Some(Vec::new()),
            // What follows is a line end that an editor added.
            (content, Some(length)) => content.get(..length).map(<[u8]>::to_vec),
            ([], None) if !framed && (self.length_tells || safe) => Some(Vec::new()),
            ([], None) => None,
            (content, None) => Some(content.to_vec()),
        };
        Ok(Input { method, target, headers: self.headers, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_a_log() {
        for text in [
            "GET /a?b HTTP/1.1\nHost: h\nX-A:  b \n",
            "\r\nGET /a?b HTTP/1.1\r\nHost: h\r\nX-A: b\r\n\r\n",
            "* Connected\n> GET /a?b HTTP/1.1\n> Host: h\n> X-A: b\n>\n* done\n< HTTP/1.1 200 OK\n< X-A: c\n",
            "* h2\r\n> GET /a?b HTTP/2\r\n> host: h\r\n> x-a: b\r\n> \r\n",
            ":method: GET\n:path: /a?b\n:authority: h\nx-a: b\n",
            "GET /a?b\nhost: h\nx-a: b",
        ] {
            let input = parse(text.as_bytes()).unwrap();
            assert_eq!((input.method.as_str(), input.target.as_str()), ("GET", "/a?b"), "{text:?}");
            assert_eq!(input.headers["host"], "h", "{text:?}");
            assert_eq!(input.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["b"], "{text:?}");
            assert_eq!(input.content.as_deref(), Some(&b""[..]), "{text:?}");
        }
    }

    #[test]
    fn content_as_far_as_it_was_recorded() {
        let content = |text: &str| parse(text.as_bytes()).unwrap().content;
        assert_eq!(content("POST / HTTP/1.1\nContent-Length: 2\n\n{}\n").as_deref(), Some(&b"{}"[..]));
        assert_eq!(content("POST / HTTP/1.1\n\n{}\n").as_deref(), Some(&b"{}\n"[..]));
        assert_eq!(content("POST / HTTP/1.1\nContent-Length: 2\n"), None);
        assert_eq!(content("POST / HTTP/1.1\nContent-Length: 20\n\n{}"), None);
        assert_eq!(content("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n"), None);
        assert_eq!(content("> POST / HTTP/2\n> content-length: 2\n> \n{}"), None);
        assert_eq!(content("POST / HTTP/2\na: b\n"), None);
        assert_eq!(content("POST / HTTP/1.1\nContent-Length: 0\n").as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_no_request() {
        for (text, told) in [
            ("", "no request"),
            ("\n\n", "no request"),
            ("hello", "line 1"),
            ("GET / HTTP/1.1 x\n", "line 1"),
            ("GET / FTP\n", "line 1"),
            ("GET / HTTP/1.1\nno colon\n", "line 2"),
            ("GET / HTTP/1.1\na b: c\n", "line 2"),
            ("GET / HTTP/1.1\na: b\n  c\n", "line 3"),
            ("GET / HTTP/1.1\na: \u{1}\n", "line 2"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(told), "{text:?}: {error}");
        }
        assert!(parse(b"\xff\xfe / HTTP/1.1\n").is_err());
        assert!(parse(b"GET /\xff HTTP/1.1\n").is_err());
    }
}
