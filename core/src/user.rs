//! Users: the people, teams and machines that own keys.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::invalid::Invalid;
use crate::limits::Limits;
use crate::name;

/// Owns keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Unique among users.
    pub name: String,
    pub access: Access,
    #[serde(default = "Limits::none")]
    pub limits: Arc<Limits>,
}

impl User {
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check_user("name", &self.name)?;
        self.access.validate()?;
        self.limits.validate()
    }
}
