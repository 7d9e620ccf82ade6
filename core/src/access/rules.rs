//! Rules that few users and keys have, apart from the others so that those who have none share one and take no room.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::cidr::Cidr;
use crate::client::ClientRule;
use crate::dialect::Dialect;
use crate::invalid::Invalid;

/// The longest list of clients or addresses.
const MAX_RULES: usize = 256;

/// Where, with what and in which way it may be used. The default forbids nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_dialects: Vec<Dialect>,
    /// Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_clients: Vec<ClientRule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_clients: Vec<ClientRule>,
    /// Empty: from everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_addresses: Vec<Cidr>,
}

static NONE: LazyLock<Arc<Rules>> = LazyLock::new(Arc::default);

impl Rules {
    /// Those that forbid nothing.
    pub fn none() -> Arc<Self> {
        Arc::clone(&NONE)
    }

    /// Shares the common case.
    pub fn shared(self) -> Arc<Self> {
        match self == Self::default() {
            true => Self::none(),
            false => Arc::new(self),
        }
    }

    pub(super) fn is_none(rules: &Arc<Self>) -> bool {
        Arc::ptr_eq(rules, &NONE) || **rules == Self::default()
    }

    /// Whether it matters which program calls.
    pub fn judges_clients(&self) -> bool {
        !(self.allowed_clients.is_empty() && self.blocked_clients.is_empty())
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        for (field, clients) in [
            ("allowed_clients", &self.allowed_clients),
            ("blocked_clients", &self.blocked_clients),
        ] {
            at_most(field, clients.len())?;
            for (i, client) in clients.iter().enumerate() {
                client.validate(&format!("access.{field}[{i}]"))?;
            }
        }
        at_most("allowed_addresses", self.allowed_addresses.len())
    }
}

fn at_most(field: &str, number: usize) -> Result<(), Invalid> {
    if number <= MAX_RULES {
        return Ok(());
    }
    let problem = format!("has {number} entries; at most {MAX_RULES} are allowed");
    Err(Invalid::new(format!("access.{field}"), problem))
}
