//! The passphrase, from a person on a terminal.

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// Asks for the passphrase that the private keys are sealed under; what is typed is not shown.
///
/// Without a terminal nobody can answer.
pub(crate) fn ask() -> Result<Zeroizing<String>, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::new(
            Exit::Sealed,
            "the private keys of this store are sealed under a passphrase: name the file it stands in with \
             --passphrase-file or TAA_PASSPHRASE_FILE",
        ));
    }
    let typed = rpassword::prompt_password("Passphrase of the store: ").map(Zeroizing::new);
    let typed = typed.map_err(|error| Failure::failed(format!("the passphrase cannot be read: {error}")))?;
    if typed.is_empty() {
        return Err(Failure::new(Exit::Sealed, "no passphrase was typed"));
    }
    Ok(typed)
}
