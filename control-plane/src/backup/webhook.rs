//! Webhooks. Their URLs and signing secrets are sealed as one, and treated as credentials are.
//!
//! As accounts of operators, they come back where there is none, and what is there stays.

use penstock_core::alert::{Preset, Rule};
use penstock_core::backup::BackupKind;
use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;
use penstock_store::Webhook;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::secret::{Place, SecretRow};
use crate::alerts::Hook;
use crate::credentials::Sealer;

/// One line.
#[derive(Serialize, Deserialize)]
pub(super) struct WebhookRow {
    id: Uuid,
    name: String,
    enabled: bool,
    preset: String,
    rules: Vec<String>,
    host: String,
    signed: bool,
    /// None in a sanitised backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hook: Option<SecretRow>,
    version: u64,
    created_at: UnixMs,
    updated_at: UnixMs,
}

impl WebhookRow {
    pub(super) fn of(sealer: &Sealer, stored: &Webhook, kind: BackupKind) -> Self {
        Self {
            id: stored.id,
            name: stored.name.clone(),
            enabled: stored.enabled,
            preset: stored.preset.as_str().to_owned(),
            rules: stored.rules.iter().map(|rule| rule.as_str().to_owned()).collect(),
            host: stored.host.clone(),
            signed: stored.signed,
            hook: SecretRow::of(sealer, Place::Webhook(stored.id), &stored.sealed, kind),
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }

    /// And a remark, when nobody could open it.
    pub(super) fn read(self, sealer: &Sealer) -> Result<(Webhook, Option<String>), Invalid> {
        let label = format!("webhook {:?}", self.name);
        let bad = |problem: String| Invalid::new(label.clone(), problem);
        penstock_core::name::check("name", &self.name).map_err(|invalid| bad(invalid.to_string()))?;
        let newer = || bad("has a preset or a rule that this release does not know".to_owned());
        let rules = self.rules.iter().map(|word| Rule::from_word(word));
        let hook = self.hook.ok_or_else(|| bad("has no URL".to_owned()))?;
        let opened = hook.open(sealer, Place::Webhook(self.id));
        let opened = opened.map_err(|error| bad(error.to_string()))?;
        let remark = opened.remark(&format!("the URL of {label}"));
        let webhook = Webhook {
            id: self.id,
            preset: Preset::from_word(&self.preset).ok_or_else(newer)?,
            rules: rules.collect::<Option<_>>().ok_or_else(newer)?,
            sealed: opened.sealed,
            name: self.name,
            enabled: self.enabled,
            host: self.host,
            signed: self.signed,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        if remark.is_none() {
            Hook::of(sealer, &webhook).map_err(|error| bad(error.to_string()))?;
        }
        Ok((webhook, remark))
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::secret::Secret;

    use super::*;
    use crate::credentials::MasterKey;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&MasterKey::from_bytes([byte; 32])).ok().unwrap()
    }

    fn stored() -> Webhook {
        let hook = Hook {
            url: Secret::new("https://hooks.acme.example/T0/marked"),
            secret: Some(Secret::new("marked-signing-secret")),
        };
        let id = Uuid::from_u128(7);
        Webhook {
            id,
            name: "on-call".to_owned(),
            enabled: true,
            preset: Preset::Slack,
            rules: vec![Rule::BreakerOpen, Rule::Budget],
            host: "https://hooks.acme.example".to_owned(),
            sealed: hook.seal(&sealer(1), id).unwrap(),
            signed: true,
            version: 3,
            created_at: UnixMs(1),
            updated_at: UnixMs(2),
        }
    }

    fn row(webhook: &Webhook, kind: BackupKind) -> serde_json::Value {
        serde_json::to_value(WebhookRow::of(&sealer(1), webhook, kind)).unwrap()
    }

    fn written(kind: BackupKind) -> serde_json::Value {
        row(&stored(), kind)
    }

    fn read(row: serde_json::Value, under: u8) -> Result<Webhook, Invalid> {
        let row: WebhookRow = serde_json::from_value(row).unwrap();
        row.read(&sealer(under)).map(|(webhook, _)| webhook)
    }

    #[test]
    fn g05_a_webhook_comes_back_as_it_was_under_its_master_key() {
        let stored = stored();
        let row = row(&stored, BackupKind::Standard);
        assert!(!row.to_string().contains("marked"));
        assert_eq!(read(row.clone(), 1).unwrap(), stored);
        assert!(read(row, 2).is_err());
    }

    #[test]
    fn g05_a_webhook_that_could_not_be_opened_comes_back_as_it_was_and_is_named() {
        let stored = stored();
        for kind in [BackupKind::Standard, BackupKind::Encrypted] {
            let row = serde_json::to_value(WebhookRow::of(&sealer(2), &stored, kind)).unwrap();
            let row: WebhookRow = serde_json::from_value(row).unwrap();
            let (webhook, remark) = row.read(&sealer(2)).unwrap();
            assert_eq!(webhook, stored);
            assert!(remark.unwrap().contains("the URL of webhook \"on-call\""));
        }
    }

    #[test]
    fn g05_with_its_secrets_a_webhook_moves_to_another_master_key() {
        let webhook = read(written(BackupKind::Encrypted), 2).unwrap();
        let hook = Hook::of(&sealer(2), &webhook).unwrap();
        assert!(hook.url.matches("https://hooks.acme.example/T0/marked"));
        assert!(hook.secret.unwrap().matches("marked-signing-secret"));
    }

    #[test]
    fn g05_a_sanitised_webhook_has_no_url() {
        assert!(written(BackupKind::Sanitised).get("hook").is_none());
        assert!(read(written(BackupKind::Sanitised), 1).is_err());
    }

    #[test]
    fn g05_a_webhook_that_this_release_does_not_know_is_refused() {
        for (field, value) in [
            ("preset", serde_json::json!("pigeon")),
            ("rules", serde_json::json!(["moon_is_full"])),
            ("name", serde_json::json!("")),
        ] {
            let mut row = written(BackupKind::Standard);
            row[field] = value;
            assert!(read(row, 1).is_err(), "{field}");
        }
    }
}
