//! The rules that users and keys share.

use jiff::SignedDuration;
use penstock_core::access::Access as Rules;
use serde::Serialize;

use super::{joined, or_dash, yes_no};
use crate::args::{client, pattern};

/// Flattened into users and keys.
#[derive(Debug, Serialize)]
pub(crate) struct Access {
    pub enabled: bool,
    /// As it was set. Null: none was.
    pub expires_at: Option<String>,
    /// Counted from the first use.
    pub expires_after_ms: Option<u64>,
    /// Known only where the expiry counts from it.
    pub first_used_at: Option<String>,
    /// When it really expires, as far as that is known.
    pub ends_at: Option<String>,
    pub tags: Vec<String>,
    pub groups: Vec<String>,
    pub allowed_models: Vec<String>,
    pub blocked_models: Vec<String>,
    pub allowed_dialects: Vec<String>,
    pub allowed_clients: Vec<String>,
    pub blocked_clients: Vec<String>,
    pub allowed_addresses: Vec<String>,
}

impl From<&Rules> for Access {
    fn from(rules: &Rules) -> Self {
        let first_use = rules.activation.and_then(|activation| activation.first_used_at);
        Self {
            enabled: rules.enabled,
            expires_at: rules.expires_at.map(|at| at.to_string()),
            expires_after_ms: rules.activation.map(|activation| activation.expires_after_ms),
            first_used_at: first_use.map(|at| at.to_string()),
            ends_at: rules.ends_at().map(|at| at.to_string()),
            tags: rules.tags.clone(),
            groups: rules.groups.clone(),
            allowed_models: rules.allowed_models.iter().map(pattern::write).collect(),
            blocked_models: rules.blocked_models.iter().map(pattern::write).collect(),
            allowed_dialects: rules
                .rules
                .allowed_dialects
                .iter()
                .map(ToString::to_string)
                .collect(),
            allowed_clients: rules.rules.allowed_clients.iter().map(client::write).collect(),
            blocked_clients: rules.rules.blocked_clients.iter().map(client::write).collect(),
            allowed_addresses: rules
                .rules
                .allowed_addresses
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

impl Access {
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("enabled", yes_no(self.enabled)),
            ("expires", self.expires()),
            ("tags", joined(&self.tags)),
            ("groups", joined(&self.groups)),
            ("allowed models", joined(&self.allowed_models)),
            ("blocked models", joined(&self.blocked_models)),
        ];
        if self.expires_after_ms.is_some() {
            fields.push(("first used", or_dash(self.first_used_at.as_deref())));
        }
        let rules = [
            ("allowed dialects", &self.allowed_dialects),
            ("allowed clients", &self.allowed_clients),
            ("blocked clients", &self.blocked_clients),
            ("allowed addresses", &self.allowed_addresses),
        ];
        // Few have them.
        let rules = rules.into_iter().filter(|(_, list)| !list.is_empty());
        fields.extend(rules.map(|(name, list)| (name, joined(list))));
        fields
    }

    pub(crate) fn expires(&self) -> String {
        match (&self.ends_at, self.expires_after_ms, &self.first_used_at) {
            (Some(at), Some(after), None) => format!("{at}, or {} after first use", span(after)),
            (None, Some(after), None) => format!("{} after first use", span(after)),
            (at, _, _) => or_dash(at.as_deref()),
        }
    }

    /// What narrows it beyond models, in a cell of a list.
    pub(crate) fn only(&self) -> String {
        let blocked = self.blocked_clients.iter().map(|client| format!("not {client}"));
        let lists = [
            &self.allowed_dialects,
            &self.allowed_clients,
            &self.allowed_addresses,
        ];
        let all: Vec<String> = lists.into_iter().flatten().cloned().chain(blocked).collect();
        joined(&all)
    }
}

/// `30d`, `1d 12h`.
fn span(ms: u64) -> String {
    const DAY_MS: u64 = 86_400_000;
    let (days, rest) = (ms / DAY_MS, ms % DAY_MS);
    let rest = SignedDuration::from_millis(i64::try_from(rest).unwrap_or(0));
    match (days, rest.is_zero()) {
        (0, _) => format!("{rest:#}"),
        (days, true) => format!("{days}d"),
        (days, false) => format!("{days}d {rest:#}"),
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::access::Activation;
    use penstock_core::time::UnixMs;

    use super::*;

    fn expires(expires_at: Option<i64>, activation: Option<Activation>) -> String {
        let rules = Rules {
            expires_at: expires_at.map(UnixMs),
            activation,
            ..Rules::default()
        };
        Access::from(&rules).expires()
    }

    #[test]
    fn a04_an_expiry_that_waits_for_the_first_use_says_so() {
        const MONTH: u64 = 30 * 86_400_000;
        let waiting = Activation::after(MONTH);
        assert_eq!(expires(None, Some(waiting)), "30d after first use");
        assert_eq!(
            expires(Some(1_700_000_000_000), Some(waiting)),
            "2023-11-14T22:13:20Z, or 30d after first use"
        );
        let used = Activation {
            first_used_at: Some(UnixMs(1_700_000_000_000)),
            ..waiting
        };
        assert_eq!(expires(None, Some(used)), "2023-12-14T22:13:20Z");
        assert_eq!(expires(None, None), "-");
        assert_eq!(
            (span(5_400_000), span(90_000_000)),
            ("1h 30m".into(), "1d 1h".into())
        );
    }
}
