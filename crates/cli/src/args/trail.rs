use clap::{Args, Subcommand};

/// What is done with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    List(AuditListArgs),
    /// Read the whole trail and recompute it
    ///
    /// Each row holds a hash over itself and the one before. Write number and hash of the last row down somewhere else, and
    /// give them here later: then it shows that nothing before was changed or cut off.
    #[command(after_help = "Examples:\n  taa audit verify\n  taa audit verify --expect 4711:9f86d081…")]
    Verify {
        /// Number and hash of a row that was written down earlier
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<String>,
    },
}

/// List what was changed, when and by whom; the newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa audit list --since 7d
  taa audit list --subject wiki:1 --action application.changed
  taa audit list --before 200 --limit 50 --json")]
pub(crate) struct AuditListArgs {
    /// Only changes by this actor, such as cli:root
    #[arg(long)]
    pub(crate) actor: Option<String>,

    /// Only this action, such as application.added
    #[arg(long)]
    pub(crate) action: Option<String>,

    /// Only changes of this application, key or user
    #[arg(long)]
    pub(crate) subject: Option<String>,

    /// Not before: 2026-11-21, 2026-11-21T22:00:00Z, or how long ago (7d)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// Before
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,

    /// Only rows with a number below this: the next page
    #[arg(long, value_name = "SEQ")]
    pub(crate) before: Option<u64>,

    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

/// Look for what is wrong, or soon will be, and say what to do
///
/// Looks at the store and its file, own keys, certificate and audit trail, records of peers, and the nodes that run.
/// Unless --offline it also asks every peer for its certificate; nothing is taken over.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa doctor
  taa doctor --nonces redis://cache.example:6379/
  taa doctor --offline --json")]
pub(crate) struct DoctorArgs {
    /// Look at the Redis that nodes share their nonces in, too
    #[arg(long, value_name = "URL", env = "TAA_NONCES", hide_env_values = true)]
    pub(crate) nonces: Option<String>,

    /// Ask no peer
    #[arg(long)]
    pub(crate) offline: bool,
}
