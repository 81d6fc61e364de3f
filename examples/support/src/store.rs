use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use taa_core::crypto::{AwsLc, SystemRandom};
use taa_core::id::AppId;
use taa_core::key::KeySize;
use taa_core::policy::Protocol;
use taa_store::model::{Actor, KeyPurpose, NewIdentity, OwnIdentity, Snapshot};
use taa_store::seal::SealKey;
use taa_store::{OpenOptions, Store, StoreError, StoreUrl};
use tokio::net::TcpListener;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::identity::IdentityArgs;

/// Where trust is kept, from the command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct StoreArgs {
    /// Where keys and trust are kept: sqlite:PATH, or postgres://USER@HOST/DATABASE. Without it trust lives as long as
    /// the process.
    #[arg(long, value_name = "URL", env = "TAA_STORE", hide_env_values = true, conflicts_with = "key_dir")]
    pub store: Option<StoreUrl>,
    /// A file whose first line is the passphrase that private keys are sealed under.
    #[arg(long, value_name = "FILE", requires = "store", conflicts_with = "key_file")]
    pub passphrase_file: Option<PathBuf>,
    /// A file with the 32 bytes that private keys are sealed under; made when there is none.
    #[arg(long, value_name = "FILE", requires = "store")]
    pub key_file: Option<PathBuf>,
}

/// A store with this application's identity in it, and a listener.
#[derive(Debug)]
pub struct Kept {
    /// Where trust is kept.
    pub store: Store,
    /// Where requests come in.
    pub listener: TcpListener,
    /// Where others reach this application.
    pub base_url: Url,
    /// What a person compares with what the other side shows.
    pub fingerprint: String,
}

/// How the audit trail names what options on the command line did.
#[must_use]
pub fn by_options() -> Actor {
    Actor::new("command line")
}

impl StoreArgs {
    /// Opens the store; none when no place is named.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(&self) -> Result<Option<Store>> {
        let Some(url) = &self.store else { return Ok(None) };
        let options = OpenOptions::new(url.clone(), Arc::new(AwsLc)).seal(self.seal()?);
        let store = Store::open(options).await.with_context(|| format!("cannot open the store {url}"))?;
        Ok(Some(store))
    }

    /// Where the application of this store lives, if it has an identity already.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub async fn lives_at(&self) -> Result<Option<Url>> {
        let Some(store) = self.open().await? else { return Ok(None) };
        let own = store.snapshot().own.as_ref().map(|own| own.certificate.content().base_url.clone());
        store.close().await;
        Ok(own)
    }

    fn seal(&self) -> Result<SealKey> {
        if let Some(file) = &self.key_file {
            let key = if file.exists() {
                SealKey::from_key_file(file)
            } else {
                SealKey::make_key_file(file, &SystemRandom)
            };
            return key.with_context(|| format!("the key file {}", file.display()));
        }
        let Some(file) = &self.passphrase_file else { return Ok(SealKey::InsecureNone) };
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let text = text.with_context(|| format!("cannot read the passphrase file {}", file.display()))?;
        let line = text.lines().next().unwrap_or_default();
        Ok(SealKey::Passphrase(Zeroizing::new(line.to_owned())))
    }
}

impl Kept {
    /// Opens the store and the listener, and makes the identity when the store has none yet. None when no store is
    /// named.
    ///
    /// An identity that is there stays as it is: the options may give it another base URL, which peers then have to look
    /// at, and never another id. Without `--base-url` it keeps the one it has; with port 0 it listens there again.
    ///
    /// # Errors
    /// When the store or the listener cannot be opened, or the options name another id.
    pub async fn open(
        listen: &str,
        args: &IdentityArgs,
        store: &StoreArgs,
        default_id: &str,
        name: &str,
    ) -> Result<Option<Self>> {
        let Some(store) = store.open().await? else { return Ok(None) };
        let known = store.snapshot().own.as_ref().map(|own| own.certificate.content().clone());
        let address = match &known {
            Some(known) if listen.ends_with(":0") && args.base_url.is_none() => {
                place(&known.base_url).unwrap_or_else(|| listen.to_owned())
            }
            _ => listen.to_owned(),
        };
        let listener =
            TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
        let listens_at: Url = format!("http://{}/", listener.local_addr()?).parse()?;
        let known = match known {
            Some(known) => known,
            None => {
                let base_url = args.base_url.clone().unwrap_or_else(|| listens_at.clone());
                make_identity(&store, args, default_id, name, base_url).await?
            }
        };
        if args.id.as_ref().is_some_and(|id| *id != known.iss) {
            bail!("the store is that of {}: another application needs a store of its own", known.iss);
        }
        let base_url = match &args.base_url {
            Some(wanted) if *wanted != known.base_url => {
                tracing::warn!(target: "taa", "the base URL is now {wanted}: whoever trusts this application has to look at it");
                store.change_profile(&known.name, wanted, &by_options()).await?;
                wanted.clone()
            }
            _ => known.base_url,
        };
        if args.base_url.is_none() && base_url != listens_at {
            tracing::warn!(target: "taa", "this application listens at {listens_at} and says that it lives at {base_url}");
        }
        let snapshot = with_key_for(&store, args.protocol).await?;
        let own = snapshot.own.as_ref().context("the store has no identity")?;
        let fingerprint = fingerprint(own, args.protocol);
        Ok(Some(Self { store, listener, base_url, fingerprint }))
    }
}

/// Makes the identity. Of several nodes that start at once one makes it, and the others take it.
async fn make_identity(
    store: &Store,
    args: &IdentityArgs,
    default_id: &str,
    name: &str,
    base_url: Url,
) -> Result<taa_core::certificate::Content> {
    let id = match &args.id {
        Some(id) => id.clone(),
        None => AppId::parse(default_id)?,
    };
    let new = NewIdentity { id, name: name.to_owned(), base_url, key_size: KeySize::Rsa2048 };
    let snapshot = match store.init(new, &by_options()).await {
        Err(StoreError::AlreadyInitialised(_)) => store.poll().await?,
        made => made?,
    };
    let own = snapshot.own.as_ref().context("the store has no identity")?;
    Ok(own.certificate.content().clone())
}

/// The older versions need a key of their own.
async fn with_key_for(store: &Store, protocol: Protocol) -> Result<Arc<Snapshot>> {
    let snapshot = store.snapshot();
    let has_one = snapshot.secrets.as_ref().is_some_and(|secrets| secrets.legacy.is_some());
    if protocol.is_legacy() && !has_one {
        match store.publish_next_key(KeyPurpose::Legacy, &by_options()).await {
            // Another node was quicker.
            Ok(_) | Err(StoreError::Key(_)) => return Ok(store.poll().await?),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(snapshot)
}

fn fingerprint(own: &OwnIdentity, protocol: Protocol) -> String {
    let legacy = own.keys.iter().find(|key| key.purpose == KeyPurpose::Legacy);
    match legacy {
        Some(key) if protocol.is_legacy() => key.id.to_string(),
        _ => own.certificate.fingerprint().to_string(),
    }
}

/// Where to listen for a base URL that names this machine's own address and port.
fn place(base_url: &Url) -> Option<String> {
    let port = base_url.port().filter(|_| base_url.scheme() == "http")?;
    match base_url.host()? {
        Host::Ipv4(address) => Some(format!("{address}:{port}")),
        Host::Ipv6(address) => Some(format!("[{address}]:{port}")),
        Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> IdentityArgs {
        IdentityArgs { id: None, key_dir: None, protocol: Protocol::V4, base_url: None }
    }

    fn in_folder(dir: &tempfile::TempDir) -> StoreArgs {
        let url = format!("sqlite:{}", dir.path().join("taa.db").display()).parse().unwrap();
        StoreArgs { store: Some(url), passphrase_file: None, key_file: Some(dir.path().join("seal.key")) }
    }

    async fn open(dir: &tempfile::TempDir, args: &IdentityArgs) -> Result<Kept> {
        Ok(Kept::open("127.0.0.1:0", args, &in_folder(dir), "wiki:1", "Wiki").await?.unwrap())
    }

    #[tokio::test]
    async fn the_identity_and_its_place_survive() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(&dir, &args()).await.unwrap();
        let (base_url, fingerprint) = (first.base_url.clone(), first.fingerprint.clone());
        assert!(first.store.is_sealed());
        first.store.close().await;
        drop(first);
        let again = open(&dir, &args()).await.unwrap();
        assert_eq!((again.base_url.clone(), again.fingerprint.clone()), (base_url, fingerprint));
        assert_eq!(again.listener.local_addr().unwrap().port(), again.base_url.port().unwrap());
        again.store.close().await;
        drop(again);

        let other = IdentityArgs { id: Some(AppId::parse("wiki:2").unwrap()), ..args() };
        assert!(open(&dir, &other).await.unwrap_err().to_string().contains("wiki:1"));
        let moved = IdentityArgs { base_url: Some("https://wiki.example/".parse().unwrap()), ..args() };
        let moved = open(&dir, &moved).await.unwrap();
        let own = moved.store.snapshot().own.clone().unwrap();
        assert_eq!(own.certificate.content().base_url.as_str(), "https://wiki.example/");
        assert_eq!(own.certificate.content().seq, 2);
    }

    #[tokio::test]
    async fn older_versions_have_a_key_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let args = IdentityArgs { protocol: Protocol::V3, ..args() };
        let first = open(&dir, &args).await.unwrap();
        let legacy = first.store.snapshot().secrets.as_ref().unwrap().legacy.clone().unwrap();
        assert_eq!(first.fingerprint, legacy.thumbprint().to_string());
        let fingerprint = first.fingerprint.clone();
        first.store.close().await;
        drop(first);
        assert_eq!(open(&dir, &args).await.unwrap().fingerprint, fingerprint);
    }

    #[tokio::test]
    async fn without_a_store_there_is_none() {
        let none = Kept::open("127.0.0.1:0", &args(), &StoreArgs::default(), "wiki:1", "Wiki").await;
        assert!(none.unwrap().is_none());
    }
}
