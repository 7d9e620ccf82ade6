//! Operators: who may operate an installation, and in which role.
//!
//! The token in the control plane's configuration is the operator `admin`, which always exists; the accounts here are
//! those beside it. They are no configuration of data planes. The name stands in the history and in the audit log as the
//! author of changes.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::invalid::Invalid;
use crate::name;
use crate::time::UnixMs;

/// What generated tokens begin with.
pub const TOKEN_PREFIX: &str = "pso_";

/// Names that stand for others than accounts.
const RESERVED: [&str; 2] = ["admin", "system"];

/// What an operator may do. `docs/operators.md` has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees one user, its keys and its usage, and nothing else.
    User,
    /// Reads everything, changes nothing.
    Viewer,
    /// Reads everything, and makes the changes of every day.
    Operator,
    /// Everything, also the accounts of others.
    Admin,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Unique among operators.
    pub name: String,
    pub role: Role,
    /// Whom a [`Role::User`] sees; None for the other roles.
    pub user_id: Option<UserId>,
    pub enabled: bool,
    /// From this instant on its token is refused.
    pub expires_at: Option<UnixMs>,
}

/// Why an account is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorDenied {
    #[error("the operator is disabled")]
    Disabled,
    #[error("the operator has expired")]
    Expired,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::User, Self::Viewer, Self::Operator, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl Operator {
    pub fn validate(&self) -> Result<(), Invalid> {
        name::check_user("name", &self.name)?;
        if RESERVED.contains(&self.name.to_ascii_lowercase().as_str()) {
            let problem =
                "stands for the configured admin token or the control plane itself; choose another name";
            return Err(Invalid::new("name", problem));
        }
        match (self.role, self.user_id) {
            (Role::User, None) => Err(Invalid::new(
                "user",
                "is missing: the role user belongs to one user",
            )),
            (Role::Viewer | Role::Operator | Role::Admin, Some(_)) => {
                Err(Invalid::new("user", "is only for the role user; leave it out"))
            }
            (Role::User, Some(_)) | (Role::Viewer | Role::Operator | Role::Admin, None) => Ok(()),
        }
    }

    /// Whether it is let in now.
    pub fn check(&self, now: UnixMs) -> Result<(), OperatorDenied> {
        if !self.enabled {
            return Err(OperatorDenied::Disabled);
        }
        match self.expires_at {
            Some(at) if now >= at => Err(OperatorDenied::Expired),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(role: Role, user: Option<u8>) -> Operator {
        Operator {
            name: "ann".to_owned(),
            role,
            user_id: user.map(|n| UserId::from_parts(1, &[n; 10])),
            enabled: true,
            expires_at: None,
        }
    }

    #[test]
    fn g09_the_role_user_and_no_other_belongs_to_a_user() {
        for role in Role::ALL {
            let own = role == Role::User;
            assert_eq!(operator(role, Some(1)).validate().is_ok(), own, "{role:?}");
            assert_eq!(operator(role, None).validate().is_ok(), !own, "{role:?}");
        }
    }

    #[test]
    fn g09_nobody_can_take_the_name_of_the_admin_token() {
        for name in ["admin", "Admin", "system"] {
            let named = Operator {
                name: name.to_owned(),
                ..operator(Role::Viewer, None)
            };
            assert_eq!(named.validate().unwrap_err().field, "name");
        }
    }

    #[test]
    fn g09_a_disabled_or_expired_operator_is_not_let_in() {
        let disabled = Operator {
            enabled: false,
            ..operator(Role::Admin, None)
        };
        let expiring = Operator {
            expires_at: Some(UnixMs(10)),
            ..operator(Role::Admin, None)
        };
        assert_eq!(disabled.check(UnixMs(0)), Err(OperatorDenied::Disabled));
        assert_eq!(expiring.check(UnixMs(9)), Ok(()));
        assert_eq!(expiring.check(UnixMs(10)), Err(OperatorDenied::Expired));
    }
}
