//! The data directory of `penstock up` and the secrets in it.
//!
//! | file | what |
//! |---|---|
//! | `penstock.db` | configuration and ledger |
//! | `master.key` | seals provider credentials and the last known good snapshot |
//! | `admin.token` | what operators present |
//! | `demo.key` | the demo's key |
//! | `node/` | the data plane's spool and last known good snapshot |
//!
//! Secrets are made at the first start, with mode 0600 from the first moment, and never replaced. The demo has a
//! directory of its own below, so that trying it leaves nothing in a real installation.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use penstock_control_plane::credentials::create_master_key_file;
use penstock_core::api_key;
use penstock_core::secret::Secret;

use crate::failure::Failure;
use crate::target::Env;

/// An opened data directory.
pub(crate) struct Home {
    pub(crate) path: PathBuf,
    pub(crate) master_key_file: PathBuf,
    pub(crate) admin_token: Secret,
    /// The token was made by this start: it is shown once.
    pub(crate) new_token: bool,
}

impl Home {
    /// Makes what is missing.
    pub(crate) fn open(
        dir: Option<&Path>,
        demo: bool,
        token: Option<&str>,
        env: Env<'_>,
    ) -> Result<Self, Failure> {
        let mut path = match dir {
            Some(dir) => dir.to_owned(),
            None => default_path(env)?,
        };
        if demo {
            path.push("demo");
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|source| failed("make the directory", &path, source))?;
        let master_key_file = path.join("master.key");
        if !master_key_file.exists() {
            create_master_key_file(&master_key_file).map_err(Failure::other)?;
        }
        let (admin_token, new_token) = match token.map(Secret::trimmed).filter(|token| !token.is_empty()) {
            Some(token) => (token, false),
            None => kept_secret(&path.join("admin.token"), "pat_")?,
        };
        Ok(Self {
            path,
            master_key_file,
            admin_token,
            new_token,
        })
    }

    pub(crate) fn database_url(&self) -> Secret {
        Secret::new(format!("sqlite://{}", self.path.join("penstock.db").display()))
    }

    pub(crate) fn node_dir(&self) -> PathBuf {
        self.path.join("node")
    }

    /// The demo's key, the same over restarts.
    pub(crate) fn demo_key(&self) -> Result<Secret, Failure> {
        Ok(kept_secret(&self.path.join("demo.key"), api_key::DEFAULT_PREFIX)?.0)
    }

    /// What the node's last known good snapshot is sealed under.
    pub(crate) fn seal_key(&self) -> Result<Vec<u8>, Failure> {
        fs::read(&self.master_key_file).map_err(|source| failed("read", &self.master_key_file, source))
    }
}

/// The secret in the file, or a new one put there; true when it is new.
fn kept_secret(path: &Path, prefix: &str) -> Result<(Secret, bool), Failure> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok((Secret::trimmed(&text), false)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed("read", path, source)),
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|e| Failure::Input(format!("the system gives no randomness: {e}")))?;
    let secret = api_key::generate(prefix, &random);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        // Into a file that only its owner can read.
        writeln!(file, "{}", secret.expose())?;
        file.sync_all()
    };
    write().map_err(|source| failed("write", path, source))?;
    Ok((secret, true))
}

fn default_path(env: Env<'_>) -> Result<PathBuf, Failure> {
    let data = env("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let nowhere =
        || Failure::Input("there is no place for the state\nSet HOME, or give --data-dir.".to_owned());
    Ok(data.ok_or_else(nowhere)?.join("penstock"))
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn open(dir: &Path, demo: bool) -> Home {
        Home::open(Some(dir), demo, None, &|_| None).unwrap_or_else(|failure| panic!("{failure}"))
    }

    #[test]
    fn secrets_are_made_once_and_for_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), false);
        let second = open(dir.path(), false);
        assert!(first.new_token && !second.new_token);
        assert!(first.admin_token == second.admin_token);
        for file in ["master.key", "admin.token"] {
            let mode = fs::metadata(dir.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn the_demo_has_a_directory_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let (real, demo) = (open(dir.path(), false), open(dir.path(), true));
        assert_ne!(real.path, demo.path);
        assert!(real.admin_token != demo.admin_token);
    }

    #[test]
    fn a_token_from_the_environment_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(Some(dir.path()), false, Some(" given-token "), &|_| None)
            .ok()
            .unwrap();
        assert!(home.admin_token.matches("given-token") && !home.new_token);
        assert!(!dir.path().join("admin.token").exists());
    }

    #[test]
    fn without_a_home_the_message_says_what_to_do() {
        let failure = Home::open(None, false, None, &|_| None).err().unwrap();
        assert!(failure.to_string().contains("--data-dir"));
    }
}
