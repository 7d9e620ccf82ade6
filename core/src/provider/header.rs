//! Headers that an operator adds to upstream requests.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// Headers that Penstock sets itself.
const RESERVED_HEADERS: [&str; 12] = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "api-key",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "cookie",
];

/// Whether it can be the name of a header.
pub fn is_header_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(token)
}

/// Whether Penstock sets it itself.
pub fn is_reserved_header(name: &str) -> bool {
    RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether it can be the value of a header that operators write.
pub fn is_header_value(value: &str) -> bool {
    value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

impl Header {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if !is_header_name(&self.name) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is not a header name", self.name),
            ));
        }
        if is_reserved_header(&self.name) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is set by Penstock itself", self.name),
            ));
        }
        if !is_header_value(&self.value) {
            return Err(Invalid::new("value", "must be printable ASCII"));
        }
        Ok(())
    }
}
