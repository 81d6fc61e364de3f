use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::text;

/// A server that a vector describes, in our terms.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// The trusted application's id and the name of its key.
    pub(super) app_id: String,
    pub(super) key: String,
    pub(super) timeout_ms: i64,
    pub(super) now_ms: u64,
    /// Empty is "every address": ours has no such list, so the runner gives it one with all addresses.
    pub(super) addresses: Vec<String>,
    pub(super) paths: Vec<String>,
    /// `None`: every user exists.
    pub(super) users: Option<Vec<String>>,
    pub(super) cannot_login: Vec<String>,
    pub(super) min_version: u8,
    /// The configured public base URL, without a slash at the end.
    pub(super) base_url: String,
}

/// A request as a client sent it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) headers: Vec<(String, String)>,
    /// Scheme, host and port that the peers' library saw.
    pub(super) origin: String,
    /// The raw path below the context path.
    pub(super) path: String,
    /// `?` and the raw query, or nothing.
    pub(super) query: String,
    pub(super) remote_addr: String,
    /// A servlet container had forwarded it inside.
    pub(super) forwarded: bool,
}

impl Request {
    /// A header; `None` when it is absent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// One of the fields with the common prefix.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.header(&format!("X-Seraph-Trusted-App-{name}"))
    }

    /// The URL as this server builds it.
    pub(super) fn url(&self, server: &Server) -> String {
        format!("{}{}{}", server.base_url, self.path, self.query)
    }

    /// The headers as an HTTP engine hands them over; `None` when it would refuse them.
    pub(super) fn header_map(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().ok()?;
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        Some(map)
    }
}

/// Origin, path and query of an absolute URL; a fragment is never sent.
pub(super) fn split_url(url: &str) -> Result<(String, String, String), String> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let authority = url.find("://").ok_or_else(|| format!("no URL: {url:?}"))? + 3;
    let path = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    let query = url.find('?').unwrap_or(url.len());
    Ok((url[..path].to_owned(), url[path..query].to_owned(), url[query..].to_owned()))
}

/// The headers of a vector; those with a null value are not sent.
pub(super) fn headers(json: &Value) -> Result<Vec<(String, String)>, String> {
    json.get("headers")
        .and_then(Value::as_object)
        .ok_or("no headers")?
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| Ok((name.clone(), value.as_str().ok_or("a header is no text")?.to_owned())))
        .collect()
}

/// Reads server and request of a vector. `origin` is that of the server's configured base URL.
pub(super) fn read(case: &Value, origin: &str) -> Result<(Server, Request), String> {
    let texts = |json: &Value, member: &str| -> Vec<String> {
        let list = json.get(member).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let server = case.get("server").ok_or("no server")?;
    let request = case.get("request").ok_or("no request")?;
    let context = text(request, "contextPath").unwrap_or_default();
    let (app_id, key) = text(server, "trusts")?.split_once(" = ").ok_or("trusts is no pair")?;
    let number = |member: &str| {
        server.get(member).and_then(Value::as_i64).ok_or_else(|| format!("no number {member:?}"))
    };
    let (own, path, query) = split_url(text(request, "url")?)?;
    let forwarded = request
        .get("requestAttributes")
        .and_then(|attributes| attributes.get("javax.servlet.forward.request_uri"))
        .and_then(Value::as_str);
    let path = forwarded.unwrap_or(&path);
    Ok((
        Server {
            app_id: app_id.to_owned(),
            key: key.to_owned(),
            timeout_ms: number("timeoutMs")?,
            now_ms: u64::try_from(number("nowMs")?).map_err(|_| "nowMs")?,
            addresses: texts(server, "ipPatterns"),
            paths: texts(server, "urlPatterns"),
            users: Some(texts(server, "users")),
            cannot_login: texts(server, "cannotLogin"),
            min_version: match server.get("trustedapps.protocol.version").map(|version| version.to_string()) {
                None => 2,
                Some(version) => match version.trim_matches('"') {
                    "2" => 2,
                    "3" => 3,
                    other => return Err(format!("configured version {other:?}")),
                },
            },
            base_url: format!("{origin}{context}"),
        },
        Request {
            headers: headers(request)?,
            origin: own,
            path: path.strip_prefix(context).unwrap_or(path).to_owned(),
            query,
            remote_addr: text(request, "remoteAddr")?.to_owned(),
            forwarded: forwarded.is_some(),
        },
    ))
}
