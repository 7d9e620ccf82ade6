//! A request in the one form in which both sides hash it.

use std::fmt::Write;

use http::HeaderMap;

/// The parts of a request that are signed.
pub(super) struct Canonical<'a> {
    pub(super) method: &'a str,
    /// As on the wire.
    pub(super) path: &'a str,
    /// As on the wire, without `?`.
    pub(super) query: &'a str,
    /// Names in lower case, sorted, each once.
    pub(super) headers: Vec<(String, String)>,
    /// Hexadecimal.
    pub(super) body_sha256: &'a str,
}

impl Canonical<'_> {
    /// The text that is hashed.
    pub(super) fn text(&self) -> String {
        let mut text = [
            self.method,
            "\n",
            &path(self.path),
            "\n",
            &query(self.query),
            "\n",
        ]
        .concat();
        for (name, value) in &self.headers {
            text.extend([name, ":", value, "\n"]);
        }
        text.extend(["\n", &self.signed_names(), "\n", self.body_sha256]);
        text
    }

    /// The names of the signed headers, `;` between them.
    pub(super) fn signed_names(&self) -> String {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.join(";")
    }
}

/// The headers that are signed, with `host` among them.
pub(super) fn canonical_headers(
    headers: &HeaderMap,
    host: &str,
    is_signed: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let named = headers.keys().filter(|name| is_signed(name.as_str()));
    let mut signed: Vec<_> = named
        .map(|name| {
            let values = headers.get_all(name).iter();
            let values: Vec<_> = values
                .map(|value| single_spaced(&String::from_utf8_lossy(value.as_bytes())))
                .collect();
            (name.as_str().to_owned(), values.join(","))
        })
        .collect();
    signed.push(("host".to_owned(), host.to_owned()));
    signed.sort();
    signed
}

/// No space around, and one where there are several.
fn single_spaced(value: &str) -> String {
    let words: Vec<_> = value.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn path(path: &str) -> String {
    match path {
        "" => "/".to_owned(),
        _ => encode(path.as_bytes(), b"/"),
    }
}

/// Names and values encoded anew, sorted by both.
fn query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name), b""), encode(&decode(value), b""))
        })
        .collect();
    pairs.sort();
    let joined: Vec<_> = pairs
        .iter()
        .map(|(name, value)| [name, "=", value].concat())
        .collect();
    joined.join("&")
}

/// Unreserved characters and `also` stay; every other byte becomes `%XX`.
fn encode(bytes: &[u8], also: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || also.contains(byte);
        if plain {
            text.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            write!(text, "%{byte:02X}").unwrap_or_default();
        }
    }
    text
}

/// Bytes of `%XX` where it stands for some; a broken escape stays as it is.
fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let mut one = [0];
        match escaped.map(|digits| hex::decode_to_slice(digits, &mut one)) {
            Some(Ok(())) => {
                decoded.push(one[0]);
                at += 3;
            }
            Some(Err(_)) | None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}
