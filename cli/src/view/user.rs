//! Users.

use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::access::Access;
use super::limits::Limits;
use super::{Refusal, Row, View, fields, instant, joined, or_dash, refused, yes_no};
use crate::failure::Failure;

/// A user.
#[derive(Debug, Serialize)]
pub(crate) struct User {
    pub id: String,
    pub name: String,
    #[serde(flatten)]
    pub access: Access,
    pub limits: Limits,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

impl User {
    pub(crate) fn read(user: wire::User) -> Result<Self, Failure> {
        let spec = convert::user_from_wire(user.spec.unwrap_or_default())?;
        Ok(Self {
            id: user.id,
            access: Access::from(&spec.access),
            limits: Limits(spec.limits),
            name: spec.name,
            version: user.version,
            created_at: instant(user.created_at_ms),
            updated_at: instant(user.updated_at_ms),
            refused_by: user.refused_by.into_iter().map(Into::into).collect(),
        })
    }
}

impl View for User {
    fn table(&self) -> String {
        let mut pairs = vec![("id", self.id.clone()), ("name", self.name.clone())];
        pairs.extend(self.access.fields());
        pairs.push(("limits", self.limits.line()));
        pairs.push(("version", self.version.to_string()));
        pairs.push(("updated", or_dash(self.updated_at.as_deref())));
        pairs.push(("refused by", or_dash(Some(&refused(&self.refused_by)))));
        fields(&pairs)
    }
}

impl Row for User {
    const COLUMNS: &'static [&'static str] = &[
        "NAME", "ENABLED", "EXPIRES", "GROUPS", "TAGS", "ONLY", "LIMITS", "ID",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            yes_no(self.access.enabled),
            self.access.expires(),
            joined(&self.access.groups),
            joined(&self.access.tags),
            self.access.only(),
            self.limits.cell(),
            self.id.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1 as config;

    use super::*;

    #[test]
    fn a_users_rules_stand_beside_its_name() {
        let access = config::Access {
            enabled: true,
            expires_at_ms: Some(1_700_000_000_000),
            ..config::Access::default()
        };
        let spec = config::User {
            limits: None,
            name: "alice".into(),
            access: Some(access),
        };
        let user = wire::User {
            spec: Some(spec),
            ..wire::User::default()
        };
        let user = User::read(user).unwrap();
        let json = serde_json::to_value(&user).unwrap();
        assert_eq!((&json["name"], &json["enabled"]), (&"alice".into(), &true.into()));
        assert_eq!(json["expires_at"], "2023-11-14T22:13:20Z");
        assert_eq!(user.cells().len(), User::COLUMNS.len());
    }
}
