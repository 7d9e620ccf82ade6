//! The master key in a file: read at start, made by `penstock up` on its first.
//!
//! A new file is made with mode 0600 from the first moment and never replaces one that is there: a master key that is
//! overwritten is every credential lost. A file that others can read works, with a warning.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::master_key::{MasterKey, MasterKeyError};

/// A key and what is wrong with the way it is kept.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct LoadedKey {
    pub key: MasterKey,
    /// For the log.
    pub warning: Option<String>,
}

/// Why a key file cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the master key file {path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the master key file {path} cannot be made: {source}")]
    Create { path: PathBuf, source: io::Error },
    #[error("the master key file {path} cannot be used: {source}")]
    Malformed { path: PathBuf, source: MasterKeyError },
}

/// Reads the key from a file.
pub fn load_master_key_file(path: &Path) -> Result<LoadedKey, KeyFileError> {
    let read = |source| KeyFileError::Read {
        path: path.to_owned(),
        source,
    };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(read)?);
    let key = MasterKey::parse(&text).map_err(|source| KeyFileError::Malformed {
        path: path.to_owned(),
        source,
    })?;
    let mode = mode(&fs::metadata(path).map_err(read)?);
    let warning = (mode & 0o077 != 0).then(|| {
        let path = path.display();
        format!("the master key file {path} has mode {mode:04o}, so that others can read it; run: chmod 600 {path}")
    });
    Ok(LoadedKey { key, warning })
}

/// Makes a random key and keeps it in a new file of mode 0600. Fails when the file is there already.
pub fn create_master_key_file(path: &Path) -> Result<MasterKey, KeyFileError> {
    let key = MasterKey::generate().map_err(|source| KeyFileError::Malformed {
        path: path.to_owned(),
        source,
    })?;
    write_new(path, &key).map_err(|source| KeyFileError::Create {
        path: path.to_owned(),
        source,
    })?;
    Ok(key)
}

fn write_new(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path)?;
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode(_metadata: &fs::Metadata) -> u32 {
    0o600
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f01_a_new_key_file_is_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let made = create_master_key_file(&path).unwrap();
        let loaded = load_master_key_file(&path).unwrap();
        assert_eq!(made.to_hex(), loaded.key.to_hex());
        assert_eq!(loaded.warning, None);
        assert_eq!(mode(&fs::metadata(&path).unwrap()), 0o600);
    }

    #[test]
    fn a_key_that_is_there_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        fs::write(&path, "precious").unwrap();
        assert!(create_master_key_file(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_works_with_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        fs::write(&path, hex::encode([7; 32])).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let warning = load_master_key_file(&path).unwrap().warning.unwrap();
        assert!(
            warning.contains("0644") && warning.contains("chmod 600"),
            "{warning}"
        );
    }

    #[test]
    fn g15_a_missing_or_broken_file_is_named() {
        let missing = load_master_key_file(Path::new("/nowhere/master.key"))
            .err()
            .unwrap();
        assert!(missing.to_string().contains("/nowhere/master.key"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        fs::write(&path, "short").unwrap();
        assert!(
            load_master_key_file(&path)
                .err()
                .unwrap()
                .to_string()
                .contains("32 bytes")
        );
    }
}
