//! Operators' accounts. A token is shown once, when it was just made.

use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_proto::convert::enums::operator_role_from_wire;
use serde::Serialize;

use super::key::this_once;
use super::{Row, View, fields, instant, or_dash, yes_no};
use crate::failure::Failure;

/// An account; of its token only the hint.
#[derive(Debug, Serialize)]
pub(crate) struct Operator {
    pub id: String,
    pub name: String,
    pub role: &'static str,
    /// Whom the role `user` sees.
    pub user_id: Option<String>,
    pub user: Option<String>,
    pub enabled: bool,
    pub expires_at: Option<String>,
    pub token_hint: String,
    /// Until when the token before the last rotation works.
    pub previous_valid_until: Option<String>,
    pub last_used_at: Option<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
}

/// An account with a new token.
#[derive(Serialize)]
pub(crate) struct NewOperator {
    #[serde(flatten)]
    operator: Operator,
    #[serde(serialize_with = "this_once")]
    token: Option<Secret>,
}

#[derive(Debug, Serialize)]
pub(crate) struct OperatorDeleted {
    pub done: String,
}

/// Who the caller is.
#[derive(Debug, Serialize)]
pub(crate) struct WhoAmI {
    name: String,
    role: &'static str,
    /// None: the admin token.
    operator_id: Option<String>,
    user_id: Option<String>,
    user: Option<String>,
    self_service: bool,
}

impl Operator {
    pub(crate) fn read(operator: wire::Operator) -> Result<Self, Failure> {
        let spec = convert::operator_from_wire(operator.spec.unwrap_or_default())?;
        let at = |ms: Option<i64>| ms.map(|ms| UnixMs(ms).to_string());
        Ok(Self {
            id: operator.id,
            name: spec.name,
            role: spec.role.as_str(),
            user_id: spec.user_id.map(|id| id.to_string()),
            user: given(operator.user_name),
            enabled: spec.enabled,
            expires_at: spec.expires_at.map(|at| at.to_string()),
            token_hint: operator.token_hint,
            previous_valid_until: at(operator.previous_valid_until_ms),
            last_used_at: at(operator.last_used_at_ms),
            version: operator.version,
            created_at: instant(operator.created_at_ms),
            updated_at: instant(operator.updated_at_ms),
        })
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("id", self.id.clone()),
            ("name", self.name.clone()),
            ("role", self.role.to_owned()),
            ("user", or_dash(self.user.as_deref())),
            ("enabled", yes_no(self.enabled)),
            (
                "expires",
                self.expires_at.clone().unwrap_or_else(|| "never".to_owned()),
            ),
            ("token", self.token_hint.clone()),
            ("old token until", or_dash(self.previous_valid_until.as_deref())),
            ("last used", or_dash(self.last_used_at.as_deref())),
            ("version", self.version.to_string()),
            ("updated", or_dash(self.updated_at.as_deref())),
        ]
    }
}

impl NewOperator {
    pub(crate) fn new(operator: Operator, token: String) -> Self {
        let token = Some(Secret::new(token));
        Self { operator, token }
    }
}

impl WhoAmI {
    pub(crate) fn read(answer: wire::WhoAmIResponse) -> Result<Self, Failure> {
        Ok(Self {
            role: operator_role_from_wire("role", answer.role)?.as_str(),
            name: answer.name,
            operator_id: given(answer.operator_id),
            user_id: given(answer.user_id),
            user: given(answer.user_name),
            self_service: answer.self_service,
        })
    }
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl View for Operator {
    fn table(&self) -> String {
        fields(&self.pairs())
    }
}

impl View for NewOperator {
    fn table(&self) -> String {
        // The one time that it is shown.
        let token = self.token.as_ref().map(|token| token.expose().to_owned());
        token.unwrap_or_default()
    }
}

impl View for OperatorDeleted {
    fn table(&self) -> String {
        self.done.clone()
    }
}

impl View for WhoAmI {
    fn table(&self) -> String {
        let mut pairs = vec![("name", self.name.clone()), ("role", self.role.to_owned())];
        if let Some(user) = &self.user {
            pairs.push(("user", user.clone()));
            pairs.push((
                "self-service",
                (if self.self_service { "on" } else { "off" }).to_owned(),
            ));
        }
        fields(&pairs)
    }
}

impl Row for Operator {
    const COLUMNS: &'static [&'static str] = &[
        "NAME",
        "ROLE",
        "USER",
        "ENABLED",
        "EXPIRES",
        "LAST USED",
        "TOKEN",
        "ID",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.role.to_owned(),
            or_dash(self.user.as_deref()),
            yes_no(self.enabled),
            self.expires_at.clone().unwrap_or_else(|| "never".to_owned()),
            or_dash(self.last_used_at.as_deref()),
            self.token_hint.clone(),
            self.id.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::operator::Role;
    use penstock_proto::convert::enums::operator_role_to_wire;

    use super::*;

    fn operator() -> Operator {
        let spec = wire::OperatorSpec {
            name: "ann".to_owned(),
            role: operator_role_to_wire(Role::Viewer),
            enabled: true,
            ..wire::OperatorSpec::default()
        };
        let operator = wire::Operator {
            spec: Some(spec),
            token_hint: "pso_abcd****wxyz".to_owned(),
            ..wire::Operator::default()
        };
        Operator::read(operator).unwrap()
    }

    #[test]
    fn g09_a_new_token_is_shown_in_every_form() {
        let new = NewOperator::new(operator(), "pso_secret".to_owned());
        assert_eq!(new.table(), "pso_secret");
        let json = serde_json::to_value(&new).unwrap();
        assert_eq!(
            (&json["name"], &json["token"]),
            (&"ann".into(), &"pso_secret".into())
        );
        assert_eq!(operator().cells().len(), Operator::COLUMNS.len());
    }
}
