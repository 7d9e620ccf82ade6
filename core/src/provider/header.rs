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

impl Header {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is not a header name", self.name),
            ));
        }
        if RESERVED_HEADERS.contains(&self.name.to_ascii_lowercase().as_str()) {
            return Err(Invalid::new(
                "name",
                format!("{:?} is set by Penstock itself", self.name),
            ));
        }
        if !self
            .value
            .bytes()
            .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
        {
            return Err(Invalid::new("value", "must be printable ASCII"));
        }
        Ok(())
    }
}
