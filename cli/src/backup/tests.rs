use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use penstock_core::backup::{BackupKind, Counts, FORMAT, Header, VERSION, Writer};
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;

use super::inspect::{Inspected, inspect};
use super::read::Lines;
use super::write::BackupFile;
use crate::failure::Failure;

fn written(path: &Path, passphrase: Option<&Secret>) {
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        product: "0.1.0".to_owned(),
        schema: 4,
        kind: BackupKind::Standard,
        created_at: UnixMs(1),
        master_key: None,
        other_master_keys: Vec::new(),
        include_usage: false,
        counts: Counts::new(),
    };
    let (mut writer, mut file) = (Writer::default(), BackupFile::create(path, passphrase).unwrap());
    let row = serde_json::json!({"id": "secret-marked-in-the-row"});
    for line in [
        writer.header(&header),
        writer.row("users", &row),
        writer.checkpoint(),
        writer.end(),
    ] {
        file.write(line.unwrap().as_bytes()).unwrap();
    }
    file.finish().unwrap();
}

fn read(path: &Path, passphrase: &str) -> Result<Inspected, Failure> {
    let mut lines = Lines::open(path, &mut || Ok(Secret::new(passphrase)))?;
    inspect(&mut lines, |_| ())
}

#[test]
fn g05_a_file_reads_back_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.penstock");
    written(&path, None);
    assert_eq!(read(&path, "").unwrap().counts["users"], 1);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(BackupFile::create(&path, None).is_err(), "it is not written over");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn g05_what_lies_where_a_file_is_written_first_neither_leads_it_away_nor_opens_it_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let [path, left, theirs] =
        ["b", &format!("b.{}.partial", std::process::id()), "theirs"].map(|name| folder.path().join(name));
    std::fs::write(&theirs, "untouched").unwrap();
    std::os::unix::fs::symlink(&theirs, &left).unwrap();
    written(&path, None);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "untouched");
    let metadata = std::fs::symlink_metadata(&path).unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[test]
fn g05_an_encrypted_file_opens_with_its_passphrase_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.age");
    written(&path, Some(&Secret::new("a long passphrase")));
    assert_eq!(read(&path, "a long passphrase").unwrap().counts["users"], 1);
    let wrong = read(&path, "another passphrase").unwrap_err();
    assert_eq!(wrong.to_string(), "this is not the passphrase of the backup");
}

#[test]
fn g05_a_file_that_is_cut_off_or_changed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, passphrase) in [("plain", None), ("age", Some(Secret::new("a long passphrase")))] {
        let path = folder.path().join(name);
        written(&path, passphrase.as_ref());
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(
                read(&path, "a long passphrase").is_err(),
                "{name} cut to {length}"
            );
        }
        let mut changed = whole.clone();
        let at = whole.len() - 9;
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(read(&path, "a long passphrase").is_err(), "{name} changed");
    }
}
