//! `taa`: the command of Trusted Applications Authentication.
//!
//! What a person does about trust: make this application's keys, set peers up and change their rules, look at the audit
//! trail, sign a request by hand, and find out why one was refused. It works on the same store as the service, which
//! sees every change within a second.
//!
//! Results go to standard output, remarks and questions to standard error. `--json` makes results for programs. The exit
//! code is one of [`exit::Exit`].

mod actor;
mod args;
mod command;
mod confirm;
mod exit;
mod output;
mod passphrase;
mod secret_file;
mod store;
mod style;
mod table;
mod text;
mod time;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    log_to_stderr(cli.global.verbose);
    let output = Output::new(cli.global.json);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command::run(cli, &output)),
        Err(error) => Err(exit::Failure::failed(format!("no runtime can be made: {error}"))),
    };
    let exit = ended.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    exit.into()
}

/// Errors only; each `-v` adds a level.
fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => tracing_subscriber::filter::LevelFilter::ERROR,
        1 => tracing_subscriber::filter::LevelFilter::WARN,
        2 => tracing_subscriber::filter::LevelFilter::INFO,
        _ => tracing_subscriber::filter::LevelFilter::DEBUG,
    };
    // Fails only when one is set already.
    let _never = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .without_time()
        .with_ansi(style::stderr_is_coloured())
        .try_init();
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
