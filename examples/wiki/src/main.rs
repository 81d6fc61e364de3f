//! Run with `cargo run -p wiki -- --listen 127.0.0.1:8090 --server http://127.0.0.1:8080/`

use std::io::Write as _;

use anyhow::Result;
use clap::Parser as _;
use wiki::service::{Options, Service};

#[tokio::main]
async fn main() -> Result<()> {
    example_support::init_logging();
    let service = Service::bind(Options::parse()).await?;
    let identity = service.identity();
    let mut out = std::io::stdout();
    writeln!(out, "wiki {} at {}", identity.id(), service.base_url())?;
    writeln!(out, "  fingerprint  {}", service.fingerprint())?;
    service
        .run(|base_url, peer| {
            // Nobody listening to what is printed is no reason to stop.
            let _printed = writeln!(
                std::io::stdout(),
                "asks {} at {base_url}\n  fingerprint  {}\n  compare it with what that application shows",
                peer.id(),
                peer.fingerprint()
            );
        })
        .await
}
