//! The data directory: this node's name and its claim to the directory.
//!
//! One process at a time may use a directory, since two would write over each other's spool. The claim is a lock on a
//! file, which the kernel gives back when the process ends, however it ends.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::{clock, durable};

/// The directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "the data directory {path:?} cannot be written: {source}; give --data-dir a directory that this user may write, \
         on a disk with room"
    )]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "the data directory {path:?} is in use by another data plane; stop that one, or give each its own --data-dir"
    )]
    InUse { path: PathBuf },
}

/// A claimed data directory. Dropping it gives it back.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock.
    _claim: File,
}

impl DataDir {
    /// Makes the directory when it is not there, private to this user, and claims it.
    pub fn claim(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable {
            path: path.to_owned(),
            source,
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(unusable)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let claim = options.open(path.join("lock")).map_err(unusable)?;
        match claim.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _claim: claim,
            }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node's name: the one given, else the one kept here, else a new one that is kept.
    pub fn node_id(&self, given: Option<&str>) -> Result<Arc<str>, DataDirError> {
        if let Some(given) = given {
            return Ok(given.into());
        }
        let path = self.path.join("node-id");
        let unusable = |source| DataDirError::Unusable {
            path: path.clone(),
            source,
        };
        let kept = durable::read_if_there(&path).map_err(unusable)?;
        let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(id) = kept.and_then(|text| text.trim().parse::<Uuid>().ok()) {
            return Ok(id.to_string().into());
        }
        let id = clock::request_id().to_string();
        durable::write_whole(&path, id.as_bytes()).map_err(unusable)?;
        Ok(id.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_name_is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        let first = DataDir::claim(&path).unwrap().node_id(None).unwrap();
        let again = DataDir::claim(&path).unwrap();
        assert_eq!(again.node_id(None).unwrap(), first);
        assert_eq!(&*again.node_id(Some("edge-1")).unwrap(), "edge-1");
    }

    #[test]
    fn g15_a_directory_in_use_is_refused_and_explained() {
        let directory = tempfile::tempdir().unwrap();
        let held = DataDir::claim(directory.path()).unwrap();
        let text = DataDir::claim(directory.path()).unwrap_err().to_string();
        assert!(text.contains("another data plane"), "{text}");
        drop(held);
        assert!(DataDir::claim(directory.path()).is_ok());
    }

    #[test]
    fn g15_a_directory_that_cannot_be_written_is_explained() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = DataDir::claim(file.path()).unwrap_err().to_string();
        assert!(text.contains("--data-dir"), "{text}");
    }
}
