//! A `.tar.gz` of a few texts.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::Failure;
use crate::private_file;

const FOLDER: &str = "penstock-diagnose";

/// Writes the whole archive or leaves what was there.
pub(super) fn write(path: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let failed = |source| Failure::File {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let written = pack(&fresh, files).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // It may never have been made.
        drop(fs::remove_file(&fresh));
    }
    written.map_err(failed)
}

fn pack(path: &Path, files: &[(String, String)]) -> io::Result<()> {
    let file = private_file::create(path)?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(text.len()).unwrap_or(u64::MAX));
        header.set_mode(0o600);
        archive.append_data(&mut header, format!("{FOLDER}/{name}"), text.as_bytes())?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn g06_a_bundle_is_written_whole_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        write(&path, &[("x/y.txt".to_owned(), "hello".to_owned())]).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(&path).unwrap()));
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("penstock-diagnose/x/y.txt"));
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("no/where.tar.gz"), &[]).is_err());
    }

    #[test]
    fn g06_a_bundle_is_its_owners_alone_whatever_had_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        let foreseen = path.with_extension(format!("{}.new", std::process::id()));
        for name in [&path, &foreseen] {
            fs::write(name, "").unwrap();
            fs::set_permissions(name, fs::Permissions::from_mode(0o644)).unwrap();
        }
        write(&path, &[("x.txt".to_owned(), "hello".to_owned())]).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
