use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use taa_core::key::KeySize;
use taa_store::model::KeyPurpose;

/// Make this application's identity: its id, its first keys and its certificate
///
/// The id names this application to others for ever. One id for each deployment: a clone of an application needs an id
/// and keys of its own. The base URL is where others reach it, and fetch its certificate.
///
/// Compare the fingerprint that is printed with the one a peer shows before you let it trust this application.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa init --id tracker:1 --name 'Issue tracker' --base-url https://tracker.example/jira \\
      --new-key-file /etc/taa/seal.key
  taa --passphrase-file pass.txt --store postgres://taa@db/taa init --id wiki:1 --name Wiki \\
      --base-url https://wiki.example")]
pub(crate) struct InitArgs {
    /// The application id: 1 to 128 of the characters A-Z a-z 0-9 . _ : -
    #[arg(long)]
    pub(crate) id: String,

    /// Its name for people
    #[arg(long)]
    pub(crate) name: String,

    /// Where others reach it
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: String,

    /// How long its keys are
    #[arg(long, value_enum, default_value_t = Bits::B3072)]
    pub(crate) bits: Bits,

    /// Make a new key file and seal the private keys under it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "key_file"])]
    pub(crate) new_key_file: Option<PathBuf>,

    /// Seal the private keys under a passphrase that is asked for, twice
    #[arg(long, conflicts_with_all = ["passphrase_file", "key_file", "new_key_file"])]
    pub(crate) new_passphrase: bool,
}

/// Lengths of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bits {
    #[value(name = "2048")]
    B2048,
    #[value(name = "3072")]
    B3072,
    #[value(name = "4096")]
    B4096,
}

impl From<Bits> for KeySize {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::B2048 => Self::Rsa2048,
            Bits::B3072 => Self::Rsa3072,
            Bits::B4096 => Self::Rsa4096,
        }
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// Opens envelopes of version 4
    Decryption,
    /// Signs requests of versions 2 and 3
    Legacy,
    /// Signs envelopes of version 4, and the certificate
    Signing,
}

impl From<Purpose> for KeyPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Decryption => Self::Decryption,
            Purpose::Legacy => Self::Legacy,
            Purpose::Signing => Self::Signing,
        }
    }
}

/// What is done with own keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List this application's keys
    #[command(after_help = "Examples:\n  taa key list\n  taa key list --json")]
    List,
    Rotate(RotateArgs),
    /// Take back a key that may have leaked
    ///
    /// It is no longer listed and its private part is deleted. If it was the current one, the next key takes its place,
    /// or a new one if there is none. A person then has to look at every peer: there the application has to be fetched
    /// and compared again.
    #[command(after_help = "Examples:\n  taa key revoke 3q2-7wAA\n  taa key revoke 3q2-7wAA --yes")]
    Revoke {
        /// The key's id, or how it begins
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Write a private key to a file: PKCS#8 in PEM, in the clear
    ///
    /// It is written into the audit trail first. Whoever has the key can act as this application.
    #[command(after_help = "Examples:\n  taa key export 3q2-7wAA --out backup.pem\n  \
                            taa key export 3q2-7wAA --stdout | age -p > backup.age")]
    Export {
        /// The key's id, or how it begins
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// A new file, which only its owner can read; one that is there is not overwritten
        #[arg(long, value_name = "FILE", required_unless_present = "stdout")]
        out: Option<PathBuf>,
        /// Write it to standard output
        #[arg(long, conflicts_with = "out")]
        stdout: bool,
    },
    /// Take a private key from a file: as the next key, or as the key of the older versions
    #[command(after_help = "Examples:\n  taa key import --purpose legacy old-confluence.pem\n  \
                            taa key import --purpose signing hsm-backup.pem")]
    Import {
        /// What it is for. One key, one purpose
        #[arg(long, value_enum)]
        purpose: Purpose,
        /// PKCS#8 in PEM
        file: PathBuf,
    },
    /// Delete keys whose time is over
    #[command(after_help = "Examples:\n  taa key remove-ended")]
    RemoveEnded,
    Reseal(ResealArgs),
}

/// Replace a key, in two steps a day apart
///
/// Alone it tells what is due. With --purpose the next key is made and published in the certificate. A day later, when
/// every peer has fetched that, --promote puts it in use; the one before is accepted for another 24 h 15 min.
///
/// The older versions know no rotation: `--purpose legacy` makes their key, if there is none.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa key rotate
  taa key rotate --purpose signing --purpose decryption
  taa key rotate --purpose signing --promote
  taa key rotate --purpose legacy")]
pub(crate) struct RotateArgs {
    /// Which key; may be given more than once
    #[arg(long, value_enum)]
    pub(crate) purpose: Vec<Purpose>,

    /// Put the next key in use
    #[arg(long, requires = "purpose")]
    pub(crate) promote: bool,

    /// Do not wait for the day: peers that have not fetched the certificate since refuse this application until they do
    #[arg(long, requires = "promote")]
    pub(crate) insecure_at_once: bool,
}

/// Seal the private keys under something else
///
/// Name what opens them now with the options of every command, and what seals them from now on with one of these.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  taa --passphrase-file old.txt key reseal --to-passphrase-file new.txt
  taa key reseal --to-new-key-file /etc/taa/seal.key")]
#[group(required = true, multiple = false)]
pub(crate) struct ResealArgs {
    /// Under the passphrase in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) to_passphrase_file: Option<PathBuf>,

    /// Under this key file
    #[arg(long, value_name = "FILE")]
    pub(crate) to_key_file: Option<PathBuf>,

    /// Under a new key file, which is made
    #[arg(long, value_name = "FILE")]
    pub(crate) to_new_key_file: Option<PathBuf>,

    /// Under a passphrase that is asked for, twice
    #[arg(long)]
    pub(crate) to_new_passphrase: bool,

    /// Under nothing: whoever can read the database can act as this application
    #[arg(long)]
    pub(crate) insecure_unsealed: bool,
}

/// What is done with certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Show this application's own certificate: fingerprint, number, keys
    #[command(
        after_help = "Examples:\n  taa certificate show\n  taa certificate show --document > certificate.jwt\n  \
                            taa certificate show --pem"
    )]
    Show {
        /// Write the document as it is served (a compact JWS)
        #[arg(long)]
        document: bool,
        /// Write the public keys in PEM
        #[arg(long, conflicts_with = "document")]
        pem: bool,
        /// Write the text page of the older versions, as it is served
        #[arg(long, conflicts_with_all = ["document", "pem"])]
        page: bool,
    },
    /// Show what a peer presents, and save nothing
    #[command(after_help = "Examples:\n  taa certificate fetch https://wiki.example\n  \
                            taa certificate fetch --older-versions https://old-wiki.example")]
    Fetch {
        /// The peer's base URL
        base_url: String,
        /// Allow plain http to another host: whoever is on the path can swap the certificate
        #[arg(long)]
        insecure_allow_http: bool,
        /// Fetch the page of the older versions
        #[arg(long)]
        older_versions: bool,
        /// Write the document as it came
        #[arg(long)]
        document: bool,
    },
    /// Change this application's name or base URL
    ///
    /// The certificate gets the next number. A person has to look at a changed base URL at every peer.
    #[command(after_help = "Examples:\n  taa certificate set --name 'Engineering wiki'\n  \
                            taa certificate set --base-url https://wiki.example/confluence")]
    #[command(arg_required_else_help = true)]
    Set {
        /// Its name for people
        #[arg(long)]
        name: Option<String>,
        /// Where others reach it
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
}
