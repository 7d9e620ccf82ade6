//! A test of the connection to a provider.

use penstock_core::invalid::Invalid;
use penstock_proto::admin::v1 as wire;
use penstock_proto::sync::v1::{Check as WireCheck, CheckOutcome};
use serde::Serialize;

use super::{View, or_dash, rows};
use crate::failure::Failure;

/// `penstock provider test --all`.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderTests {
    pub items: Vec<ProviderTest>,
}

/// `penstock provider test NAME`.
#[derive(Debug, Serialize)]
pub(crate) struct ProviderTest {
    pub provider_id: String,
    pub provider: String,
    /// The data plane that made the test.
    pub node_id: String,
    pub reachable: Check,
    pub credential: Check,
    pub model: Check,
    /// The model that was asked for an answer.
    pub asked_model: Option<String>,
}

/// One of the three checks.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// `passed`, `failed`, `skipped`.
    pub outcome: &'static str,
    pub took_ms: Option<u32>,
    /// What went wrong, or why it was skipped.
    pub error: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl ProviderTest {
    pub(crate) fn read(answer: wire::TestProviderResponse) -> Result<Self, Failure> {
        let missing = || Invalid::new("test", "is missing");
        let test = answer.test.ok_or_else(missing)?;
        Ok(Self {
            provider_id: answer.provider_id,
            provider: answer.provider,
            node_id: answer.node_id,
            reachable: Check::read(test.reachable.unwrap_or_default()),
            credential: Check::read(test.credential.unwrap_or_default()),
            model: Check::read(test.model.unwrap_or_default()),
            asked_model: some(test.asked_model),
        })
    }

    pub(crate) fn failed(&self) -> bool {
        self.checks().iter().any(|(_, check)| check.outcome == "failed")
    }

    fn checks(&self) -> [(&'static str, &Check); 3] {
        [
            ("reachable", &self.reachable),
            ("credential", &self.credential),
            ("model", &self.model),
        ]
    }

    fn cells(&self) -> impl Iterator<Item = Vec<String>> {
        self.checks().into_iter().map(|(name, check)| {
            let name = match (name, &self.asked_model) {
                ("model", Some(model)) => format!("model {model}"),
                (name, _) => name.to_owned(),
            };
            let took = check.took_ms.map(|ms| format!("{ms} ms"));
            let text = match (&check.error, &check.advice) {
                (Some(error), Some(advice)) => format!("{error}\n{advice}"),
                (Some(error), None) => error.clone(),
                (None, _) => String::new(),
            };
            vec![
                self.provider.clone(),
                name,
                check.outcome.to_owned(),
                or_dash(took.as_deref()),
                text,
            ]
        })
    }
}

impl Check {
    fn read(check: WireCheck) -> Self {
        let (outcome, took_ms) = match check.outcome() {
            CheckOutcome::Passed => ("passed", Some(check.took_ms)),
            CheckOutcome::Failed => ("failed", None),
            CheckOutcome::Skipped | CheckOutcome::Unspecified => ("skipped", None),
        };
        Self {
            outcome,
            took_ms,
            error: some(check.error),
            advice: some(check.advice),
        }
    }
}

const HEADER: [&str; 5] = ["PROVIDER", "CHECK", "OUTCOME", "TOOK", "WHY"];

impl View for ProviderTest {
    fn table(&self) -> String {
        let table = rows(&HEADER, self.cells());
        format!("{table}\ntested by data plane {}", self.node_id)
    }
}

impl View for ProviderTests {
    fn table(&self) -> String {
        rows(&HEADER, self.items.iter().flat_map(ProviderTest::cells))
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
