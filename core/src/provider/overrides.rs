//! Members of the request's body that an operator sets or removes for one provider.
//!
//! Only members at the top of the body, by name. What Penstock itself reads from the request and sets in it cannot be
//! overridden: the model has redirects for that, and whether an answer streams is the caller's. So is the conversation.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The member's name.
    pub path: String,
    /// As JSON. None: the member is removed.
    pub value: Option<String>,
}

const MAX_PATH: usize = 64;
const MAX_VALUE: usize = 64 * 1024;
const OWN: [&str; 6] = [
    "model",
    "stream",
    "stream_options",
    "messages",
    "input",
    "contents",
];

impl Override {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if self.path.is_empty() || self.path.len() > MAX_PATH || !self.path.bytes().all(plain) {
            let problem = format!(
                "{:?} is not the name of a member at the top of the body",
                self.path
            );
            return Err(Invalid::new("path", problem));
        }
        if OWN.contains(&self.path.as_str()) {
            let problem = format!(
                "{:?} cannot be overridden: it is the caller's, and for models there are redirects",
                self.path
            );
            return Err(Invalid::new("path", problem));
        }
        let Some(value) = &self.value else { return Ok(()) };
        if value.len() > MAX_VALUE {
            return Err(Invalid::new("value", "is over 64 KB"));
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(value) {
            Ok(_) => Ok(()),
            Err(error) => Err(Invalid::new("value", format!("is not JSON: {error}"))),
        }
    }
}
