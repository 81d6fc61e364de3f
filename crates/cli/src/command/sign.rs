//! `taa sign`: the fields of one request, for another program to send.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use serde::Serialize;
use taa_client::{ServerRecord, Signer};
use taa_core::fields;
use taa_core::id::UserName;
use taa_core::legacy::SignedVersion;
use taa_core::policy::Protocol;
use taa_core::request::ContentDigest;
use taa_store::model::{Row, Secrets, Snapshot, TrustingServer};

use super::Context;
use crate::args::SignArgs;
use crate::exit::{Exit, Failure};
use crate::store;
use crate::text::plain;

/// No longer content is read.
const MAX_CONTENT: u64 = 64 * 1024 * 1024;

#[derive(Serialize)]
struct Signed {
    method: String,
    url: String,
    server: String,
    version: u8,
    user: String,
    headers: Vec<(String, String)>,
}

pub(super) async fn run(context: Context<'_>, args: SignArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    store.close().await;
    let snapshot = store.snapshot();
    let content = content(&args)?;
    let user = UserName::parse(&args.user)
        .map_err(|error| Failure::usage(format!("`{}` is no user name: {error}", plain(&args.user))))?;
    let (mut parts, ()) = request(&args)?.into_parts();
    let (signer, server) = signer(&snapshot, &parts.uri, &args.url)?;
    let digest = content.as_deref().filter(|content| !content.is_empty()).map(ContentDigest::of);
    signer.sign(&mut parts, &user, digest.as_ref()).map_err(|error| Failure::of(&error))?;
    let headers = to_send(&parts.headers)?;
    let signed = Signed {
        method: args.method.clone(),
        url: args.url.clone(),
        server: server.id.to_string(),
        version: server.protocol.number(),
        user: args.user.clone(),
        headers,
    };
    let text = if args.curl {
        curl(&args, &signed.headers)?
    } else if args.raw {
        signed.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    } else {
        header_arguments(&signed.headers)?.join(" \\\n")
    };
    output.result(&signed, || text)?;
    Ok(Exit::Fine)
}

fn content(args: &SignArgs) -> Result<Option<Vec<u8>>, Failure> {
    let Some(path) = &args.data_file else {
        return Ok(args.data.clone().map(String::into_bytes));
    };
    let mut content = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_CONTENT + 1).read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(MAX_CONTENT + 1).read_to_end(&mut content))
    };
    read.map_err(|error| Failure::failed(format!("{} cannot be read: {error}", path.display())))?;
    if u64::try_from(content.len()).is_ok_and(|length| length > MAX_CONTENT) {
        return Err(Failure::failed("the content is longer than 64 MiB"));
    }
    Ok(Some(content))
}

fn request(args: &SignArgs) -> Result<Request<()>, Failure> {
    let method = Method::from_bytes(args.method.as_bytes())
        .map_err(|_| Failure::usage(format!("`{}` is no method", plain(&args.method))))?;
    if args.url.contains('#') {
        return Err(Failure::usage("a fragment (#…) is never sent: leave it out of the URL"));
    }
    let uri: Uri = args.url.parse().map_err(|error| {
        Failure::usage(format!("`{}` is no URL that can be sent: {error}", plain(&args.url)))
    })?;
    if uri.scheme().is_none() || uri.authority().is_none() {
        return Err(Failure::usage("write the whole URL, with https:// and the host"));
    }
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    if let Some(content_type) = &args.content_type {
        let value = HeaderValue::from_str(content_type)
            .map_err(|_| Failure::usage("--content-type: not the value of a header field"))?;
        request.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    Ok(request)
}

/// The server that a URL belongs to, the one with the longest path if there are several, and what signs for it.
fn signer<'s>(
    snapshot: &'s Snapshot,
    uri: &Uri,
    shown: &str,
) -> Result<(Signer, &'s TrustingServer), Failure> {
    let secrets = store::secrets(snapshot)?;
    let mut found: Option<(Signer, &TrustingServer)> = None;
    let mut hindrances = String::new();
    for server in snapshot.servers.iter().filter_map(Row::good) {
        let signer = match one_signer(secrets, server) {
            Ok(signer) => signer,
            Err(why) => {
                hindrances.push_str(&format!(". Nothing can be signed for {}: {why}", server.id));
                continue;
            }
        };
        let longer = |(_, other): &(Signer, &TrustingServer)| {
            server.base_url.path().len() > other.base_url.path().len()
        };
        if signer.knows(uri) && found.as_ref().is_none_or(longer) {
            found = Some((signer, server));
        }
    }
    match found {
        Some((_, server)) if !server.enabled => {
            Err(Failure::failed(format!("{} is disabled: taa server enable {0}", server.id)))
        }
        Some(found) => Ok(found),
        None => Err(Failure::not_found(format!(
            "{} belongs to no server that is called: taa server list shows those that are{hindrances}",
            plain(shown)
        ))),
    }
}

fn one_signer(secrets: &Secrets, server: &TrustingServer) -> Result<Signer, String> {
    let mut builder = Signer::builder(Arc::clone(&secrets.identity)).provider(store::provider());
    if server.protocol.is_legacy() {
        let key = secrets
            .legacy
            .as_ref()
            .ok_or("there is no key of the older versions: taa key rotate --purpose legacy")?;
        builder = builder.legacy_key(Arc::clone(key));
    }
    builder.server(record(server)?).build().map_err(|error| error.to_string())
}

fn record(server: &TrustingServer) -> Result<ServerRecord, String> {
    let older = |version| ServerRecord::insecure_legacy(server.id.clone(), server.base_url.clone(), version);
    let builder = match server.protocol {
        Protocol::V4 => {
            let certificate = server.certificate.as_ref().ok_or("its certificate is not known")?;
            ServerRecord::builder(certificate).base_url(server.base_url.clone())
        }
        Protocol::V3 => older(SignedVersion::V3),
        Protocol::V2 => older(SignedVersion::V2),
    };
    builder
        .lifetime(server.lifetime)
        .insecure_allow_http(server.insecure_allow_http)
        .require_content_digest(server.require_content_digest)
        .build()
        .map_err(|error| error.to_string())
}

/// The fields to send, as people write them.
fn to_send(headers: &http::HeaderMap) -> Result<Vec<(String, String)>, Failure> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = value.to_str().map_err(|_| Failure::failed("a field is not ASCII"))?;
        Ok((spelled(name), value.to_owned()))
    };
    headers.iter().map(pair).collect()
}

fn spelled(name: &HeaderName) -> String {
    let spelled = [
        (fields::VERSION, "X-Seraph-Trusted-App-Version"),
        (fields::ID, "X-Seraph-Trusted-App-ID"),
        (fields::KEY, "X-Seraph-Trusted-App-Key"),
        (fields::SIGNATURE, "X-Seraph-Trusted-App-Signature"),
        (fields::CERT, "X-Seraph-Trusted-App-Cert"),
        (fields::MAGIC, "X-Seraph-Trusted-App-Magic"),
        (fields::CONTENT_DIGEST, "Content-Digest"),
        (header::CONTENT_TYPE, "Content-Type"),
        (header::ACCEPT_ENCODING, "Accept-Encoding"),
    ];
    spelled
        .iter()
        .find(|(known, _)| known == name)
        .map_or_else(|| name.as_str().to_owned(), |(_, text)| (*text).to_owned())
}

fn quoted(text: &str) -> Result<String, Failure> {
    shlex::try_quote(text)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Failure::usage("a zero byte cannot stand on a command line: use --data-file"))
}

fn header_arguments(headers: &[(String, String)]) -> Result<Vec<String>, Failure> {
    headers.iter().map(|(name, value)| Ok(format!("-H {}", quoted(&format!("{name}: {value}"))?))).collect()
}

/// The whole command. curl must not change anything that is signed: no path normalised, no range expanded, no
/// `Content-Type` of its own.
fn curl(args: &SignArgs, headers: &[(String, String)]) -> Result<String, Failure> {
    let mut words = vec!["curl --path-as-is --globoff".to_owned()];
    match args.method.as_str() {
        "GET" if args.data.is_none() && args.data_file.is_none() => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {}", quoted(method)?)),
    }
    words.extend(header_arguments(headers)?);
    let content = match (&args.data, &args.data_file) {
        // To --data-binary a text that begins with @ is the name of a file.
        (Some(text), _) if text.starts_with('@') => Some(format!("--data-raw {}", quoted(text)?)),
        (Some(text), _) => Some(format!("--data-binary {}", quoted(text)?)),
        (None, Some(path)) => {
            let path = path.to_str().ok_or_else(|| Failure::usage("the file's name is not UTF-8"))?;
            Some(format!("--data-binary {}", quoted(&format!("@{path}"))?))
        }
        (None, None) => None,
    };
    if let Some(content) = content {
        if args.content_type.is_none() {
            words.push("-H 'Content-Type:'".to_owned());
        }
        words.push(content);
    }
    words.push(quoted(&args.url)?);
    Ok(words.join(" \\\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_for_a_shell() {
        for text in ["plain", "it's $HOME `x` \\ \"y\"\n", "", "*", "-x", "~", "a b"] {
            assert_eq!(shlex::split(&quoted(text).unwrap()).unwrap(), [text]);
        }
        assert!(quoted("a\0b").is_err());
    }
}
