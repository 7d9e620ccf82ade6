//! Which providers are well.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{View, or_dash, rows};

/// `penstock breaker list`.
#[derive(Debug, Serialize)]
pub(crate) struct Breakers {
    pub items: Vec<Breaker>,
}

/// The state of a provider, or of one of its models.
#[derive(Debug, Serialize)]
pub(crate) struct Breaker {
    pub provider_id: String,
    pub provider: String,
    /// Null: the provider as a whole.
    pub model: Option<String>,
    /// `closed`, `open`, `half_open`, `forced_open`, `cooling`, `credential_suspect`, `credential_failed`,
    /// `credential_revoked`, `billing`, `no_model`.
    pub state: String,
    pub why: Option<String>,
    /// When it ends by itself.
    pub until: Option<String>,
    pub since: Option<String>,
    /// Failures in a row that open the breaker; 0: it has none.
    pub failures_to_open: u32,
    /// A data plane or an operator.
    pub by: Option<String>,
}

/// `penstock provider reset`.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderReset {
    pub provider_id: String,
    pub provider: String,
    /// What was in force until now.
    pub cleared: Vec<Breaker>,
}

impl Breakers {
    pub(crate) fn read(breakers: Vec<wire::Breaker>) -> Self {
        Self {
            items: breakers.into_iter().map(Breaker::read).collect(),
        }
    }
}

impl Breaker {
    pub(crate) fn read(breaker: wire::Breaker) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let at = |ms: Option<i64>| ms.map(|ms| UnixMs(ms).to_string());
        Self {
            provider_id: breaker.provider_id,
            provider: breaker.provider,
            model: some(breaker.model),
            state: breaker.state,
            why: some(breaker.why),
            until: at(breaker.until_ms),
            since: at(breaker.since_ms),
            failures_to_open: breaker.failures_to_open,
            by: some(breaker.by),
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.provider.clone(),
            or_dash(self.model.as_deref()),
            self.state.clone(),
            or_dash(self.until.as_deref()),
            or_dash(self.since.as_deref()),
            or_dash(self.by.as_deref()),
            or_dash(self.why.as_deref()),
        ]
    }
}

const HEADER: [&str; 7] = ["PROVIDER", "MODEL", "STATE", "UNTIL", "SINCE", "BY", "WHY"];

impl View for Breakers {
    fn table(&self) -> String {
        rows(&HEADER, self.items.iter().map(Breaker::cells))
    }
}

impl View for Breaker {
    fn table(&self) -> String {
        rows(&HEADER, std::iter::once(self.cells()))
    }
}

impl ProviderReset {
    pub(crate) fn read(answer: wire::ResetProviderResponse) -> Self {
        Self {
            provider_id: answer.provider_id,
            provider: answer.provider,
            cleared: answer.cleared.into_iter().map(Breaker::read).collect(),
        }
    }
}

impl View for ProviderReset {
    fn table(&self) -> String {
        let what = |it: &Breaker| match &it.model {
            Some(model) => format!("{} of {model}", it.state),
            None => it.state.clone(),
        };
        let cleared: Vec<_> = self.cleared.iter().map(what).collect();
        match cleared.is_empty() {
            true => format!("reset provider {}; nothing was in force", self.provider),
            false => format!("reset provider {}; it was: {}", self.provider, cleared.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::read(wire::Breaker {
            provider_id: "1".to_owned(),
            provider: "main".to_owned(),
            model: String::new(),
            state: "open".to_owned(),
            why: "5 failures in a row".to_owned(),
            until_ms: Some(1_700_000_000_000),
            since_ms: None,
            failures_to_open: 5,
            by: "node-1".to_owned(),
        })
    }

    #[test]
    fn b08_a_breaker_has_a_stable_form_for_scripts() {
        assert_eq!(
            serde_json::to_string(&breaker()).unwrap(),
            r#"{"provider_id":"1","provider":"main","model":null,"state":"open","why":"5 failures in a row","until":"2023-11-14T22:13:20Z","since":null,"failures_to_open":5,"by":"node-1"}"#
        );
    }

    #[test]
    fn b08_a_reset_says_what_it_cleared() {
        let mut reset = ProviderReset {
            provider_id: "1".to_owned(),
            provider: "main".to_owned(),
            cleared: vec![breaker()],
        };
        assert_eq!(reset.table(), "reset provider main; it was: open");
        reset.cleared.clear();
        assert_eq!(reset.table(), "reset provider main; nothing was in force");
    }
}
