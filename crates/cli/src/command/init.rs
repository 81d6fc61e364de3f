use serde::Serialize;
use taa_core::crypto::SystemRandom;
use taa_core::id::AppId;
use taa_store::StoreError;
use taa_store::model::NewIdentity;
use taa_store::seal::SealKey;

use super::Context;
use crate::args::InitArgs;
use crate::exit::{Exit, Failure};
use crate::table::Fields;
use crate::{actor, passphrase, store, text};

#[derive(Serialize)]
struct Made {
    id: String,
    name: String,
    base_url: String,
    fingerprint: String,
    store: String,
    sealed: bool,
    key_file: Option<String>,
}

pub(super) async fn run(context: Context<'_>, args: InitArgs) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let id = AppId::parse(&args.id).map_err(|error| Failure::usage(format!("--id: {error}")))?;
    let base_url = text::base_url(&args.base_url)?;
    if args.new_key_file.is_some() || args.new_passphrase {
        refuse_if_made(context).await?;
    }
    let seal = match &args.new_key_file {
        Some(path) => SealKey::make_key_file(path, &SystemRandom).map_err(StoreError::Seal)?,
        None if args.new_passphrase => SealKey::Passphrase(passphrase::choose()?),
        None => store::seal(global, output)?,
    };
    let store = store::open_or_make(global, seal).await?;
    let new = NewIdentity { id, name: args.name, base_url, key_size: args.bits.into() };
    let snapshot = store.init(new, &actor::current()).await?;
    let certificate = &store::own(&snapshot)?.certificate;
    let content = certificate.content();
    let made = Made {
        id: content.iss.to_string(),
        name: content.name.clone(),
        base_url: content.base_url.to_string(),
        fingerprint: certificate.fingerprint().to_string(),
        store: store::url(global)?.to_string(),
        sealed: store.is_sealed(),
        key_file: args.new_key_file.as_ref().map(|path| path.display().to_string()),
    };
    output.result(&made, || {
        let mut fields = Fields::new(output);
        fields.field("Application id", &made.id);
        fields.field("Name", &made.name);
        fields.field("Base URL", &made.base_url);
        fields.field("Fingerprint", &made.fingerprint);
        fields.field("Store", &made.store);
        fields.maybe("Key file", made.key_file.as_ref());
        fields.into_text()
    })?;
    if !made.sealed {
        output.remark(
            "Warning: the private keys are not sealed. Whoever can read the database can act as this application. Seal \
             them: taa key reseal --to-new-key-file FILE",
        );
    } else if args.new_key_file.is_some() {
        output.remark(
            "Whoever loses the key file loses the private keys: keep a copy of it apart from the database.",
        );
    }
    store.close().await;
    Ok(Exit::Fine)
}

/// Looked at before a secret is made: a second try must neither leave a key file behind nor seal the keys that are there
/// under it.
async fn refuse_if_made(context: Context<'_>) -> Result<(), Failure> {
    if store::file(context.global)?.is_some_and(|path| !path.exists()) {
        return Ok(());
    }
    let there = match store::open_or_make(context.global, SealKey::default()).await {
        Err(failure) if failure.exit == Exit::Sealed => {
            return Err(Failure::failed("there is a store already, with private keys that are sealed"));
        }
        opened => opened?,
    };
    let made = there.snapshot().own.as_ref().map(|own| own.certificate.content().iss.clone());
    there.close().await;
    match made {
        Some(id) => Err(StoreError::AlreadyInitialised(id).into()),
        None => Ok(()),
    }
}
