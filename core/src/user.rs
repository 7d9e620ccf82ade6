//! Users: the people, teams and machines that own keys.

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::invalid::Invalid;
use crate::name;

/// Owns keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Unique among users.
    pub name: String,
    pub access: Access,
}

impl User {
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check_user("name", &self.name)?;
        self.access.validate()
    }
}
