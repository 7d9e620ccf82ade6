//! Migrations of the database.

use penstock_control_plane::store::MigrationStatus;
use serde::Serialize;

use super::Row;

/// One step of the database's schema.
#[derive(Debug, Serialize)]
pub(crate) struct Migration {
    pub version: i64,
    pub description: String,
    /// `applied`, `pending`, `changed` (applied in another form) or `unknown` (of a newer release).
    pub state: &'static str,
}

impl From<MigrationStatus> for Migration {
    fn from(status: MigrationStatus) -> Self {
        let state = match (status.known, status.changed, status.applied) {
            (false, ..) => "unknown",
            (true, true, _) => "changed",
            (true, false, true) => "applied",
            (true, false, false) => "pending",
        };
        Self {
            version: status.version,
            description: status.description,
            state,
        }
    }
}

impl Row for Migration {
    const COLUMNS: &'static [&'static str] = &["VERSION", "STATE", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.version.to_string(),
            self.state.to_owned(),
            self.description.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(known: bool, changed: bool, applied: bool) -> &'static str {
        let status = MigrationStatus {
            version: 1,
            description: "create config".into(),
            applied,
            known,
            changed,
        };
        Migration::from(status).state
    }

    #[test]
    fn g15_each_state_of_a_migration_has_its_word() {
        assert_eq!(state(true, false, true), "applied");
        assert_eq!(state(true, false, false), "pending");
        assert_eq!(state(true, true, true), "changed");
        assert_eq!(state(false, false, true), "unknown");
    }
}
