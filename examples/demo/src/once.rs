//! Drives the job once and checks every answer.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use taa_core::answer::Code;

use crate::answer::Answer;
use crate::attacker::Attacker;
use crate::pair::Pair;
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
pub(crate) async fn run() -> Result<ExitCode> {
    let pair = Pair::start("127.0.0.1:0", "127.0.0.1:0").await?;
    let mut report = Report::default();
    readers(&pair, &mut report).await?;
    applications(&pair, &mut report).await?;

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
    Ok(if report.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
    elsewhere.be_trusted(pair, "10.9.9.9")?;
    let got = elsewhere.send(&elsewhere.sign("GET", SEARCH, "admin", "")?).await?;
    report.answer("a trusted one, from a wrong address", &Answer::unproven(403, Code::BadRemoteIp), &got);

    let late = Attacker::late("late", pair, Duration::from_secs(120))?;
    late.be_trusted(pair, "127.0.0.1")?;
    let got = late.send(&late.sign("GET", SEARCH, "admin", "")?).await?;
    report.answer("a trusted one, with an expired request", &Answer::proven(401, Code::OldCert), &got);

    let trusted = Attacker::new("trusted", pair)?;
    trusted.be_trusted(pair, "127.0.0.1")?;
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
