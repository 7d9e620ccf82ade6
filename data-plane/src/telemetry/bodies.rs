//! The file of bodies that operators asked for by HTTP debug.
//!
//! `http-debug/bodies.jsonl` below the data directory, readable by this process's user alone (mode 0600), one JSON object
//! for each body or piece of a stream, and never larger than [`MAX_BYTES`]: then nothing more is written, which the log
//! says once. Delete the file to go on. It is written where the call is served; that costs time, but only in a window
//! that an operator opened.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use penstock_core::id::RequestId;
use serde::Serialize;

use crate::clock;

const MAX_BYTES: u64 = 64 << 20;

/// See the module.
#[derive(Debug)]
pub struct Bodies {
    path: PathBuf,
    said: Mutex<bool>,
}

#[derive(Serialize)]
struct Line<'a> {
    time_ms: i64,
    request_id: String,
    what: &'a str,
    body: &'a str,
}

impl Bodies {
    /// Nothing is made before there is something to write.
    pub fn below(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("http-debug").join("bodies.jsonl"),
            said: Mutex::new(false),
        }
    }

    /// Adds a body. What cannot be written is said once, and the call goes on.
    pub fn write(&self, id: RequestId, what: &str, body: &str) {
        let line = Line {
            time_ms: clock::now().0,
            request_id: id.to_string(),
            what,
            body,
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match self.append(&line) {
            Ok(()) => *said = false,
            Err(error) if !*said => {
                *said = true;
                let file = self.path.display();
                tracing::warn!(target: "penstock::http_debug", %file, %error, "bodies are not written");
            }
            Err(_) => {}
        }
    }

    fn append(&self, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.open()?;
        let after = file.metadata()?.len().saturating_add(text.len() as u64);
        if after > MAX_BYTES {
            let problem = format!("the file would be larger than {MAX_BYTES} bytes; delete it to go on");
            return Err(io::Error::other(problem));
        }
        file.write_all(&text)
    }

    fn open(&self) -> io::Result<File> {
        if let Some(directory) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn g14_bodies_are_for_the_user_of_the_process_alone_and_have_a_cap() {
        let directory = tempfile::tempdir().unwrap();
        let bodies = Bodies::below(directory.path());
        assert!(!directory.path().join("http-debug").exists());
        let id = RequestId::from_parts(1, &[1; 10]);
        bodies.write(id, "request", "{\"a\":1}");
        let path = directory.path().join("http-debug/bodies.jsonl");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let line: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(line["body"], "{\"a\":1}");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(MAX_BYTES).unwrap();
        bodies.write(id, "request", "more");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), MAX_BYTES);
        assert!(*bodies.said.lock().unwrap());
    }
}
