//! The file's form: a header, then sealed records with their lengths.
//!
//! ```text
//! 8 bytes magic | 16 bytes random file id | records: u32 length | nonce and ciphertext
//! ```

/// Names the format.
pub(super) const MAGIC: &[u8; 8] = b"PSKLKG01";
pub(super) const HEADER: usize = 24;
/// A record holds up to half a mebibyte of resources, or one larger resource.
const MAX_RECORD: usize = 64 << 20;

/// A header for a new file.
pub(super) fn header(file: [u8; 16]) -> Vec<u8> {
    [&MAGIC[..], &file].concat()
}

/// The file id in a header.
pub(super) fn file_id(bytes: &[u8]) -> Option<[u8; 16]> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    (magic == MAGIC).then_some(*rest.first_chunk()?)
}

/// A record with its length in front.
pub(super) fn framed(sealed: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(sealed.len()).ok()?;
    (sealed.len() <= MAX_RECORD).then(|| [&length.to_le_bytes()[..], sealed].concat())
}

/// The first record, and what follows it; None when it is not whole.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if length > MAX_RECORD {
        return None;
    }
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_split_where_they_were_joined() {
        let bytes = [framed(b"one").unwrap(), framed(b"").unwrap(), vec![9, 0, 0]].concat();
        let (one, rest) = split(&bytes).unwrap();
        let (two, rest) = split(rest).unwrap();
        assert_eq!((one, two), (&b"one"[..], &b""[..]));
        assert_eq!(split(rest), None, "a torn length is no record");
        assert_eq!(split(&u32::MAX.to_le_bytes()), None);
    }

    #[test]
    fn only_files_of_this_format_have_an_id() {
        assert_eq!(file_id(&header([5; 16])), Some([5; 16]));
        assert_eq!(file_id(b"PSKLKG99................"), None);
        assert_eq!(file_id(b"PSK"), None);
    }
}
