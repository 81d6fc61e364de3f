//! Run with `cargo run -p taa-console --example openapi > crates/console/openapi.json`
//!
//! Writes the OpenAPI document of the REST interface, as it is checked in.

use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", taa_console::Console::openapi()?)?;
    Ok(())
}
