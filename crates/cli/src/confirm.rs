//! Questions to a person, who answers on a terminal.

use std::io::{self, BufRead, IsTerminal};

use crate::exit::Failure;
use crate::output::Output;

/// Asks until the end of one line. Only the whole word `yes` is one.
///
/// Without a terminal nobody can answer: then `instead` says what to give on the command line.
pub(crate) fn ask(output: &Output, question: &str, instead: &str) -> Result<(), Failure> {
    if !somebody_is_there() {
        return Err(Failure::not_confirmed(format!("nobody can be asked here: {instead}")));
    }
    output.remark(&format!("{question} Type yes to go on:"));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::failed(format!("the answer cannot be read: {error}")))?;
    if answer.trim() == "yes" {
        Ok(())
    } else {
        Err(Failure::not_confirmed("it was not confirmed: nothing was changed"))
    }
}

/// Whether there is a terminal on which a person can be asked and answer.
pub(crate) fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// As [`ask`], for what is no matter of trust: `--yes` answers it.
pub(crate) fn unless(yes: bool, output: &Output, question: &str) -> Result<(), Failure> {
    if yes { Ok(()) } else { ask(output, question, "say --yes") }
}
