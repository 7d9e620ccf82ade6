//! Keys. A secret is shown once, when it was just made.

use penstock_core::api_key::KeyHash;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::{Serialize, Serializer};

use super::access::Access;
use super::limits::Limits;
use super::{Refusal, Row, View, fields, instant, joined, or_dash, refused, yes_no};
use crate::failure::Failure;

/// A key; of its secret only the hint.
#[derive(Debug, Serialize)]
pub(crate) struct Key {
    pub id: String,
    pub name: String,
    pub user_id: String,
    pub user: String,
    /// None: imported by its hash.
    pub hint: Option<String>,
    #[serde(flatten)]
    pub access: Access,
    pub limits: Limits,
    /// Until when the secret before the last rotation works.
    pub previous_valid_until: Option<String>,
    /// Set until the imported hash was replaced at first use.
    pub import_suffix: Option<String>,
    pub version: u64,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub refused_by: Vec<Refusal>,
}

/// A key that was just made or rotated.
#[derive(Serialize)]
pub(crate) struct NewKey {
    #[serde(flatten)]
    pub key: Key,
    /// None: imported, so the caller has it already.
    #[serde(serialize_with = "this_once")]
    pub secret: Option<Secret>,
    pub revision: u64,
}

/// The key that a secret belongs to.
#[derive(Debug, Serialize)]
pub(crate) struct FoundKey {
    #[serde(flatten)]
    pub key: Key,
    /// `valid`, or what a caller would be told.
    pub state: String,
    /// The secret is the one from before the last rotation.
    pub previous: bool,
}

impl Key {
    pub(crate) fn read(key: wire::Key) -> Result<Self, Failure> {
        // Hashes do not come from the server; nothing looks at this one.
        let spec = convert::key_spec_from_wire(key.spec.unwrap_or_default(), KeyHash([0; 32]))?;
        Ok(Self {
            id: key.id,
            access: Access::from(&spec.access),
            limits: Limits(spec.limits),
            name: spec.name,
            user_id: spec.user_id.to_string(),
            user: key.user_name,
            hint: (!spec.hint.is_empty()).then_some(spec.hint),
            previous_valid_until: key.previous_valid_until_ms.map(|ms| UnixMs(ms).to_string()),
            import_suffix: (!key.import_suffix.is_empty()).then_some(key.import_suffix),
            version: key.version,
            created_at: instant(key.created_at_ms),
            updated_at: instant(key.updated_at_ms),
            refused_by: key.refused_by.into_iter().map(Into::into).collect(),
        })
    }

    /// As it can be named on the command line.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.user, self.name)
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("id", self.id.clone()),
            ("name", self.full_name()),
            ("secret", or_dash(self.hint.as_deref())),
        ];
        pairs.extend(self.access.fields());
        pairs.push(("limits", self.limits.line()));
        if let Some(until) = &self.previous_valid_until {
            pairs.push(("former secret until", until.clone()));
        }
        if let Some(suffix) = &self.import_suffix {
            pairs.push(("import suffix", suffix.clone()));
        }
        pairs.push(("version", self.version.to_string()));
        pairs.push(("updated", or_dash(self.updated_at.as_deref())));
        pairs.push(("refused by", or_dash(Some(&refused(&self.refused_by)))));
        pairs
    }
}

impl View for Key {
    fn table(&self) -> String {
        fields(&self.pairs())
    }
}

/// Nothing but the secret, so that `$(penstock key create …)` is the secret.
impl View for NewKey {
    fn table(&self) -> String {
        match &self.secret {
            // The one time that it is shown.
            Some(secret) => secret.expose().to_owned(),
            None => format!("{}\nrevision {}", self.key.table(), self.revision),
        }
    }
}

impl View for FoundKey {
    fn table(&self) -> String {
        let mut pairs = vec![("state", self.state.clone())];
        if self.previous {
            pairs.push((
                "note",
                "this is the secret from before the last rotation".to_owned(),
            ));
        }
        pairs.extend(self.key.pairs());
        fields(&pairs)
    }
}

impl Row for Key {
    const COLUMNS: &'static [&'static str] = &[
        "NAME", "ENABLED", "EXPIRES", "SECRET", "GROUPS", "TAGS", "ONLY", "LIMITS", "ID",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.full_name(),
            yes_no(self.access.enabled),
            self.access.expires(),
            or_dash(self.hint.as_deref()),
            joined(&self.access.groups),
            joined(&self.access.tags),
            self.access.only(),
            self.limits.cell(),
            self.id.clone(),
        ]
    }
}

pub(super) fn this_once<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    // The one time that it is shown.
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1 as config;

    use super::*;

    fn key() -> Key {
        let spec = config::KeySpec {
            limits: None,
            name: "laptop".into(),
            user_id: "01980000-0000-7000-8000-000000000000".into(),
            access: Some(config::Access::default()),
            hint: "psk_1234****abcd".into(),
        };
        let key = wire::Key {
            spec: Some(spec),
            user_name: "alice".into(),
            version: 2,
            ..wire::Key::default()
        };
        Key::read(key).unwrap()
    }

    #[test]
    fn a03_a_new_key_is_the_only_thing_that_a_table_shows() {
        let new = NewKey {
            key: key(),
            secret: Some(Secret::new("psk_the-secret")),
            revision: 4,
        };
        assert_eq!(new.table(), "psk_the-secret");
        let json = serde_json::to_value(&new).unwrap();
        assert_eq!(
            (&json["secret"], &json["name"]),
            (&"psk_the-secret".into(), &"laptop".into())
        );
        assert_eq!((&json["user"], &json["revision"]), (&"alice".into(), &4.into()));
    }

    #[test]
    fn a03_an_imported_key_shows_no_secret() {
        let new = NewKey {
            key: key(),
            secret: None,
            revision: 4,
        };
        assert!(new.table().contains("alice/laptop"));
        assert_eq!(
            serde_json::to_value(&new).unwrap()["secret"],
            serde_json::Value::Null
        );
    }

    #[test]
    fn a_listed_key_is_named_by_user_and_hint() {
        let cells = key().cells();
        assert_eq!(
            (cells[0].as_str(), cells[3].as_str()),
            ("alice/laptop", "psk_1234****abcd")
        );
        assert_eq!(cells.len(), Key::COLUMNS.len());
    }

    #[test]
    fn a_found_key_says_its_state_first() {
        let found = FoundKey {
            key: key(),
            state: "Key is disabled".into(),
            previous: true,
        };
        assert!(found.table().starts_with("state:"), "{}", found.table());
        assert_eq!(serde_json::to_value(&found).unwrap()["state"], "Key is disabled");
    }
}
