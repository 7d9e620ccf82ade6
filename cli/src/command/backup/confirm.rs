//! Asking before what cannot be taken back.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// Asks on the terminal; elsewhere the flag must have said it.
pub(super) fn ask(question: &str, answer: &str, flag: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "{question}\nThere is nobody to ask: say it with {flag}."
        )));
    }
    let mut err = std::io::stderr().lock();
    write!(err, "{question} Type {answer:?} to go on: ").and_then(|()| err.flush())?;
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    match typed.trim() == answer {
        true => Ok(()),
        false => Err(Failure::Input("nothing was done".into())),
    }
}
