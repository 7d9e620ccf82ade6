//! Reading a backup's file, whatever it is packed in: told by its first bytes, not by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use age::secrecy::SecretString;
use age::stream::StreamReader;
use penstock_core::secret::Secret;

use crate::failure::Failure;

const AGE: &[u8] = b"age-encryption.org/";
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Of a piece.
const PIECE: usize = 256 << 10;

/// The lines of a file, in pieces.
pub(crate) struct Lines {
    reader: Box<dyn Read + Send>,
    /// Bytes of the file so far.
    pub(crate) read: Arc<AtomicU64>,
    /// Of the file, bytes.
    pub(crate) size: u64,
    pub(crate) encrypted: bool,
}

/// Counts what is read of the file.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read
            .fetch_add(u64::try_from(read).unwrap_or_default(), Ordering::Relaxed);
        Ok(read)
    }
}

impl Lines {
    /// Asks for the passphrase when the file is encrypted.
    pub(crate) fn open(
        path: &Path,
        passphrase: &mut dyn FnMut() -> Result<Secret, Failure>,
    ) -> Result<Self, Failure> {
        let failed = |source| Failure::File {
            action: "read",
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            file,
            read: Arc::clone(&read),
        };
        let mut packed = BufReader::new(counted);
        let encrypted = packed.fill_buf().map_err(failed)?.starts_with(AGE);
        let reader: Box<dyn Read + Send> = match encrypted {
            true => unpacked(BufReader::new(decrypted(packed, &passphrase()?)?)).map_err(failed)?,
            false => unpacked(packed).map_err(failed)?,
        };
        Ok(Self {
            reader,
            read,
            size,
            encrypted,
        })
    }

    /// The next piece; empty at the end.
    pub(crate) fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = Vec::new();
        let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
        (&mut self.reader).take(limit).read_to_end(&mut piece)?;
        Ok(piece)
    }
}

fn unpacked(mut reader: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    Ok(match reader.fill_buf()?.starts_with(ZSTD) {
        true => Box::new(zstd::Decoder::with_buffer(reader)?),
        false => Box::new(reader),
    })
}

fn decrypted<R: BufRead>(packed: R, passphrase: &Secret) -> Result<StreamReader<R>, Failure> {
    let damaged = |error| Failure::Input(format!("the backup cannot be decrypted: {error}"));
    let decryptor = age::Decryptor::new_buffered(packed).map_err(damaged)?;
    // To decrypt with.
    let passphrase = SecretString::from(passphrase.expose().to_owned());
    let identity = age::scrypt::Identity::new(passphrase);
    let identities = std::iter::once(&identity as &dyn age::Identity);
    decryptor.decrypt(identities).map_err(|error| {
        let wrong = matches!(
            error,
            age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys
        );
        match wrong {
            true => Failure::Input("this is not the passphrase of the backup".into()),
            false => damaged(error),
        }
    })
}
