//! The passphrase, from a person on a terminal.

use zeroize::Zeroizing;

use crate::confirm::somebody_is_there;
use crate::exit::{Exit, Failure};

/// Asks for the passphrase that the private keys are sealed under; what is typed is not shown.
///
/// Without a terminal nobody can answer.
pub(crate) fn ask() -> Result<Zeroizing<String>, Failure> {
    if !somebody_is_there() {
        return Err(Failure::new(
            Exit::Sealed,
            "the private keys of this store are sealed under a passphrase: name the file it stands in with \
             --passphrase-file or TAA_PASSPHRASE_FILE",
        ));
    }
    typed("Passphrase of the store: ")
}

/// Asks for a new passphrase, twice.
pub(crate) fn choose() -> Result<Zeroizing<String>, Failure> {
    if !somebody_is_there() {
        return Err(Failure::usage(
            "nobody can be asked for a passphrase here: name a file that it stands in",
        ));
    }
    let (first, second) = (typed("New passphrase: ")?, typed("The same again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::not_confirmed("the two are not the same: nothing was changed"))
    }
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let typed = rpassword::prompt_password(prompt).map(Zeroizing::new);
    let typed = typed.map_err(|error| Failure::failed(format!("the passphrase cannot be read: {error}")))?;
    if typed.is_empty() {
        return Err(Failure::new(Exit::Sealed, "no passphrase was typed"));
    }
    Ok(typed)
}
