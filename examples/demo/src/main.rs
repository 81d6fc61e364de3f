//! Run with `cargo run --release -p demo`, or `cargo run --release -p demo -- --once` to check every answer and exit.
//!
//! With `--store sqlite:DIR` trust outlives the process; with `--store postgres://… --nonces redis://…` the tracker has two
//! nodes behind one address.

mod answer;
mod attacker;
mod once;
mod pair;
mod place;
mod reader;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use example_support::SecretUrl;

use crate::pair::{Pair, Start};
use crate::place::Place;

/// A tracker and a wiki that trust each other, on this machine.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Options {
    /// Drive the job once, print what everybody gets, and exit: 0 only if every answer is the right one.
    #[arg(long)]
    once: bool,
    /// Where the tracker listens. Port 0 is any free one, or with a store the one it had.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8580")]
    tracker: String,
    /// Where the wiki listens. Port 0 is any free one, or with a store the one it had.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8590")]
    wiki: String,
    /// Where both keep their trust: sqlite:DIR, a file for each, or postgres://USER@HOST/DATABASE, a schema for each.
    #[arg(long, value_name = "STORE", env = "TAA_DEMO_STORE", hide_env_values = true)]
    store: Option<Place>,
    /// Redis, where two nodes of the tracker behind one address share nonces; with a store in PostgreSQL.
    #[arg(long, value_name = "URL", env = "TAA_NONCES", hide_env_values = true, requires = "store")]
    nonces: Option<SecretUrl>,
    /// A file whose first line is the password of `admin` at both consoles of trust. With sqlite:DIR there is one in the
    /// folder.
    #[arg(long, value_name = "FILE", requires = "store")]
    admin_password_file: Option<PathBuf>,
}

impl Options {
    fn start(&self) -> Result<Start> {
        if self.nonces.is_some() && !self.store.as_ref().is_some_and(Place::is_shared) {
            bail!("two nodes share their trust as well: give --store postgres://…");
        }
        // Who checks everything takes free ports, and logs in with the passwords everybody knows.
        let address = |typed: &str| if self.once { "127.0.0.1:0".to_owned() } else { typed.to_owned() };
        let in_place = || self.store.as_ref().map_or(Ok(None), Place::password_file);
        let password = match &self.admin_password_file {
            _ if self.once => None,
            Some(file) => Some(file.clone()),
            None => in_place()?,
        };
        Ok(Start {
            tracker: address(&self.tracker),
            wiki: address(&self.wiki),
            place: self.store.clone(),
            nonces: self.nonces.clone(),
            admin_password_file: password,
            set_up: true,
        })
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    example_support::init_logging();
    let options = Options::parse();
    if let Some(place) = &options.store {
        place.prepare().await?;
    }
    let start = options.start()?;
    if options.once {
        return once::run(&start).await;
    }
    let pair = Pair::start(&start).await?;
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
    match &start.admin_password_file {
        None => writeln!(out, "  admin / admin   sees 2 issues")?,
        Some(file) => writeln!(out, "  admin, with the password in {}, sees 2 issues", file.display())?,
    }
    writeln!(out, "  fred  / fred    sees 1")?;
    writeln!(out, "  ghost / ghost   is unknown to the tracker: sees none, and why")?;
    writeln!(out, "  nobody          sees none")?;
    if start.admin_password_file.is_some() {
        writeln!(out)?;
        writeln!(out, "Who is trusted, as admin with that password:")?;
        writeln!(out, "  {}admin/trust", pair.tracker_url)?;
        writeln!(out, "  {}admin/trust", pair.wiki_url)?;
    }
    writeln!(out, "Stop with Ctrl-C.")?;
    pair.wait().await?;
    Ok(ExitCode::SUCCESS)
}
