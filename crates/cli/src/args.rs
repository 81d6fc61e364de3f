//! The command line. What is said here is the manual: `docs/cli.md` is made of it.

mod keys;
mod peers;
mod requests;
mod trail;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

pub(crate) use keys::{CertificateCommand, InitArgs, KeyCommand, ResealArgs, RotateArgs};
pub(crate) use peers::{
    AddArgs, BaseUrlArgs, Protocol, RefreshArgs, RulesArgs, ServerAddArgs, ServerCommand, ServerSetArgs,
    TrustCommand, TrustSetArgs,
};
pub(crate) use requests::{CheckArgs, ExplainArgs, SignArgs};
pub(crate) use trail::{AuditCommand, AuditListArgs, DoctorArgs};

use crate::exit::EXIT_CODES;

/// Trusted Applications Authentication: keys, peers, audit trail, and why a request was refused.
///
/// One application (a wiki) calls another (an issue tracker) on behalf of its logged-in user. This command works on the
/// store of one of them: its own keys, the applications it trusts (incoming), and the servers it calls (outgoing). The
/// service that uses the same store sees a change within a second.
#[derive(Debug, Parser)]
#[command(name = "taa", version, max_term_width = 100, arg_required_else_help = true, after_long_help = EXIT_CODES)]
#[command(after_help = "Exit codes and more: taa --help")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The store when none is named.
pub(crate) const DEFAULT_STORE: &str = "sqlite:taa.db";

/// Options of every command.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The store: sqlite:PATH, or postgres://USER@HOST/DATABASE
    #[arg(long, global = true, value_name = "URL", env = "TAA_STORE", hide_env_values = true)]
    #[arg(default_value = DEFAULT_STORE)]
    pub(crate) store: String,

    /// The private keys are sealed under the passphrase in this file; those in the clear will be. Without it a person on a
    /// terminal is asked
    #[arg(long, global = true, value_name = "FILE", env = "TAA_PASSPHRASE_FILE", hide_env_values = true)]
    #[arg(conflicts_with = "key_file")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// The private keys are sealed under this key file of 32 bytes; those in the clear will be
    #[arg(long, global = true, value_name = "FILE", env = "TAA_KEY_FILE", hide_env_values = true)]
    pub(crate) key_file: Option<PathBuf>,

    /// Write the result as JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say more about what is done; twice and three times for more
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArgs),
    /// This application's own keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Certificates: this application's own, and what a peer presents
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Applications that are trusted (incoming), and users nobody may name
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Servers that are called on behalf of users (outgoing)
    #[command(subcommand)]
    Server(ServerCommand),
    Check(CheckArgs),
    Sign(SignArgs),
    Explain(ExplainArgs),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    Doctor(DoctorArgs),
    /// Write a script that completes this command's words in a shell
    #[command(after_help = "Examples:\n  taa completions bash > /etc/bash_completion.d/taa\n  \
                            taa completions fish > ~/.config/fish/completions/taa.fish\n  \
                            taa completions zsh > \"${fpath[1]}/_taa\"")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual, as it is kept in docs/cli.md
    #[command(hide = true)]
    HelpMarkdown,
}
