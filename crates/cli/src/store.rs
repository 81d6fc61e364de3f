//! Opening the store that the command line names.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use taa_core::crypto::{AwsLc, CryptoProvider};
use taa_core::time::{Clock, SystemClock, UnixMillis};
use taa_store::model::{OwnIdentity, Secrets, Snapshot};
use taa_store::seal::{SealError, SealKey};
use taa_store::{OpenOptions, Store, StoreError, StoreUrl};

use crate::args::Global;
use crate::exit::Failure;
use crate::output::Output;
use crate::{passphrase, secret_file};

/// The RSA operations of this command.
pub(crate) fn provider() -> Arc<dyn CryptoProvider> {
    Arc::new(AwsLc)
}

/// The system's time.
pub(crate) fn now() -> Result<UnixMillis, Failure> {
    SystemClock::new().wall().map_err(|error| Failure::of(&error))
}

/// Where the store is, read from the command line.
pub(crate) fn url(global: &Global) -> Result<StoreUrl, Failure> {
    StoreUrl::from_str(&global.store).map_err(|error| Failure::usage(format!("--store: {error}")))
}

/// The file of a store in SQLite.
pub(crate) fn file(global: &Global) -> Result<Option<PathBuf>, Failure> {
    let shown = url(global)?.to_string();
    Ok(shown.strip_prefix("sqlite:").map(PathBuf::from))
}

/// What private keys are sealed under, as far as the command line tells.
pub(crate) fn seal(global: &Global, output: &Output) -> Result<SealKey, Failure> {
    if let Some(path) = &global.passphrase_file {
        return secret_file::read_passphrase(path, output).map(SealKey::Passphrase);
    }
    match &global.key_file {
        Some(path) => SealKey::from_key_file(path).map_err(|error| StoreError::Seal(error).into()),
        None => Ok(SealKey::default()),
    }
}

/// Opens the store. One in SQLite has to be there: a wrong folder must not make an empty one. Where a passphrase is needed and
/// none was named, a person is asked for it.
pub(crate) async fn open(global: &Global, output: &Output) -> Result<Store, Failure> {
    if let Some(path) = file(global)?
        && !path.exists()
    {
        return Err(Failure::not_found(format!(
            "there is no store at {}: name it with --store or TAA_STORE, or make one with `taa init`",
            path.display()
        )));
    }
    let url = url(global)?;
    match open_at(&url, seal(global, output)?).await {
        Err(StoreError::Seal(SealError::PassphraseNeeded)) => {
            Ok(open_at(&url, SealKey::Passphrase(passphrase::ask()?)).await?)
        }
        opened => Ok(opened?),
    }
}

/// Opens the store, and makes it when it is not there.
pub(crate) async fn open_or_make(global: &Global, seal: SealKey) -> Result<Store, Failure> {
    Ok(open_at(&url(global)?, seal).await?)
}

async fn open_at(url: &StoreUrl, seal: SealKey) -> Result<Store, StoreError> {
    Store::open(OpenOptions::new(url.clone(), provider()).seal(seal)).await
}

/// Who this application is.
pub(crate) fn own(snapshot: &Snapshot) -> Result<&OwnIdentity, Failure> {
    Ok(snapshot.own.as_ref().ok_or(StoreError::NoIdentity)?)
}

/// Its private keys.
pub(crate) fn secrets(snapshot: &Snapshot) -> Result<&Secrets, Failure> {
    Ok(snapshot.secrets.as_ref().ok_or(StoreError::NoIdentity)?)
}
