//! Secrets that are handed to a command: through standard input, a file or the environment.
//!
//! Never as a flag's value, where they would stand in the shell's history and in the list of processes. Space around a
//! secret does not belong to it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use penstock_core::secret::Secret;

use crate::failure::Failure;
use crate::target::Env;

/// No credential is longer; more is a wrong file.
const MAX_BYTES: u64 = 64 * 1024;

const SECRET: &str = "the secret";
const LITERAL: &str = "a secret does not belong on the command line, where the shell's history keeps it\nPass - and pipe it \
     in, or use the option for a file or an environment variable.";

/// The value of a flag for a secret. Only `-` is taken; what else stood there is not kept, so that no error repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Stdin,
    OnTheCommandLine,
}

/// A provider's credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(crate) struct ApiKey {
    /// Environment variable that holds the provider's credential
    #[arg(long, value_name = "VAR")]
    api_key_env: Option<String>,

    /// File that holds the provider's credential
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,

    /// `-`: read the provider's credential from standard input
    #[arg(long, value_name = "-", allow_hyphen_values = true)]
    api_key: Option<Given>,
}

/// The password of a provider's proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(crate) struct ProxyPassword {
    /// Environment variable that holds the password of the proxy's user
    #[arg(help_heading = "Connections", long, value_name = "VAR")]
    proxy_password_env: Option<String>,

    /// File that holds the password of the proxy's user
    #[arg(help_heading = "Connections", long, value_name = "FILE")]
    proxy_password_file: Option<PathBuf>,

    /// `-`: read the password of the proxy's user from standard input
    #[arg(
        help_heading = "Connections",
        long,
        value_name = "-",
        allow_hyphen_values = true
    )]
    proxy_password: Option<Given>,
}

/// The secret of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(crate) struct KeySecret {
    /// `-`: read the secret from standard input
    #[arg(long, value_name = "-", allow_hyphen_values = true)]
    secret: Option<Given>,

    /// File that holds the secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// Environment variable that holds the secret
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
}

impl ApiKey {
    /// The credential; None when no flag was given.
    pub(crate) fn read(&self, env: Env<'_>) -> Result<Option<Secret>, Failure> {
        read(
            self.api_key,
            self.api_key_file.as_deref(),
            self.api_key_env.as_deref(),
            env,
        )
    }
}

impl ProxyPassword {
    /// The password; None when no flag was given. Standard input can hold only one secret.
    pub(crate) fn read(&self, env: Env<'_>, api_key: &ApiKey) -> Result<Option<Secret>, Failure> {
        if self.proxy_password == Some(Given::Stdin) && api_key.api_key == Some(Given::Stdin) {
            let problem = "--api-key - and --proxy-password - cannot both read standard input: use a file or a variable";
            return Err(Failure::Usage(problem.into()));
        }
        read(
            self.proxy_password,
            self.proxy_password_file.as_deref(),
            self.proxy_password_env.as_deref(),
            env,
        )
    }
}

impl KeySecret {
    /// The secret; None when no flag was given.
    pub(crate) fn read(&self, env: Env<'_>) -> Result<Option<Secret>, Failure> {
        read(
            self.secret,
            self.secret_file.as_deref(),
            self.secret_env.as_deref(),
            env,
        )
    }

    /// The secret, which must be given.
    pub(crate) fn require(&self, env: Env<'_>) -> Result<Secret, Failure> {
        let missing =
            || Failure::Usage("give the secret with --secret -, --secret-file or --secret-env".into());
        self.read(env)?.ok_or_else(missing)
    }
}

/// A text that is no secret.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| Failure::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}

/// The contents of a file with a secret.
pub(crate) fn file(path: &Path) -> Result<Secret, Failure> {
    let open = std::fs::File::open(path).map_err(|source| Failure::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    whole(open, &path.display().to_string(), SECRET)
}

/// From the one source that was named; None when none was.
pub(crate) fn read(
    dash: Option<Given>,
    path: Option<&Path>,
    variable: Option<&str>,
    env: Env<'_>,
) -> Result<Option<Secret>, Failure> {
    match dash {
        Some(Given::Stdin) => return stdin(SECRET).map(Some),
        Some(Given::OnTheCommandLine) => return Err(Failure::Usage(LITERAL.to_owned())),
        None => (),
    }
    if let Some(path) = path {
        return file(path).map(Some);
    }
    let Some(variable) = variable else {
        return Ok(None);
    };
    let value = env(variable)
        .map(|value| Secret::trimmed(&value))
        .filter(|secret| !secret.is_empty());
    let missing = || {
        Failure::Input(format!(
            "the environment variable {variable} is not set\nExport it, or use a file or standard input."
        ))
    };
    value.ok_or_else(missing).map(Some)
}

/// Standard input, which must hold it.
pub(crate) fn stdin(what: &str) -> Result<Secret, Failure> {
    whole(io::stdin().lock(), "standard input", what)
}

fn whole(reader: impl Read, from: &str, what: &str) -> Result<Secret, Failure> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let bytes = reader
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|_| Failure::Input(format!("{from} cannot be read as text")))?;
    if u64::try_from(bytes).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(Failure::Input(format!(
            "{from} is too long for a secret (over {MAX_BYTES} bytes)"
        )));
    }
    let secret = Secret::trimmed(&text);
    if secret.is_empty() {
        return Err(Failure::Input(format!("{from} is empty, but must hold {what}")));
    }
    Ok(secret)
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::OnTheCommandLine
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        api_key: ApiKey,
    }

    fn parse(arguments: &[&str]) -> Result<ApiKey, clap::Error> {
        Command::try_parse_from(std::iter::once(&"x").chain(arguments)).map(|command| command.api_key)
    }

    #[test]
    fn a_literal_secret_is_refused_with_the_hint_and_not_repeated() {
        let key = parse(&["--api-key", "sk-ant-123"]).unwrap();
        let failure = key.read(&|_| None).err().unwrap();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("Pass - and pipe it in"), "{failure}");
        assert!(!format!("{failure}{key:?}").contains("sk-ant-123"));
        assert_eq!(parse(&["--api-key", "-"]).unwrap().api_key, Some(Given::Stdin));
    }

    #[test]
    fn only_one_source_can_be_named() {
        assert!(parse(&["--api-key", "-", "--api-key-env", "X"]).is_err());
    }

    #[test]
    fn a_variable_is_read_and_trimmed() {
        let key = parse(&["--api-key-env", "MY_KEY"]).unwrap();
        let secret = key
            .read(&|name| (name == "MY_KEY").then(|| " sk-1 \n".to_owned()))
            .ok()
            .unwrap()
            .unwrap();
        assert!(secret.matches("sk-1"));
        assert!(
            key.read(&|_| None)
                .err()
                .unwrap()
                .to_string()
                .contains("MY_KEY is not set")
        );
    }

    #[test]
    fn a_file_or_a_stream_is_read_to_its_end_and_trimmed() {
        assert!(
            whole("  sk-2\n\n".as_bytes(), "test", SECRET)
                .ok()
                .unwrap()
                .matches("sk-2")
        );
        assert!(whole(io::repeat(b'x'), "test", SECRET).is_err());
        let empty = whole(" \n".as_bytes(), "standard input", "the code")
            .err()
            .unwrap();
        assert_eq!(
            empty.to_string(),
            "standard input is empty, but must hold the code"
        );
    }

    #[test]
    fn no_flag_is_no_secret() {
        assert!(parse(&[]).unwrap().read(&|_| None).ok().unwrap().is_none());
    }
}
