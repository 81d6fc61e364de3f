//! One module for each command.

mod add;
mod audit;
mod certificate;
mod check;
mod doctor;
mod explain;
mod init;
mod key;
mod manual;
mod refresh;
mod rotate;
mod rules;
mod server;
mod sign;
mod trust;

use clap::CommandFactory;

use crate::args::{Cli, Command, Global};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What every command works with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    pub(crate) global: &'c Global,
    pub(crate) output: &'c Output,
}

/// Does what the command line asks for.
pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let context = Context { global: &cli.global, output };
    match cli.command {
        Command::Init(args) => init::run(context, args).await,
        Command::Key(command) => key::run(context, command).await,
        Command::Certificate(command) => certificate::run(context, command).await,
        Command::Trust(command) => trust::run(context, command).await,
        Command::Server(command) => server::run(context, command).await,
        Command::Check(args) => check::run(context, args).await,
        Command::Sign(args) => sign::run(context, args).await,
        Command::Explain(args) => explain::run(context, args).await,
        Command::Audit(command) => audit::run(context, command).await,
        Command::Doctor(args) => doctor::run(context, args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "taa", &mut script);
            output.text(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Fine)
        }
        Command::HelpMarkdown => {
            output.text(&manual::markdown())?;
            Ok(Exit::Fine)
        }
    }
}
