//! Where a passphrase comes from: a file, a variable, standard input, or the terminal, without showing it.

use std::io::IsTerminal;
use std::path::PathBuf;

use penstock_core::secret::Secret;

use crate::failure::Failure;
use crate::input::{self, Given};
use crate::target::process_env;

/// Shorter ones can be tried out.
const MIN_CHARS: usize = 12;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Passphrase {
    /// Environment variable that holds the passphrase of an encrypted backup
    #[arg(long, value_name = "VAR")]
    passphrase_env: Option<String>,

    /// File that holds the passphrase of an encrypted backup
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,

    /// `-`: read the passphrase of an encrypted backup from standard input
    #[arg(long, value_name = "-", allow_hyphen_values = true)]
    passphrase: Option<Given>,
}

impl Passphrase {
    /// Of a new backup: on a terminal asked twice.
    pub(crate) fn chosen(&self) -> Result<Secret, Failure> {
        let passphrase = match self.given()? {
            Some(given) => given,
            None => {
                let first = ask("Passphrase of the backup: ")?;
                match ask("The same again: ")?.matches(first.expose()) {
                    true => first,
                    false => return Err(Failure::Input("these are two different passphrases".into())),
                }
            }
        };
        // Only counted.
        if passphrase.expose().chars().count() < MIN_CHARS {
            let problem = format!(
                "the passphrase is too short: whoever has the file could try it out\nUse at least {MIN_CHARS} characters."
            );
            return Err(Failure::Input(problem));
        }
        Ok(passphrase)
    }

    /// Of a backup that is there.
    pub(crate) fn known(&self) -> Result<Secret, Failure> {
        match self.given()? {
            Some(given) => Ok(given),
            None => ask("Passphrase of the backup: "),
        }
    }

    fn given(&self) -> Result<Option<Secret>, Failure> {
        input::read(
            self.passphrase,
            self.passphrase_file.as_deref(),
            self.passphrase_env.as_deref(),
            &process_env,
        )
    }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    if !std::io::stdin().is_terminal() {
        let missing =
            "an encrypted backup needs its passphrase: --passphrase-file, --passphrase-env or --passphrase -";
        return Err(Failure::Usage(missing.into()));
    }
    let read = rpassword::prompt_password(prompt);
    let read = read.map(zeroize::Zeroizing::new)?;
    Ok(Secret::new(read.as_str()))
}
