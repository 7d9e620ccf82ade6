//! Calls that this node makes by itself to see whether a provider answers (behaviours B9, B11, B13).
//!
//! | why | what is asked | what follows |
//! |---|---|---|
//! | an operator's test | the list of models, then one short answer | a report, nothing else |
//! | a credential was refused here | the list of models; an answer where that does not tell | accepted, or failed |
//! | a credential has failed, every 30 min | the same | accepted, or still failed |
//! | the operator wants probes | the same | failures in a row, for alerts |
//!
//! What the whole fleet would do is done by one node at a time, which holds a lease for it as for a breaker's trial. All go
//! the way that traffic goes: the provider's proxy, its addresses, its TLS. They are in no ledger, since no key makes them;
//! one short answer of a test costs a few tokens.

mod advice;
mod ask;
mod desk;
mod judge;
mod question;
mod rounds;

use std::time::Duration;

use penstock_core::model::ModelPattern;
use penstock_core::snapshot::{ProviderEntry, Snapshot};
use tokio::time::Instant;

use crate::upstream::Targets;
use ask::{Answer, Unanswered};
pub use desk::{Desk, NotTested, Question};
use judge::Credential;
pub(crate) use rounds::run;

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// DNS, proxy, TLS, connection: something answered.
    pub reachable: Check,
    pub credential: Check,
    pub model: Check,
    /// The model that was asked for an answer; empty: none.
    pub asked_model: String,
}

/// One of three checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    Passed(Duration),
    /// The texts are for operators; credentials in them are masked.
    Failed {
        error: String,
        advice: &'static str,
    },
    Skipped(&'static str),
}

/// What a test means for the provider's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) reachable: bool,
    /// None: it does not tell.
    pub(crate) accepted: Option<bool>,
    pub(crate) why: String,
}

/// Who is tested, and how.
pub(crate) struct Test<'a> {
    pub(crate) targets: &'a Targets,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) entry: &'a ProviderEntry,
    /// As clients name it. None: one that the provider's rules name, if any.
    pub(crate) model: Option<&'a str>,
    /// No answer is asked for.
    pub(crate) free: bool,
    pub(crate) deadline: Instant,
}

impl Test<'_> {
    /// All three checks.
    pub(crate) async fn whole(&self) -> Report {
        let first = ask::models(self).await;
        let answered = match first {
            Ok(answered) => answered,
            Err(unanswered) => return unreachable(unanswered),
        };
        let listed = judge::credential(&answered);
        let (asked_model, model) = match (&listed, self.named_model()) {
            (Credential::Refused { .. }, _) => (String::new(), None),
            (_, None) => (String::new(), None),
            (_, Some(model)) => (model.to_owned(), Some(ask::answer(self, model).await)),
        };
        let credential = match (&listed, &model) {
            (Credential::Unknown, Some(Ok(answer))) => judge::credential(answer),
            (Credential::Accepted | Credential::Refused { .. } | Credential::Unknown, _) => listed,
        };
        let told_by = match (&credential, &model) {
            (Credential::Accepted, Some(Ok(answer))) if !answered.is_success() => answer,
            _ => &answered,
        };
        Report {
            reachable: Check::Passed(answered.took),
            credential: credential_check(&credential, told_by),
            model: model_check(&credential, model),
            asked_model,
        }
    }

    /// The cheapest that tells about the credential.
    pub(crate) async fn short(&self) -> Verdict {
        let answered = match ask::models(self).await {
            Ok(answered) => answered,
            Err(unanswered) => return Verdict::unreachable(&unanswered),
        };
        let listed = judge::credential(&answered);
        match (listed, self.named_model()) {
            (Credential::Unknown, Some(model)) => match ask::answer(self, model).await {
                Ok(answer) => Verdict::of(&judge::credential(&answer), &answer),
                Err(unanswered) => Verdict::unreachable(&unanswered),
            },
            (credential, _) => Verdict::of(&credential, &answered),
        }
    }

    fn named_model(&self) -> Option<&str> {
        let rules = &self.entry.provider.models;
        if self.free {
            return None;
        }
        self.model.or_else(|| rules.iter().find_map(exact))
    }
}

/// The name in a rule that has just one.
fn exact(pattern: &ModelPattern) -> Option<&str> {
    match pattern {
        ModelPattern::Exact(name) => Some(name),
        ModelPattern::Prefix(_)
        | ModelPattern::Suffix(_)
        | ModelPattern::Contains(_)
        | ModelPattern::Regex(_) => None,
    }
}

impl Verdict {
    fn of(credential: &Credential, answer: &Answer) -> Self {
        Self {
            reachable: true,
            accepted: match credential {
                Credential::Accepted => Some(true),
                Credential::Refused { .. } => Some(false),
                Credential::Unknown => None,
            },
            why: format!("a probe: {}", answer.describe()),
        }
    }

    fn unreachable(unanswered: &Unanswered) -> Self {
        Self {
            reachable: false,
            accepted: None,
            why: format!("a probe: {}", unanswered.error),
        }
    }
}

fn unreachable(unanswered: Unanswered) -> Report {
    let skipped = || Check::Skipped("nothing answered");
    Report {
        reachable: unanswered.check(),
        credential: skipped(),
        model: skipped(),
        asked_model: String::new(),
    }
}

fn credential_check(credential: &Credential, answer: &Answer) -> Check {
    match credential {
        Credential::Accepted => Check::Passed(answer.took),
        Credential::Refused { permanent } => Check::Failed {
            error: answer.describe(),
            advice: advice::credential(*permanent),
        },
        Credential::Unknown => {
            Check::Skipped("the provider's answers do not tell; give --model to ask for one")
        }
    }
}

fn model_check(credential: &Credential, asked: Option<Result<Answer, Unanswered>>) -> Check {
    match asked {
        None if matches!(credential, Credential::Refused { .. }) => {
            Check::Skipped("the credential was refused")
        }
        None => Check::Skipped("no model was named; give --model"),
        Some(Err(unanswered)) => unanswered.check(),
        Some(Ok(answer)) if answer.is_success() => Check::Passed(answer.took),
        Some(Ok(answer)) => Check::Failed {
            error: answer.describe(),
            advice: advice::finding(answer.finding.as_ref()),
        },
    }
}
