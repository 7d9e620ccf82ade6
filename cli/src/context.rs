//! The context file: where the last `penstock up` listens and the token it takes, so that commands need no flags.
//!
//! It is JSON, `{"server": URL, "token": TOKEN}`, at `$XDG_CONFIG_HOME/penstock/context.json` (else
//! `~/.config/penstock/context.json`), with mode 0600 since it holds the admin token. It is replaced as a whole: a
//! reader sees the old one or the new one. A file that others can read is used, with a warning.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use penstock_core::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::output;
use crate::private_file;
use crate::target::Env;

/// What the file says.
#[derive(Clone)]
pub(crate) struct Context {
    /// URL of the control plane's gRPC.
    pub server: String,
    pub token: Secret,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    server: std::borrow::Cow<'a, str>,
    token: std::borrow::Cow<'a, str>,
}

/// Where the file is; None when neither `XDG_CONFIG_HOME` nor `HOME` is set.
pub(crate) fn path(env: Env<'_>) -> Option<PathBuf> {
    let config = env("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(config.join("penstock").join("context.json"))
}

/// Reads the file. None when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Context>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", path, source)),
    };
    if fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        output::remark(format_args!(
            "warning: others can read {}, which holds the admin token; run chmod 600 on it",
            path.display()
        ));
    }
    // The parser's own message could quote the token.
    let stored: Stored<'_> = serde_json::from_str(&text).map_err(|_| {
        Failure::Input(format!(
            "{} is not a context file\nDelete it; `penstock up` writes a new one.",
            path.display()
        ))
    })?;
    Ok(Some(Context {
        server: stored.server.into_owned(),
        token: Secret::new(stored.token),
    }))
}

/// Replaces the file.
pub(crate) fn write(path: &Path, context: &Context) -> Result<(), Failure> {
    let stored = Stored {
        server: context.server.as_str().into(),
        // Into a file that only its owner can read.
        token: context.token.expose().into(),
    };
    let text = serde_json::to_string_pretty(&stored).map_err(Failure::other)?;
    replace(path, &text).map_err(|source| failed("write", path, source))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = private_file::create(&fresh)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Failure {
    Failure::File {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(token: &str) -> Context {
        Context {
            server: "http://127.0.0.1:9090".into(),
            token: Secret::new(token),
        }
    }

    #[test]
    fn the_file_is_in_the_configuration_folder() {
        let xdg = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/x".to_owned());
        assert_eq!(path(&xdg), Some("/x/penstock/context.json".into()));
        let home = |name: &str| (name == "HOME").then(|| "/home/a".to_owned());
        assert_eq!(path(&home), Some("/home/a/.config/penstock/context.json".into()));
        assert_eq!(path(&|_| None), None);
    }

    #[test]
    fn what_was_written_is_read_and_only_by_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("penstock").join("context.json");
        write(&path, &context("first")).unwrap();
        write(&path, &context("second")).unwrap();
        let read = read(&path).unwrap().unwrap();
        assert_eq!(read.server, "http://127.0.0.1:9090");
        assert!(read.token.matches("second"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn no_file_is_no_context() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("context.json")).unwrap().is_none());
    }

    #[test]
    fn a_broken_file_is_an_error_that_does_not_quote_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.json");
        fs::write(&path, r#"{"token": "secret-token", "server": 3}"#).unwrap();
        let failure = read(&path).err().unwrap().to_string();
        assert!(failure.contains("is not a context file"), "{failure}");
        assert!(!failure.contains("secret-token"));
    }
}
