use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use taa_core::crypto::{AwsLc, Random, SystemRandom};
use taa_core::id::AppId;
use taa_core::identity::{Identity, OwnKey, Profile};
use taa_core::key::{DecryptingKey, KeySize, SigningKey};
use taa_core::legacy::LegacySigningKey;
use taa_core::policy::Protocol;
use taa_core::time::{Clock, SystemClock};
use url::Url;

use crate::secret_file::{read, write as write_secret};

/// Who this application is, from the command line.
#[derive(Clone, Debug, clap::Args)]
pub struct IdentityArgs {
    /// The application id. One for each deployment; a clone needs its own.
    #[arg(long)]
    pub id: Option<AppId>,
    /// A folder for the private keys; made with new keys when it has none. Without it keys live as long as the process.
    #[arg(long, value_name = "DIR")]
    pub key_dir: Option<PathBuf>,
    /// The protocol version to speak with peers. 2 and 3 are for old peers: see SECURITY.md.
    #[arg(long, value_name = "2|3|4", default_value = "4")]
    pub protocol: Protocol,
    /// Where others reach this application; http://ADDR by default.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<Url>,
}

/// The identity with its keys.
#[derive(Debug)]
pub struct OwnIdentity {
    /// Of version 4.
    pub identity: Identity,
    /// The key of versions 2 and 3, when they are spoken.
    pub legacy_key: Option<LegacySigningKey>,
}

impl OwnIdentity {
    /// What others see of this application when they take its certificate, for a person to compare: the fingerprint,
    /// or for the older versions the thumbprint of the key on the page.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match &self.legacy_key {
            Some(key) => key.thumbprint().to_string(),
            None => self.identity.certificate().fingerprint().to_string(),
        }
    }
}

/// What a certificate's number stands for: it goes up when any of this changes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Issue {
    seq: u64,
    iat: u64,
    id: AppId,
    name: String,
    base_url: Url,
    protocol: Protocol,
}

impl IdentityArgs {
    /// Loads or makes the keys, and the certificate over them.
    ///
    /// # Errors
    /// When the folder cannot be used or holds something that is no key.
    pub fn open(&self, default_id: &str, name: &str, base_url: &Url) -> Result<OwnIdentity> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => AppId::parse(default_id)?,
        };
        let (signing, decryption, legacy_key) = match &self.key_dir {
            None => (
                SigningKey::generate(&AwsLc, KeySize::Rsa2048)?,
                DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?,
                (self.protocol < Protocol::V4).then(generate_legacy).transpose()?,
            ),
            Some(dir) => self.load(dir)?,
        };
        let now = SystemClock::new().wall()?.seconds();
        let mut issue = Issue {
            seq: 1,
            iat: now,
            id,
            name: name.into(),
            base_url: base_url.clone(),
            protocol: self.protocol,
        };
        if let Some(dir) = &self.key_dir {
            issue = next_issue(&dir.join("certificate.json"), issue)?;
        }
        let profile = Profile {
            id: issue.id,
            name: issue.name,
            base_url: issue.base_url,
            seq: issue.seq,
            iat: issue.iat,
            older_protocols: match self.protocol {
                Protocol::V2 => vec![2],
                Protocol::V3 => vec![3],
                _ => Vec::new(),
            },
        };
        let identity =
            Identity::new(profile, vec![OwnKey::current(signing)], vec![OwnKey::current(decryption)])?;
        Ok(OwnIdentity { identity, legacy_key })
    }

    fn load(&self, dir: &Path) -> Result<(SigningKey, DecryptingKey, Option<LegacySigningKey>)> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        let signing = match read(&dir.join("signing.pem"))? {
            Some(pem) => SigningKey::from_pkcs8_pem(&AwsLc, &pem).context("signing.pem")?,
            None => {
                let key = SigningKey::generate(&AwsLc, KeySize::Rsa2048)?;
                write_secret(&dir.join("signing.pem"), &key.expose_pkcs8_pem())?;
                key
            }
        };
        let decryption = match read(&dir.join("decryption.pem"))? {
            Some(pem) => DecryptingKey::from_pkcs8_pem(&AwsLc, &pem).context("decryption.pem")?,
            None => {
                let key = DecryptingKey::generate(&AwsLc, KeySize::Rsa2048)?;
                write_secret(&dir.join("decryption.pem"), &key.expose_pkcs8_pem())?;
                key
            }
        };
        if self.protocol == Protocol::V4 {
            return Ok((signing, decryption, None));
        }
        let legacy = match read(&dir.join("legacy.pem"))? {
            Some(pem) => LegacySigningKey::from_pkcs8_pem(&pem).context("legacy.pem")?,
            None => {
                let key = generate_legacy()?;
                write_secret(&dir.join("legacy.pem"), &key.expose_pkcs8_pem()?)?;
                key
            }
        };
        Ok((signing, decryption, Some(legacy)))
    }
}

fn generate_legacy() -> Result<LegacySigningKey> {
    Ok(LegacySigningKey::generate(&mut |out: &mut [u8]| SystemRandom.fill(out))?)
}

/// The number of the certificate: the one in the file when nothing has changed, the next one otherwise.
fn next_issue(file: &Path, wanted: Issue) -> Result<Issue> {
    let before: Option<Issue> = match read(file)? {
        Some(text) => Some(serde_json::from_str(&text).with_context(|| file.display().to_string())?),
        None => None,
    };
    let issue = match before {
        Some(before) if Issue { seq: wanted.seq, iat: wanted.iat, ..before_of(&before) } == wanted => before,
        Some(before) => Issue { seq: before.seq + 1, ..wanted },
        None => wanted,
    };
    let text = serde_json::to_string_pretty(&issue)?;
    write_secret(file, &text)?;
    Ok(issue)
}

fn before_of(before: &Issue) -> Issue {
    Issue { id: before.id.clone(), name: before.name.clone(), base_url: before.base_url.clone(), ..*before }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(dir: &Path) -> IdentityArgs {
        IdentityArgs { id: None, key_dir: Some(dir.into()), protocol: Protocol::V3, base_url: None }
    }

    #[test]
    fn keys_and_number_survive_and_the_number_goes_up_with_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let url: Url = "http://127.0.0.1:1/".parse().unwrap();
        let first = args(dir.path()).open("wiki:1", "Wiki", &url).unwrap();
        let again = args(dir.path()).open("wiki:1", "Wiki", &url).unwrap();
        assert_eq!(first.identity.certificate().content(), again.identity.certificate().content());
        assert_eq!(
            first.legacy_key.map(|key| key.thumbprint()),
            again.legacy_key.map(|key| key.thumbprint())
        );
        let renamed = args(dir.path()).open("wiki:1", "Our wiki", &url).unwrap();
        assert_eq!(renamed.identity.certificate().content().seq, 2);
        assert_eq!(renamed.identity.certificate().fingerprint(), first.identity.certificate().fingerprint());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_keys() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        args(dir.path()).open("wiki:1", "Wiki", &"http://127.0.0.1:1/".parse().unwrap()).unwrap();
        for name in ["signing.pem", "decryption.pem", "legacy.pem"] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }

    #[test]
    fn rubbish_in_the_folder_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("signing.pem"), "rubbish").unwrap();
        assert!(args(dir.path()).open("wiki:1", "Wiki", &"http://h/".parse().unwrap()).is_err());
    }
}
