use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::Protocol;

/// Would this request be allowed? Every check that rules decide, and the rule that does
///
/// Nothing is sent. What only a request itself can show (its signature, its time, whether it was used before) is marked
/// as not known.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa check wiki:1 GET /rest/api/2/search --user fred --from 192.0.2.7
  taa check wiki:1 DELETE /rest/api/2/issue/HSP-1 --user admin")]
pub(crate) struct CheckArgs {
    /// The application's id
    pub(crate) application: String,

    /// The method
    pub(crate) method: String,

    /// Path, and query if there is one
    pub(crate) path: String,

    /// The user it would act as
    #[arg(long)]
    pub(crate) user: String,

    /// The address it would call from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<IpAddr>,

    /// The version it would speak
    #[arg(long, value_enum, value_name = "VERSION", default_value = "4")]
    pub(crate) protocol: Protocol,

    /// The server's greatest timeout in seconds, when it is not 60
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) greatest_timeout: Option<u64>,
}

/// Sign one request, for curl or another program to send
///
/// It is signed with this application's key for the server its URL belongs to, in the version that server's record says,
/// and is good for about a minute and for one sending. Nothing is sent.
///
/// By default the fields are written as arguments of curl. Method, URL, content and Content-Type have to be sent exactly as
/// they were signed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  eval \"$(taa sign GET 'https://tracker.example/rest/api/2/search?jql=a' --user fred --curl)\"
  taa sign POST https://tracker.example/rest/api/2/issue --user fred \\
      --data-file issue.json --content-type application/json --curl
  taa sign GET https://tracker.example/rest/api/2/myself --user fred --raw | \\
      curl --path-as-is -H @- https://tracker.example/rest/api/2/myself")]
pub(crate) struct SignArgs {
    /// The method
    pub(crate) method: String,

    /// The whole URL, as it will be sent
    pub(crate) url: String,

    /// The user it acts as
    #[arg(long)]
    pub(crate) user: String,

    /// The content
    #[arg(long, value_name = "TEXT", conflicts_with = "data_file")]
    pub(crate) data: Option<String>,

    /// The content is in this file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,

    /// The content's type; it is signed too
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,

    /// Write the whole curl command, quoted for a shell
    #[arg(long)]
    pub(crate) curl: bool,

    /// Write plain header lines, as `curl -H @file` reads them
    #[arg(long, conflicts_with = "curl")]
    pub(crate) raw: bool,
}

/// Explain a recorded request: every check in its order, what it looked at, and the first that fails
///
/// Reads the request's head as it stands in a log or in what `curl -v` prints: the request line, the header lines, and
/// after an empty line the content, if it was recorded. Versions 0 to 4 are decoded. With the store the server's keys and
/// rules are known; without it a check says that it cannot be known here, and why.
///
/// Nothing is recorded and nothing is sent, so a request may be explained as often as you like. Values marked as unproven
/// are the word of whoever sent the request.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa explain request.txt --from 192.0.2.7 --now 2026-11-21T22:00:00Z
  curl -v … 2>&1 | taa explain
  taa explain --no-store request.txt --json")]
pub(crate) struct ExplainArgs {
    /// The file; standard input when left out, or -
    pub(crate) file: Option<PathBuf>,

    /// The address of the socket it came from
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<IpAddr>,

    /// The server's trusted proxies: addresses and blocks
    #[arg(long, value_name = "LIST", requires = "from")]
    pub(crate) proxies: Option<String>,

    /// The path prefix a proxy took away before the request was recorded, such as /jira
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,

    /// Judge it at this moment: 2026-11-21T22:00:00Z, milliseconds since 1970, or how long ago (2h)
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,

    /// The server's tolerance for clocks in seconds, when it is not 30
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(crate) skew: Option<u64>,

    /// The server's greatest timeout in seconds, when it is not 60
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) greatest_timeout: Option<u64>,

    /// Use no store: show what stands in the request itself
    #[arg(long)]
    pub(crate) no_store: bool,
}
