//! Run with `cargo run --release -p demo`, or `cargo run --release -p demo -- --once` to check every answer and exit.

mod answer;
mod attacker;
mod once;
mod pair;
mod reader;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::pair::Pair;

/// A tracker and a wiki that trust each other, on this machine.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Options {
    /// Drive the job once, print what everybody gets, and exit: 0 only if every answer is the right one.
    #[arg(long)]
    once: bool,
    /// Where the tracker listens. Port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8580")]
    tracker: String,
    /// Where the wiki listens. Port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8590")]
    wiki: String,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    example_support::init_logging();
    let options = Options::parse();
    if options.once {
        return once::run().await;
    }
    let pair = Pair::start(&options.tracker, &options.wiki).await?;
    let mut out = std::io::stdout();
    writeln!(out, "tracker  {}", pair.tracker_url)?;
    writeln!(out, "         fingerprint {}", pair.tracker_fingerprint)?;
    writeln!(out, "wiki     {}", pair.wiki_url)?;
    writeln!(out, "         fingerprint {}", pair.wiki_fingerprint)?;
    writeln!(out)?;
    writeln!(
        out,
        "Each has taken the other's certificate. Open {}pages/sprint-board and log in:",
        pair.wiki_url
    )?;
    writeln!(out, "  admin / admin   sees 2 issues")?;
    writeln!(out, "  fred  / fred    sees 1")?;
    writeln!(out, "  ghost / ghost   is unknown to the tracker: sees none, and why")?;
    writeln!(out, "  nobody          sees none")?;
    writeln!(out, "Stop with Ctrl-C.")?;
    pair.wait().await?;
    Ok(ExitCode::SUCCESS)
}
