use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::case::{Request, Server};
use super::verdict::{Tally, Verdict};
use super::{Keys, filler, requests};

/// Runs the table of times: each row becomes a version 3 request that is genuine but for its time.
pub(super) fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    let (name, key) = ("rsa1024", keys.named("rsa1024").or_else(|_| keys.any())?);
    let mut tally = Tally::default();
    for case in json.as_array().ok_or("no list")? {
        let number = |member: &str| {
            case.get(member).and_then(Value::as_i64).ok_or_else(|| format!("no number {member:?} in {case}"))
        };
        let timestamp = number("timestamp")?;
        let url = "http://jira.example.com/secure/Dashboard.jspa";
        let base = format!("{timestamp}\n{url}\nadmin");
        let signature =
            key.signing.sign(base.as_bytes(), &mut filler()).map_err(|error| error.to_string())?;
        let certificate = format!("{timestamp}\nadmin\n-1159983122");
        let field = |name: &str, value: String| (format!("X-Seraph-Trusted-App-{name}"), value);
        let server = Server {
            app_id: "jira:5522001".to_owned(),
            key: name.to_owned(),
            timeout_ms: number("timeout")?,
            now_ms: u64::try_from(number("now")?).map_err(|_| "now")?,
            addresses: Vec::new(),
            paths: Vec::new(),
            users: None,
            cannot_login: Vec::new(),
            min_version: 3,
            base_url: "http://jira.example.com".to_owned(),
        };
        let request = Request {
            headers: vec![
                field("ID", server.app_id.clone()),
                field("Cert", STANDARD.encode(certificate)),
                field("Version", "3".to_owned()),
                field("Signature", STANDARD.encode(signature)),
            ],
            origin: server.base_url.clone(),
            path: "/secure/Dashboard.jspa".to_owned(),
            query: String::new(),
            remote_addr: "127.0.0.1".to_owned(),
            forwarded: false,
        };
        let vector = Verdict::of_vector(case.get("outcome").ok_or("no outcome")?)?;
        requests::judge(&server, &request, keys, &vector, &mut tally)
            .map_err(|error| format!("{case}: {error}"))?;
    }
    Ok(tally)
}
