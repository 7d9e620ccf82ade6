//! Writing a backup's file. It gets its name when it is whole: what is broken off leaves `NAME.PID.partial` at most for a
//! moment, and a killed command leaves one that no restore takes for a backup. Mode 0600 from the first byte.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;
use age::stream::StreamWriter;
use penstock_core::secret::Secret;
use zstd::Encoder;

use crate::failure::Failure;
use crate::private_file;

/// A good ratio of time and size for text.
const LEVEL: i32 = 6;

/// A file being written.
pub(crate) struct BackupFile {
    packed: Packed,
    partial: PathBuf,
    path: PathBuf,
}

enum Packed {
    Plain(Encoder<'static, BufWriter<File>>),
    Encrypted(Encoder<'static, StreamWriter<BufWriter<File>>>),
}

impl BackupFile {
    /// A file that is there is not written over.
    pub(crate) fn create(path: &Path, passphrase: Option<&Secret>) -> Result<Self, Failure> {
        if path.exists() {
            let problem = format!(
                "{} exists already\nName another file, or move it away.",
                path.display()
            );
            return Err(Failure::Input(problem));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        // Two commands for one file do not write into each other's.
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let opened = open(&partial, passphrase);
        Ok(Self {
            packed: opened.map_err(|source| failed("write", &partial, source))?,
            partial,
            path: path.to_owned(),
        })
    }

    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.packed {
            Packed::Plain(encoder) => encoder.write_all(lines),
            Packed::Encrypted(encoder) => encoder.write_all(lines),
        };
        written.map_err(|source| failed("write", &self.partial, source))
    }

    /// All of it is there: on the disk, and under its name. Its size in bytes.
    pub(crate) fn finish(self) -> Result<u64, Failure> {
        let Self {
            packed,
            partial,
            path,
        } = self;
        let kept = close(packed).and_then(|file| {
            file.sync_all()?;
            let size = file.metadata()?.len();
            std::fs::rename(&partial, &path).map(|()| size)
        });
        kept.map_err(|source| failed("write", &path, source))
    }

    /// Takes back what was begun.
    pub(crate) fn discard(self) {
        // Nothing more can be done about it.
        std::fs::remove_file(&self.partial).ok();
    }
}

fn open(path: &Path, passphrase: Option<&Secret>) -> io::Result<Packed> {
    let file = BufWriter::new(private_file::create(path)?);
    Ok(match passphrase {
        None => Packed::Plain(Encoder::new(file, LEVEL)?),
        Some(passphrase) => {
            // To encrypt with.
            let passphrase = SecretString::from(passphrase.expose().to_owned());
            let encrypted = age::Encryptor::with_user_passphrase(passphrase).wrap_output(file)?;
            Packed::Encrypted(Encoder::new(encrypted, LEVEL)?)
        }
    })
}

fn close(packed: Packed) -> io::Result<File> {
    let file = match packed {
        Packed::Plain(encoder) => encoder.finish()?,
        Packed::Encrypted(encoder) => encoder.finish()?.finish()?,
    };
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Failure {
    Failure::File {
        action,
        path: path.to_owned(),
        source,
    }
}
