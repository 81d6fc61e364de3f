//! `taa key`: this application's own keys.

use serde::Serialize;
use taa_core::certificate::KeyStatus;
use taa_core::crypto::SystemRandom;
use taa_core::id::KeyId;
use taa_core::time::UnixMillis;
use taa_store::model::{ImportedKey, OwnKeyInfo};
use taa_store::seal::SealKey;
use taa_store::{Store, StoreError};

use super::{Context, rotate};
use crate::args::{KeyCommand, ResealArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::table::{Rows, key_id};
use crate::time::{day, relative};
use crate::view::OwnKey;
use crate::{actor, confirm, passphrase, secret_file, store, text};

pub(super) async fn run(context: Context<'_>, command: KeyCommand) -> Result<Exit, Failure> {
    let Context { global, output } = context;
    let store = store::open(global, output).await?;
    let done = match command {
        KeyCommand::List => list(output, &store),
        KeyCommand::Rotate(args) => rotate::run(output, &store, args).await,
        KeyCommand::Revoke { key, yes } => revoke(output, &store, &key, yes).await,
        KeyCommand::Export { key, out, stdout: _ } => {
            let key = find(&store, &key)?;
            let pem = store.export_key(key.id, &actor::current()).await?;
            match out {
                Some(path) => {
                    secret_file::write_new(&path, &pem)?;
                    let done = KeyDone { key: key.id.to_string(), done: "exported" };
                    output.result(&done, || format!("{} was written to {}", key.id, path.display()))?;
                }
                None => {
                    let whole = serde_json::json!({ "key": key.id.to_string(), "pem": *pem });
                    output.result(&whole, || pem.to_string())?;
                }
            }
            Ok(Exit::Fine)
        }
        KeyCommand::Import { purpose, file } => {
            let key = ImportedKey { purpose: purpose.into(), pkcs8_pem: secret_file::read(&file)? };
            let id = store.import_key(key, &actor::current()).await?;
            let done = KeyDone { key: id.to_string(), done: "imported" };
            output.result(&done, || format!("{id} was imported"))?;
            Ok(Exit::Fine)
        }
        KeyCommand::RemoveEnded => {
            let removed = store.remove_ended_keys(&actor::current()).await?;
            output.result(&serde_json::json!({ "removed": removed }), || {
                format!("{} removed", text::count(removed, "key was", "keys were"))
            })?;
            Ok(Exit::Fine)
        }
        KeyCommand::Reseal(args) => reseal(output, &store, args).await,
    };
    store.close().await;
    done
}

#[derive(Serialize)]
struct KeyDone {
    key: String,
    done: &'static str,
}

fn list(output: &Output, store: &Store) -> Result<Exit, Failure> {
    let snapshot = store.snapshot();
    let keys = &store::own(&snapshot)?.keys;
    let views: Vec<OwnKey> = keys.iter().map(OwnKey::of).collect();
    let now = store::now()?;
    output.result(&views, || {
        let mut rows =
            Rows::new(output, &["purpose", "status", "bits", "made", "ends", "last used", "key id"]).right(2);
        for key in keys {
            rows.row([
                key.purpose.to_string(),
                status(key, now),
                key.bits.to_string(),
                day(key.created.at),
                key.exp.map_or_else(String::new, |exp| relative(UnixMillis(exp.saturating_mul(1000)), now)),
                key.last_used.map_or_else(String::new, |at| relative(at, now)),
                key_id(output, &key.id),
            ]);
        }
        rows.into_text()
    })?;
    Ok(Exit::Fine)
}

fn status(key: &OwnKeyInfo, now: UnixMillis) -> String {
    if key.status == KeyStatus::Previous && !now.is_before(key.exp) {
        return "ended".to_owned();
    }
    key.status.to_string()
}

/// The one own key whose id begins like this.
fn find(store: &Store, typed: &str) -> Result<OwnKeyInfo, Failure> {
    let snapshot = store.snapshot();
    let keys = &store::own(&snapshot)?.keys;
    one_key(keys.iter().map(|key| (key.id, key.clone())), typed, "this application")
}

/// The one key whose id begins as typed.
pub(super) fn one_key<T>(
    keys: impl Iterator<Item = (KeyId, T)>,
    typed: &str,
    whose: &str,
) -> Result<T, Failure> {
    let typed = typed.trim();
    let mut found = keys.filter(|(id, _)| !typed.is_empty() && id.to_string().starts_with(typed));
    match (found.next(), found.next()) {
        (Some((_, key)), None) => Ok(key),
        (None, _) => Err(Failure::not_found(format!(
            "{whose} has no key whose id begins with `{}`",
            text::plain(typed)
        ))),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "several keys begin with `{}`: write more of the id",
            text::plain(typed)
        ))),
    }
}

async fn revoke(output: &Output, store: &Store, typed: &str, yes: bool) -> Result<Exit, Failure> {
    let key = find(store, typed)?;
    confirm::unless(
        yes,
        output,
        &format!(
            "The {} key {} ({}) is deleted for ever, and a person has to look at every peer.",
            key.purpose, key.id, key.status
        ),
    )?;
    let snapshot = store.revoke_own_key(key.id, &actor::current()).await?;
    let certificate = &store::own(&snapshot)?.certificate;
    let done = serde_json::json!({
        "key": key.id.to_string(),
        "done": "revoked",
        "fingerprint": certificate.fingerprint().to_string(),
        "seq": certificate.content().seq,
    });
    output.result(&done, || {
        format!(
            "{} was revoked. Certificate number {} has the fingerprint\n{}",
            key.id,
            certificate.content().seq,
            certificate.fingerprint()
        )
    })?;
    output.remark(
        "At every peer that trusts or calls this application a person now has to fetch its certificate and compare the \
         fingerprint: taa trust refresh ID --compare",
    );
    Ok(Exit::Fine)
}

async fn reseal(output: &Output, store: &Store, args: ResealArgs) -> Result<Exit, Failure> {
    let seal = match (&args.to_passphrase_file, &args.to_key_file, &args.to_new_key_file) {
        _ if args.to_new_passphrase => SealKey::Passphrase(passphrase::choose()?),
        (Some(path), ..) => SealKey::Passphrase(secret_file::read_passphrase(path, output)?),
        (_, Some(path), _) => SealKey::from_key_file(path).map_err(StoreError::Seal)?,
        (.., Some(path)) => SealKey::make_key_file(path, &SystemRandom).map_err(StoreError::Seal)?,
        _ => SealKey::InsecureNone,
    };
    store.reseal(seal, &actor::current()).await?;
    let sealed = store.is_sealed();
    output.result(&serde_json::json!({ "sealed": sealed }), || {
        if sealed { "The private keys are sealed anew." } else { "The private keys are no longer sealed." }
            .to_owned()
    })?;
    if !sealed {
        output.remark("Warning: whoever can read the database can now act as this application.");
    }
    Ok(Exit::Fine)
}
