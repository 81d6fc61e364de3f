//! Drives the job once and checks every answer.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use taa_core::answer::Code;

use crate::answer::Answer;
use crate::attacker::{self, Attacker};
use crate::pair::{Pair, Start};
use crate::reader;

/// What was asked, what was expected and what came.
#[derive(Default)]
struct Report {
    rows: Vec<[String; 4]>,
    wrong: usize,
}

impl Report {
    fn check(&mut self, what: &str, expected: &str, got: &str) {
        let right = expected == got;
        self.wrong += usize::from(!right);
        let verdict = if right { "right" } else { "WRONG" };
        self.rows.push([what.to_owned(), expected.to_owned(), got.to_owned(), verdict.to_owned()]);
    }

    fn answer(&mut self, what: &str, expected: &Answer, got: &Answer) {
        self.check(what, &expected.to_string(), &got.to_string());
    }
}

/// Runs everything; the exit code is 0 only if every answer was the right one.
pub(crate) async fn run(start: &Start) -> Result<ExitCode> {
    let (report, pair) = drive(start).await?;
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(["who asks, and how", "expected", "got", ""]);
    for row in &report.rows {
        table.add_row(row);
    }
    let mut out = std::io::stdout();
    writeln!(out, "tracker {}  {}", pair.tracker_url, pair.tracker_fingerprint)?;
    writeln!(out, "wiki    {}  {}", pair.wiki_url, pair.wiki_fingerprint)?;
    writeln!(out, "{table}")?;
    writeln!(out, "{} passed, {} failed", report.rows.len() - report.wrong, report.wrong)?;
    pair.stop().await;
    Ok(if report.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks everything. The pair still runs afterwards.
async fn drive(start: &Start) -> Result<(Report, Pair)> {
    let pair = Pair::start(start).await?;
    let mut report = Report::default();
    if start.place.is_some() {
        // The process before this one may have ended just now.
        settled(&pair).await?;
    }
    readers(&pair, &mut report).await?;
    applications(&pair, &mut report).await?;
    let pair = if start.place.is_some() { restart(start, pair, &mut report).await? } else { pair };
    Ok((report, pair))
}

/// What the wiki's page shows to whom.
async fn readers(pair: &Pair, report: &mut Report) -> Result<()> {
    const CASES: [(&str, Option<&str>, usize, &str); 4] = [
        ("the page, for admin", Some("admin"), 2, ""),
        ("the page, for fred", Some("fred"), 1, ""),
        ("the page, for nobody", None, 0, "You are not logged in"),
        ("the page, for ghost, whom the tracker does not know", Some("ghost"), 0, "does not know"),
    ];
    for (what, name, issues, why) in CASES {
        let shown = reader::look(&pair.wiki_url, name).await?;
        let says = |issues: usize, told: bool| {
            let issues = if issues == 1 { "1 issue".to_owned() } else { format!("{issues} issues") };
            if told { format!("{issues}, and why") } else { issues }
        };
        let told = !why.is_empty() && shown.page.contains(why);
        report.check(what, &says(issues, !why.is_empty()), &says(shown.issues, told));
    }
    Ok(())
}

/// Stops both and starts them again, and neither is told where the other lives.
async fn restart(start: &Start, pair: Pair, report: &mut Report) -> Result<Pair> {
    attacker::forget_all(&pair).await?;
    let before = (pair.tracker_fingerprint.clone(), pair.wiki_fingerprint.clone());
    let (added, tracker_url) = (pair.added(), pair.tracker_url.clone());
    pair.stop().await;
    let pair = Pair::start(&Start { set_up: false, ..start.clone() }).await?;
    report.check("after a restart, the tracker's keys", &before.0, &pair.tracker_fingerprint);
    report.check("after a restart, the wiki's keys", &before.1, &pair.wiki_fingerprint);
    report.check("after a restart, where the tracker lives", tracker_url.as_str(), pair.tracker_url.as_str());
    let told = |same: bool| if same { "as it was set up" } else { "set up anew, or gone" };
    report.check(
        "after a restart, the trust in the wiki",
        told(true),
        told(!added.is_empty() && added == pair.added()),
    );
    let issues = settled(&pair).await?;
    report.check("after a restart, the page, for admin", "2 issues", &format!("{issues} issues"));
    Ok(pair)
}

/// How many issues the administrator sees once a restart is over: requests that may have been accepted just before the
/// end are not accepted again, so for about 2 s all are refused.
async fn settled(pair: &Pair) -> Result<usize> {
    let mut shown = reader::look(&pair.wiki_url, Some("admin")).await?;
    for _ in 0..50 {
        if shown.issues == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        shown = reader::look(&pair.wiki_url, Some("admin")).await?;
    }
    Ok(shown.issues)
}

/// What the tracker answers to applications that ask directly.
async fn applications(pair: &Pair, report: &mut Report) -> Result<()> {
    const SEARCH: &str = "rest/api/2/search?jql=project%20%3D%20HSP";
    const ISSUE: &str =
        r#"{"fields":{"project":{"key":"HSP"},"summary":"A new issue","issuetype":{"name":"Bug"}}}"#;
    const OTHER: &str =
        r#"{"fields":{"project":{"key":"HSP"},"summary":"An old issue","issuetype":{"name":"Bug"}}}"#;

    let stranger = Attacker::new("stranger", pair)?;
    let got = stranger.send(&stranger.sign("GET", SEARCH, "admin", "")?).await?;
    report.answer("an unknown application", &Answer::unproven(401, Code::AppUnknown), &got);

    let elsewhere = Attacker::new("elsewhere", pair)?;
    elsewhere.be_trusted(pair, "10.9.9.9").await?;
    let got = elsewhere.send(&elsewhere.sign("GET", SEARCH, "admin", "")?).await?;
    report.answer("a trusted one, from a wrong address", &Answer::unproven(403, Code::BadRemoteIp), &got);

    let late = Attacker::late("late", pair, Duration::from_secs(120))?;
    late.be_trusted(pair, "127.0.0.1").await?;
    let got = late.send(&late.sign("GET", SEARCH, "admin", "")?).await?;
    report.answer("a trusted one, with an expired request", &Answer::proven(401, Code::OldCert), &got);

    let trusted = Attacker::new("trusted", pair)?;
    trusted.be_trusted(pair, "127.0.0.1").await?;
    let got = trusted.send(&trusted.sign("GET", SEARCH, "ghost", "")?).await?;
    report.answer("for a user the tracker does not know", &Answer::proven(403, Code::UserUnknown), &got);

    let got = trusted.send(&trusted.sign("GET", SEARCH, "blocked", "")?).await?;
    report.answer("for a user who may not log in", &Answer::proven(403, Code::PermissionDenied), &got);

    let got = trusted.send(&trusted.sign("GET", "rest/api/2/myself", "admin", "")?).await?;
    report.answer("on a path that is not allowed", &Answer::proven(403, Code::BadUrl), &got);

    let got = trusted.send(&trusted.sign("GET", "secure/admin", "admin", "")?).await?;
    report.answer("on a path that leads nowhere", &Answer::proven(403, Code::BadUrl), &got);

    let request = trusted.sign("GET", SEARCH, "fred", "")?;
    let got = trusted.send(&request).await?;
    report.answer("a good request", &Answer::carried_out(200), &got);
    let got = trusted.send(&request).await?;
    report.answer("the same request again", &Answer::proven(401, Code::Replayed), &got);

    let mut request = trusted.sign("POST", "rest/api/2/issue", "fred", ISSUE)?;
    request.body = OTHER;
    let got = trusted.send(&request).await?;
    report.answer("with an altered body", &Answer::proven(400, Code::BadDigest), &got);

    let got = trusted.send(&trusted.sign("POST", "rest/api/2/issue", "fred", ISSUE)?).await?;
    report.answer("with the body that was signed", &Answer::carried_out(201), &got);

    let mut request = trusted.sign("GET", SEARCH, "fred", "")?;
    request.parts.method = http::Method::HEAD;
    let got = trusted.send(&request).await?;
    report.answer("with another method than was signed", &Answer::unproven(401, Code::BadSignature), &got);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, PgConnection};
    use taa_core::crypto::{Random as _, SystemRandom};

    use super::*;
    use crate::place::Place;

    fn start(place: Option<Place>, nonces: Option<&str>) -> Start {
        let any = || "127.0.0.1:0".to_owned();
        let nonces = nonces.and_then(|url| url.parse().ok());
        Start { tracker: any(), wiki: any(), place, nonces, admin_password_file: None, set_up: true }
    }

    async fn all_right(start: &Start, checks: usize) -> (String, String) {
        let (report, pair) = drive(start).await.unwrap();
        let found = (pair.tracker_fingerprint.clone(), pair.wiki_fingerprint.clone());
        pair.stop().await;
        assert_eq!((report.rows.len(), report.wrong), (checks, 0), "{:#?}", report.rows);
        found
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn without_a_store() {
        all_right(&start(None, None), 16).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn in_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let start = start(Some(Place::Sqlite(dir.path().join("new"))), None);
        let first = all_right(&start, 21).await;
        assert_eq!(all_right(&start, 21).await, first, "another process finds the same");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs PostgreSQL and Redis"]
    async fn two_nodes() {
        let from = |name: &str, default: &str| {
            std::env::var_os(name).map_or_else(|| default.to_owned(), |value| value.into_string().unwrap())
        };
        let server = from("TAA_TEST_POSTGRES", "postgres://root@127.0.0.1:5432/test");
        let redis = from("TAA_TEST_REDIS", "redis://127.0.0.1:6379/");
        let mut number = [0; 8];
        SystemRandom.fill(&mut number).unwrap();
        let database = format!("taa_demo_{:016x}", u64::from_be_bytes(number));
        let run = async |statement: String| {
            let mut connection = PgConnection::connect(&server).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        };
        run(format!("CREATE DATABASE {database}")).await;
        let mut url: url::Url = server.parse().unwrap();
        url.set_path(&database);
        let start = start(Some(Place::Postgres(url)), Some(&redis));
        let first = all_right(&start, 21).await;
        assert_eq!(all_right(&start, 21).await, first);
        run(format!("DROP DATABASE {database} WITH (FORCE)")).await;
    }
}
