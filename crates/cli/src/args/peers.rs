use clap::{Args, Subcommand, ValueEnum};

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    Yes,
    No,
}

impl From<YesNo> for bool {
    fn from(answer: YesNo) -> Self {
        answer == YesNo::Yes
    }
}

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    #[value(name = "2")]
    V2,
    #[value(name = "3")]
    V3,
    #[value(name = "4")]
    V4,
}

impl From<Protocol> for taa_core::policy::Protocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::V2 => Self::V2,
            Protocol::V3 => Self::V3,
            Protocol::V4 => Self::V4,
        }
    }
}

/// What is done about applications that are trusted.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    Add(AddArgs),
    /// List the applications that are trusted
    #[command(after_help = "Examples:\n  taa trust list\n  taa trust list --json | jq -r '.[].id'")]
    List,
    /// Show one application with its rules and keys
    #[command(after_help = "Examples:\n  taa trust show wiki:1")]
    Show {
        /// Its id
        id: String,
    },
    Set(Box<TrustSetArgs>),
    /// Trust an application again that was disabled
    #[command(after_help = "Examples:\n  taa trust enable wiki:1")]
    Enable {
        /// Its id
        id: String,
    },
    /// Stop trusting an application for a while; its record stays
    #[command(after_help = "Examples:\n  taa trust disable wiki:1")]
    Disable {
        /// Its id
        id: String,
    },
    /// Forget an application: it is trusted no longer
    #[command(after_help = "Examples:\n  taa trust remove wiki:1 --yes")]
    Remove {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    Refresh(RefreshArgs),
    /// Never accept one key of an application again, even when its certificate lists it
    #[command(after_help = "Examples:\n  taa trust revoke-key wiki:1 3q2-7wAA --yes")]
    RevokeKey {
        /// The application's id
        id: String,
        /// The key's id, or how it begins
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Let no application act as this user any more
    #[command(after_help = "Examples:\n  taa trust revoke-user fred\n  taa trust revoke-user 'svc-*'")]
    RevokeUser {
        /// A user name; * stands for any characters
        user: String,
    },
    /// Take that back
    #[command(after_help = "Examples:\n  taa trust restore-user fred")]
    RestoreUser {
        /// The name or pattern as it was revoked
        user: String,
    },
    /// List the users whom no application may act as
    #[command(after_help = "Examples:\n  taa trust revoked-users")]
    RevokedUsers,
}

/// Where a peer is, and how it is confirmed.
#[derive(Args, Debug)]
pub(crate) struct BaseUrlArgs {
    /// The peer's base URL
    pub(crate) base_url: String,

    /// Save it only if this is the fingerprint of what it presents, and do not ask. Take it from the other side's
    /// screen, never from what this command printed
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) fingerprint: Option<String>,

    /// Allow plain http to another host: whoever is on the path can swap the certificate
    #[arg(long)]
    pub(crate) insecure_allow_http: bool,

    /// Take the page of the older versions instead of the certificate
    #[arg(long)]
    pub(crate) older_versions: bool,
}

/// Trust an application: from then on it can act as every user its rules do not exclude
///
/// Its certificate is fetched and shown. Compare the fingerprint with the one the other side shows, over another channel
/// than the one it came by. On a terminal you are asked; elsewhere --fingerprint has to be the one that comes.
///
/// An application that is trusted already gets the keys that came; its rules stay but for those that are given.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa trust add https://wiki.example --paths '/rest /sr' --addresses 192.0.2.7
  taa trust add https://wiki.example --both --never-as 'admin, svc-*' \\
      --fingerprint 'ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567'")]
pub(crate) struct AddArgs {
    #[command(flatten)]
    pub(crate) peer: BaseUrlArgs,

    /// Call it as well: the two applications trust each other
    #[arg(long)]
    pub(crate) both: bool,

    /// With --both: how long a session with it lasts, in seconds
    #[arg(long, value_name = "SECONDS", requires = "both")]
    pub(crate) lifetime: Option<String>,

    /// With --both: accept its content only with a proven digest
    #[arg(long, requires = "both")]
    pub(crate) require_content_digest: bool,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,
}

/// An application's rules.
#[derive(Args, Debug)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RulesArgs {
    /// Its name for people
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Where it may call from: addresses and blocks, or any
    #[arg(long, value_name = "LIST")]
    pub(crate) addresses: Option<String>,

    /// What it may use: paths with all below them, or any
    #[arg(long, value_name = "LIST")]
    pub(crate) paths: Option<String>,

    /// How it may use them: methods, or any
    #[arg(long, value_name = "LIST")]
    pub(crate) methods: Option<String>,

    /// Users it may never act as; * stands for any characters
    #[arg(long, value_name = "LIST")]
    pub(crate) never_as: Option<String>,

    /// How old its requests may be, in milliseconds
    #[arg(long, value_name = "MS")]
    pub(crate) timeout: Option<String>,

    /// The lowest version it may speak; below 4 demands named addresses
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) min_protocol: Option<Protocol>,

    /// Whether requests of versions 2 and 3 may come twice; costs the protection against replay
    #[arg(long, value_enum, value_name = "YES/NO", hide_possible_values = true)]
    pub(crate) allow_repeats: Option<YesNo>,

    /// The server's greatest timeout in seconds, when it is not 60
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) greatest_timeout: Option<u64>,
}

/// Change single rules of an application; the others stay
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Examples:
  taa trust set wiki:1 --add-path /rest/api/2 --timeout 30000
  taa trust set wiki:1 --addresses '192.0.2.7, 2001:db8::/64' --remove-never-as svc-backup")]
pub(crate) struct TrustSetArgs {
    /// Its id
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) rules: RulesArgs,

    /// Allow one more address or block; may be given more than once
    #[arg(long, value_name = "ADDRESS", conflicts_with = "addresses")]
    pub(crate) add_address: Vec<String>,

    /// Allow an address or block no longer
    #[arg(long, value_name = "ADDRESS", conflicts_with = "addresses")]
    pub(crate) remove_address: Vec<String>,

    /// Allow one more path
    #[arg(long, value_name = "PATH", conflicts_with = "paths")]
    pub(crate) add_path: Vec<String>,

    /// Allow a path no longer
    #[arg(long, value_name = "PATH", conflicts_with = "paths")]
    pub(crate) remove_path: Vec<String>,

    /// Allow one more method
    #[arg(long, value_name = "METHOD", conflicts_with = "methods")]
    pub(crate) add_method: Vec<String>,

    /// Allow a method no longer
    #[arg(long, value_name = "METHOD", conflicts_with = "methods")]
    pub(crate) remove_method: Vec<String>,

    /// One more user it may never act as
    #[arg(long, value_name = "USER", conflicts_with = "never_as")]
    pub(crate) add_never_as: Vec<String>,

    /// It may act as this user again
    #[arg(long, value_name = "USER", conflicts_with = "never_as")]
    pub(crate) remove_never_as: Vec<String>,
}

/// Fetch peers' certificates again
///
/// A newer certificate is taken over when a key that is held has announced it. What that does not cover (a lost key, a
/// move) a person has to compare: name the peer and say --compare.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa trust refresh
  taa trust refresh wiki:1
  taa trust refresh wiki:1 --compare")]
pub(crate) struct RefreshArgs {
    /// Which; all when none is named
    pub(crate) id: Vec<String>,

    /// Show what one peer presents now, and take it if you confirm that it is the right one
    #[arg(long)]
    pub(crate) compare: bool,

    /// As --compare, and take it only if this is its fingerprint, without asking
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) fingerprint: Option<String>,
}

/// An id.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Its id
    pub(crate) id: String,
}

/// What is done about servers that are called.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    Add(ServerAddArgs),
    /// List the servers that are called
    #[command(after_help = "Examples:\n  taa server list")]
    List,
    /// Show one server
    #[command(after_help = "Examples:\n  taa server show tracker:1")]
    Show(ListArgs),
    Set(ServerSetArgs),
    /// Call a server again that was disabled
    #[command(after_help = "Examples:\n  taa server enable tracker:1")]
    Enable(ListArgs),
    /// Sign nothing for a server for a while; its record stays
    #[command(after_help = "Examples:\n  taa server disable tracker:1")]
    Disable(ListArgs),
    /// Forget a server: nothing is signed for it any more
    #[command(after_help = "Examples:\n  taa server remove tracker:1 --yes")]
    Remove {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    Refresh(RefreshArgs),
}

/// Call a server on behalf of users from now on
///
/// Its certificate is fetched and shown; compare the fingerprint as with `taa trust add`. The server has to trust this
/// application as well.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa server add https://tracker.example/jira
  taa server add https://tracker.example/jira --fingerprint 'ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567'")]
pub(crate) struct ServerAddArgs {
    #[command(flatten)]
    pub(crate) peer: BaseUrlArgs,

    /// Its name for people; the one it gives itself when left out
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// How long a session with it lasts, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lifetime: Option<String>,

    /// Accept its content only with a proven digest
    #[arg(long)]
    pub(crate) require_content_digest: bool,
}

/// Change a server; what is not named stays
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Examples:
  taa server set tracker:1 --lifetime 600
  taa server set tracker:1 --base-url https://inner.example/jira
  taa server set tracker:1 --protocol 4")]
pub(crate) struct ServerSetArgs {
    /// Its id
    pub(crate) id: String,

    /// Its name for people
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Where this application reaches it
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// The version it is called in. 4 needs its certificate; 2 and 3 prove less, and need a key of this application's own:
    /// taa key rotate --purpose legacy
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(crate) protocol: Option<Protocol>,

    /// How long a session with it lasts: 1 to 900 seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lifetime: Option<u32>,

    /// Whether its content is accepted only with a proven digest
    #[arg(long, value_enum, value_name = "YES/NO", hide_possible_values = true)]
    pub(crate) require_content_digest: Option<YesNo>,

    /// Whether plain http to another host is allowed: everybody on the way reads along
    #[arg(long, value_enum, value_name = "YES/NO", hide_possible_values = true)]
    pub(crate) insecure_allow_http: Option<YesNo>,
}
