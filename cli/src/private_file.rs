//! A new file that is its owner's alone, under a name that others can foresee.
//!
//! What has the name already goes first and is never opened: a file keeps the mode that somebody gave it, and a link leads
//! elsewhere. Whoever puts another one there in between makes this fail, since only a new file is opened. It is meant to be
//! renamed when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Mode 0600 from the first byte.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn g05_a_link_that_lies_in_wait_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "theirs").unwrap();
        symlink(&target, &link).unwrap();
        io::Write::write_all(&mut create(&link).unwrap(), b"ours").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&link).unwrap(), "ours");
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn g05_a_file_that_others_may_read_is_not_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("left");
        fs::write(&path, "left by a command that was killed").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        drop(create(&path).unwrap());
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.permissions().mode() & 0o777, metadata.len()),
            (0o600, 0)
        );
    }

    #[test]
    fn g05_what_cannot_be_taken_away_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(create(folder.path()).is_err());
    }
}
