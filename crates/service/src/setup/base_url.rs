use taa_core::policy::CanonicalPath;
use url::Url;

/// Reads a base URL as a person types it. Nothing is guessed: a scheme that was left out could be either.
///
/// # Errors
/// A sentence for the person who typed it.
pub(super) fn parse(typed: &str) -> Result<Url, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err("The base URL is required, such as https://wiki.example/confluence".into());
    }
    // The URL parser would drop the one and turn the other round.
    if typed.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("A base URL has no blanks and no backslashes.".into());
    }
    let Some((scheme, _)) = typed.split_once("://") else {
        return Err("Type the base URL with its scheme, https://…".into());
    };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Err("A base URL begins with https:// (or http://, where that is allowed).".into());
    }
    let url = Url::parse(typed).map_err(|error| format!("This is no URL: {error}."))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err("A base URL names a host.".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("A base URL has no user name and no password.".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("A base URL has no query (?…) and no fragment (#…).".into());
    }
    let path = url.path().trim_end_matches('/');
    if !path.is_empty() {
        CanonicalPath::parse(path)
            .map_err(|error| format!("Servers would read this URL differently: {error}."))?;
    }
    Ok(url)
}

/// Whether both lead to the same place: a `/` at the end plays no part.
pub(crate) fn same_place(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_typed() {
        for (typed, url) in [
            ("  https://wiki.example/confluence\n", "https://wiki.example/confluence"),
            ("HTTPS://Wiki.Example", "https://wiki.example/"),
            ("http://[::1]:8090/", "http://[::1]:8090/"),
        ] {
            assert_eq!(parse(typed).unwrap().as_str(), url, "{typed:?}");
        }
    }

    #[test]
    fn refused_with_what_to_do() {
        for (typed, says) in [
            ("", "required"),
            (" \t\r\n", "required"),
            ("wiki.example", "https://…"),
            ("localhost:8090", "https://…"),
            ("mailto:a@b", "https://…"),
            ("//wiki.example", "https://…"),
            ("file:///etc/passwd", "begins with https://"),
            ("ftp://wiki.example/", "begins with https://"),
            ("://x", "begins with https://"),
            ("https://", "no URL"),
            ("https://?", "no URL"),
            ("https://wiki.example:99999/", "no URL"),
            ("https://wiki example/", "no blanks"),
            ("https://wiki.example\\x", "no blanks"),
            ("https://wiki.\u{0}example", "no blanks"),
            ("https://u@wiki.example/", "no user name"),
            ("https://:p@wiki.example/", "no user name"),
            ("https://wiki.example/?", "no query"),
            ("https://wiki.example/#", "no query"),
            ("https://wiki.example/a;b", "differently"),
            ("https://wiki.example//a", "differently"),
            ("https://wiki.example/a%2Fb", "differently"),
        ] {
            let error = parse(typed).unwrap_err();
            assert!(error.contains(says), "{typed:?}: {error}");
        }
    }

    #[test]
    fn places() {
        let same = |one: &str, other: &str| same_place(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("https://h/c", "https://h:443/c/"));
        assert!(!same("https://h/c", "http://h/c") && !same("https://h/c", "https://h/C"));
        assert!(!same("https://h/c", "https://h:8443/c"));
    }
}
