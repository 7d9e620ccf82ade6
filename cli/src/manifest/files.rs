//! Which files are meant: files as they are named, folders with all `*.yaml` and `*.yml` below, `-` for standard input.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::Failure;

/// Larger is no configuration.
const MAX_BYTES: u64 = 64 << 20;
const MAX_DEPTH: usize = 32;

/// The text of one file.
pub(crate) struct Source {
    /// For people.
    pub name: Arc<str>,
    /// What paths in it start from.
    pub folder: PathBuf,
    pub text: String,
}

/// Reads everything that was named, in order; in a folder by path.
pub(crate) fn read(named: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            sources.push(Source {
                name: "standard input".into(),
                folder: PathBuf::from("."),
                text: text(std::io::stdin().lock(), Path::new("standard input"))?,
            });
        } else if path.is_dir() {
            let mut found = Vec::new();
            below(path, 0, &mut found)?;
            if found.is_empty() {
                let problem = format!("there is no *.yaml and no *.yml file in {}", path.display());
                return Err(Failure::Input(problem));
            }
            found.sort();
            sources.extend(
                found
                    .iter()
                    .map(|path| file(path))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        } else {
            sources.push(file(path)?);
        }
    }
    Ok(sources)
}

fn file(path: &Path) -> Result<Source, Failure> {
    let open = std::fs::File::open(path).map_err(|source| unreadable(path, source))?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(Source {
        name: path.display().to_string().into(),
        folder: folder.unwrap_or_else(|| Path::new(".")).to_owned(),
        text: text(open, path)?,
    })
}

fn text(from: impl Read, path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(MAX_BYTES + 1).read_to_string(&mut text);
    let bytes = read.map_err(|source| unreadable(path, source))?;
    if u64::try_from(bytes).unwrap_or(u64::MAX) > MAX_BYTES {
        let problem = format!("{} is larger than {} MB", path.display(), MAX_BYTES >> 20);
        return Err(Failure::Input(problem));
    }
    Ok(text)
}

/// Hidden files and folders are not looked at: version control and editors keep theirs there.
fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        let problem = format!("{} is nested more than {MAX_DEPTH} deep", folder.display());
        return Err(Failure::Input(problem));
    }
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(folder, source))?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            below(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    Failure::File {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g04_a_folder_is_read_with_all_below_and_without_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b.yaml", "a/c.yml", "a/notes.txt", ".git/x.yaml"] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x: 1").unwrap();
        }
        let found = read(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|source| {
                Path::new(&*source.name)
                    .strip_prefix(folder.path())
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(names, [Path::new("a/c.yml"), Path::new("b.yaml")]);
        let empty = tempfile::tempdir().unwrap();
        let none = read(&[empty.path().to_owned()]).err().unwrap().to_string();
        assert!(none.contains("no *.yaml"), "{none}");
    }
}
