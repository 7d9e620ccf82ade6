//! Who could have served a call, and who was asked.

use penstock_core::usage::decision::{Attempt as CoreAttempt, Candidate as CoreCandidate, Decision};
use serde::Serialize;

use super::super::judged::Verdict;
use super::super::{or_dash, rows};
use super::Names;

/// A provider, as it was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Candidate {
    pub provider: String,
    pub provider_id: String,
    /// At the first choice, or when it was passed over later.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// When nobody was left to ask, if it was another one then.
    pub at_end: Option<Verdict>,
}

/// One request to a provider.
#[derive(Debug, Serialize)]
pub(crate) struct Attempt {
    pub provider: String,
    pub provider_id: String,
    /// The substitute that was asked for.
    pub substitute: Option<String>,
    /// Since the request arrived.
    pub began_ms: u32,
    pub took_ms: u32,
    /// `answered`, `connect`, `timeout`, `broken`, `abandoned`.
    pub end: &'static str,
    pub status: Option<u16>,
    /// Of a failure: the letter of its class and its name.
    pub class: Option<char>,
    pub class_name: Option<&'static str>,
    /// Of a failure: the row of the table of upstream errors, or the operator's rule.
    pub rule: Option<String>,
    pub upstream_request_id: Option<String>,
}

impl Candidate {
    pub(super) fn all(decision: &Decision, names: &Names) -> Vec<Self> {
        let one = |candidate: &CoreCandidate| Self {
            provider: names.of(candidate.provider_id),
            provider_id: candidate.provider_id.to_string(),
            verdict: candidate.verdict.into(),
            at_end: candidate.at_end.map(Verdict::from),
        };
        decision.candidates.iter().map(one).collect()
    }

    /// None: nobody was looked at.
    pub(super) fn table(all: &[Self]) -> Option<String> {
        if all.is_empty() {
            return None;
        }
        let cells = all.iter().map(|candidate| {
            let at_end = candidate.at_end.as_ref();
            let at_end = at_end.map_or_else(String::new, |at_end| format!("; at the end: {}", at_end.text));
            vec![
                candidate.provider.clone(),
                format!("{}{at_end}", candidate.verdict.text),
            ]
        });
        Some(rows(&["PROVIDER", "VERDICT"], cells))
    }
}

impl Attempt {
    pub(super) fn all(decision: &Decision, names: &Names) -> Vec<Self> {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        let one = |attempt: &CoreAttempt| Self {
            provider: names.of(attempt.provider_id),
            provider_id: attempt.provider_id.to_string(),
            substitute: text(&attempt.substitute),
            began_ms: attempt.began_ms,
            took_ms: attempt.took_ms,
            end: attempt.end.word(),
            status: attempt.end.status(),
            class: attempt.class.map(|class| class.letter()),
            class_name: attempt.class.map(|class| class.as_str()),
            rule: text(&attempt.rule),
            upstream_request_id: text(&attempt.upstream_request_id),
        };
        decision.attempts.iter().map(one).collect()
    }

    /// None: nobody was asked.
    pub(super) fn table(all: &[Self]) -> Option<String> {
        if all.is_empty() {
            return None;
        }
        let header = [
            "ATTEMPT", "PROVIDER", "BEGAN", "TOOK", "END", "CLASS", "RULE", "THEIR ID",
        ];
        let cells = all.iter().enumerate().map(|(i, attempt)| {
            let substitute = attempt.substitute.as_deref();
            let substitute = substitute.map_or_else(String::new, |model| format!(" for {model}"));
            let class = attempt.class.zip(attempt.class_name);
            let class = class.map(|(letter, name)| format!("{letter} {name}"));
            vec![
                (i + 1).to_string(),
                format!("{}{substitute}", attempt.provider),
                format!("{} ms", attempt.began_ms),
                format!("{} ms", attempt.took_ms),
                attempt
                    .status
                    .map_or_else(|| attempt.end.to_owned(), |status| status.to_string()),
                or_dash(class.as_deref()),
                or_dash(attempt.rule.as_deref()),
                or_dash(attempt.upstream_request_id.as_deref()),
            ]
        });
        Some(rows(&header, cells))
    }
}
