//! Where the store is, and who can read it.

use std::path::{Path, PathBuf};

use taa_store::Store;

use super::Findings;
use crate::args::Global;
use crate::exit::Failure;
use crate::{secret_file, store};

/// The files: the database with its log, and those that open the private keys.
pub(super) fn look(global: &Global, findings: &mut Findings) -> Result<(), Failure> {
    if let Some(path) = store::file(global)? {
        let siblings = ["", "-wal", "-shm"].map(|end| {
            let mut name = path.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        });
        let open: Vec<&PathBuf> =
            siblings.iter().filter(|path| secret_file::open_to_others(path) != 0).collect();
        match open.first() {
            Some(first) => findings.warn(
                "store file",
                format!("others than its owner can get at {}", first.display()),
                "chmod 600, unless the group is meant to run this command. Sealed keys stay sealed all the same; names, \
                 rules and the audit trail do not.",
            ),
            None if path.exists() => {
                findings.ok("store file", format!("{} is its owner's alone", path.display()));
            }
            None => {}
        }
    }
    look_at_secret("passphrase file", global.passphrase_file.as_deref(), findings);
    look_at_secret("key file", global.key_file.as_deref(), findings);
    Ok(())
}

fn look_at_secret(what: &str, path: Option<&Path>, findings: &mut Findings) {
    let Some(path) = path else { return };
    if secret_file::open_to_others(path) != 0 {
        findings.bad(
            what,
            format!("others than its owner can get at {}", path.display()),
            "chmod 600, then seal the keys anew: taa key reseal",
        );
    } else if path.exists() {
        findings.ok(what, "is its owner's alone");
    }
}

pub(super) fn look_at_seal(store: &Store, findings: &mut Findings) {
    if store.is_sealed() {
        findings.ok("private keys", "are sealed");
    } else {
        findings.warn(
            "private keys",
            "are not sealed: whoever can read the database can act as this application",
            "taa key reseal --to-new-key-file FILE",
        );
    }
}
