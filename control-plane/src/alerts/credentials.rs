//! Access tokens that cannot be renewed.

use penstock_core::alert::Rule;
use penstock_store::{StoredToken, TokenState};

use super::{Condition, names};
use crate::index::Index;

/// A failure that may pass is told when it has come so often in a row.
const TIMES: u32 = 3;

pub(super) fn conditions(index: &Index, tokens: &[StoredToken]) -> Vec<Condition> {
    let troubled = tokens.iter().filter(|token| {
        let failing = token
            .failure
            .as_ref()
            .is_some_and(|failure| failure.times >= TIMES);
        token.state != TokenState::Ready || failing
    });
    let known = troubled.filter(|token| names::provider(index, token.provider).is_some());
    known.map(|token| condition(index, token)).collect()
}

fn condition(index: &Index, token: &StoredToken) -> Condition {
    let name = names::provider_name(index, token.provider);
    let what = match token.state {
        TokenState::NeedsLogin => "somebody must log in",
        TokenState::Misconfigured => "its client is not accepted",
        TokenState::Ready => "renewing it fails again and again",
    };
    let failure = token.failure.as_ref();
    let because = failure.map_or(String::new(), |failure| match failure.causes.is_empty() {
        true => format!("{} failed. {}", failure.step, failure.advice),
        false => format!("{} failed: {}. {}", failure.step, failure.causes, failure.advice),
    });
    Condition {
        rule: Rule::TokenRefreshFailed,
        subject: format!("provider:{}", token.provider),
        title: format!("The access token of provider {name} cannot be renewed: {what}"),
        detail: format!("{because} See `penstock oauth status`.")
            .trim_start()
            .to_owned(),
    }
}
