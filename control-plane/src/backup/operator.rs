//! Operators' accounts. Their tokens are hashes, of which nobody can make a token again.
//!
//! An account that is there stays as it is: its token may have been changed since, and the old one must not let in
//! again. One that is not there comes back with the token that it had, which a restore says of each.

use penstock_core::api_key::KeyHash;
use penstock_core::backup::BackupKind;
use penstock_core::id::OperatorId;
use penstock_core::invalid::Invalid;
use penstock_core::key::PreviousSecret;
use penstock_core::operator::Operator;
use penstock_core::time::UnixMs;
use penstock_store::{OperatorToken, StoredOperator};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Serialize, Deserialize)]
pub(super) struct OperatorRow {
    id: OperatorId,
    #[serde(flatten)]
    operator: Operator,
    /// None in a sanitised backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenRow>,
    last_used_at: Option<UnixMs>,
    version: u64,
    created_at: UnixMs,
    updated_at: UnixMs,
}

#[derive(Serialize, Deserialize)]
struct TokenRow {
    hash: KeyHash,
    hint: String,
    previous: Option<PreviousSecret>,
}

impl OperatorRow {
    pub(super) fn of(stored: StoredOperator, kind: BackupKind) -> Self {
        let token = TokenRow {
            hash: stored.token.hash,
            hint: stored.token.hint,
            previous: stored.token.previous,
        };
        Self {
            id: stored.id,
            operator: stored.operator,
            token: (kind != BackupKind::Sanitised).then_some(token),
            last_used_at: stored.last_used_at,
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }

    pub(super) fn read(self) -> Result<StoredOperator, Invalid> {
        let label = format!("operator {:?}", self.operator.name);
        let problem = |invalid: Invalid| Invalid::new(label.clone(), invalid.to_string());
        self.operator.validate().map_err(problem)?;
        let missing = || Invalid::new(label.clone(), "has no token");
        let token = self.token.ok_or_else(missing)?;
        Ok(StoredOperator {
            id: self.id,
            operator: self.operator,
            token: OperatorToken {
                hash: token.hash,
                hint: token.hint,
                previous: token.previous,
            },
            last_used_at: self.last_used_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::operator::Role;

    use super::*;

    fn stored() -> StoredOperator {
        StoredOperator {
            id: OperatorId::from_parts(1, &[1; 10]),
            operator: Operator {
                name: "ann".to_owned(),
                role: Role::Operator,
                user_id: None,
                enabled: true,
                expires_at: Some(UnixMs(9)),
            },
            token: OperatorToken {
                hash: KeyHash([2; 32]),
                hint: "pso_abcd****wxyz".to_owned(),
                previous: Some(PreviousSecret {
                    hash: KeyHash([3; 32]),
                    valid_until: UnixMs(7),
                }),
            },
            last_used_at: Some(UnixMs(5)),
            version: 4,
            created_at: UnixMs(1),
            updated_at: UnixMs(2),
        }
    }

    fn written(kind: BackupKind) -> serde_json::Value {
        serde_json::to_value(OperatorRow::of(stored(), kind)).unwrap()
    }

    #[test]
    fn g05_an_account_comes_back_as_it_was() {
        let row: OperatorRow = serde_json::from_value(written(BackupKind::Standard)).unwrap();
        assert_eq!(row.read().unwrap(), stored());
    }

    #[test]
    fn g05_an_account_that_cannot_be_is_refused() {
        for (field, value) in [
            ("name", serde_json::json!("admin")),
            ("role", serde_json::json!("user")),
            ("token", serde_json::Value::Null),
        ] {
            let mut row = written(BackupKind::Standard);
            row[field] = value;
            let row: OperatorRow = serde_json::from_value(row).unwrap();
            assert!(row.read().is_err(), "{field}");
        }
    }

    #[test]
    fn g05_nothing_of_a_token_is_in_a_sanitised_backup() {
        assert!(written(BackupKind::Sanitised).get("token").is_none());
    }
}
