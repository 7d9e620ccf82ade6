//! What providers are sent: the caller's body with each provider's own changes, or its translation.
//!
//! Made once for each provider that is asked, however many tries it gets. A body that changes in a few places shares the
//! caller's memory; a translated or filtered one is new, and takes its own part of the memory for bodies. What takes long
//! is done beside the other calls, not between them.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use penstock_core::credential::Credential;
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::ProviderKind;
use penstock_core::request_filter::RequestFilters;
use penstock_core::snapshot::Snapshot;
use penstock_dialect::edit::{self, Edits, TooLong};
use penstock_dialect::inspect::{self, Inspected};
use penstock_dialect::provider_body;
use penstock_dialect::route::InPath;
use penstock_dialect::translate::{self, Answers, Untranslatable};
use penstock_dialect::upstream_path::Wanted;

use super::budget::{BudgetFull, Reservation};
use super::call::{Call, Chosen};
use super::filter;
use super::words::AT_ONCE;
use crate::upstream::SendBody;

/// What the caller sent.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) headers: HeaderMap,
    /// The body, decoded.
    pub(super) asked: Bytes,
    pub(super) inspected: Inspected,
    /// The one known flag of the caller's query.
    pub(super) beta: bool,
    /// The usage chunk is asked for by us, and the caller must not see it.
    pub(super) hide_usage: bool,
}

/// What one provider is sent.
pub(super) struct Sent {
    pub(super) body: SendBody,
    /// Translates the answer; None where caller and provider speak the same dialect.
    pub(super) answers: Option<Answers>,
    /// The caller's headers as the operators' filters leave them; None: as they came.
    pub(super) headers: Option<HeaderMap>,
    /// For a body that is new; given back with it.
    _memory: Option<Reservation>,
}

/// Why a provider cannot be sent the request.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unsendable {
    #[error(transparent)]
    Untranslatable(#[from] Untranslatable),
    /// By the operator's request filters.
    #[error(transparent)]
    Filtered(#[from] TooLong),
    #[error("the memory for bodies (--max-bodies-bytes) is used up")]
    NoMemory,
    #[error("what it would be sent could not be made: {0}")]
    Failed(String),
}

/// What is to be made for one provider.
#[derive(Clone, Copy)]
struct Job<'a> {
    snapshot: &'a Snapshot,
    chosen: &'a Chosen,
    dialect: Dialect,
    operation: Operation,
    /// What the provider is asked for.
    model: &'a str,
}

impl From<BudgetFull> for Unsendable {
    fn from(BudgetFull: BudgetFull) -> Self {
        Self::NoMemory
    }
}

impl Outgoing {
    /// For this provider.
    pub(super) async fn sent(&self, call: &Call, chosen: &Chosen) -> Result<Sent, Unsendable> {
        let job = Job {
            snapshot: &call.snapshot,
            chosen,
            dialect: call.dialect,
            operation: call.request().operation,
            model: chosen.model_sent(call),
        };
        let memory = call.proxy.budget.reservation();
        if self.asked.len() <= AT_ONCE || !job.takes_long() {
            return job.make(self, memory);
        }
        let (snapshot, chosen, model) = (Arc::clone(&call.snapshot), chosen.clone(), job.model.to_owned());
        let (dialect, operation) = (job.dialect, job.operation);
        // Both share the body's memory.
        let outgoing = self.clone();
        let making = tokio::task::spawn_blocking(move || {
            let job = Job {
                snapshot: &snapshot,
                chosen: &chosen,
                dialect,
                operation,
                model: &model,
            };
            job.make(&outgoing, memory)
        });
        let made = making.await;
        made.unwrap_or_else(|error| Err(Unsendable::Failed(error.to_string())))
    }

    /// What is asked of the provider.
    pub(super) fn wanted<'a>(&self, call: &'a Call, chosen: &'a Chosen) -> Wanted<'a> {
        Wanted {
            dialect: chosen.spoken,
            operation: call.request().operation,
            model: chosen.model_sent(call),
            stream: call.asked.stream,
            beta: self.beta && call.dialect == chosen.spoken,
        }
    }
}

impl Job<'_> {
    fn filters(&self) -> &RequestFilters {
        self.snapshot.request_filters()
    }

    /// Whether the whole of a body is worked on.
    fn takes_long(&self) -> bool {
        let provider = &self.chosen.provider.provider;
        let translates = self.dialect != self.chosen.spoken;
        // Their bodies of Claude's API are looked through for what they do not know.
        let of_cloud = self.chosen.spoken == Dialect::Anthropic
            && matches!(provider.kind, ProviderKind::Bedrock | ProviderKind::Vertex);
        translates
            || of_cloud
            || self.signs()
            || !provider.overrides.is_empty()
            || filter::has_body(self.filters(), &provider.name)
    }

    /// A signature covers the body.
    fn signs(&self) -> bool {
        matches!(self.chosen.provider.credential, Some(Credential::Aws(_)))
    }

    fn make(&self, outgoing: &Outgoing, mut memory: Reservation) -> Result<Sent, Unsendable> {
        let name = &self.chosen.provider.provider.name;
        let headers = filter::headers(self.filters(), name, &outgoing.headers);
        let (body, answers) = match translate::between(self.dialect, self.chosen.spoken) {
            Some(translation) => {
                memory.grow(translate::memory(&outgoing.asked)?)?;
                let (body, answers) = self.translated(outgoing, &headers, translation)?;
                (body, Some(answers))
            }
            None => {
                let (body, inspected) = (&outgoing.asked, &outgoing.inspected);
                (self.edited(&headers, body, inspected, outgoing.hide_usage), None)
            }
        };
        let filtered = filter::has_body(self.filters(), name);
        let body = match filtered {
            true => {
                memory.grow(2 * body.len())?;
                filter::body(self.filters(), name, body)?
            }
            false => body,
        };
        let body = if self.signs() { body.hashed() } else { body };
        let is_new = filtered || answers.is_some();
        if is_new {
            memory.resize(body.len())?;
        }
        Ok(Sent {
            body,
            answers,
            headers: match headers {
                Cow::Owned(filtered) => Some(filtered),
                Cow::Borrowed(_) => None,
            },
            _memory: is_new.then_some(memory),
        })
    }

    fn translated(
        &self,
        outgoing: &Outgoing,
        headers: &HeaderMap,
        translation: translate::Translation,
    ) -> Result<(SendBody, Answers), Untranslatable> {
        let translation = translation.with_openai(is_openai(self.chosen.provider.provider.kind));
        let translated = translation.request(&outgoing.asked, self.model)?;
        let body = Bytes::from(translated.body);
        let in_path = InPath {
            model: self.model.to_owned(),
            stream: translated.stream,
        };
        let in_path = Some(&in_path).filter(|_| self.chosen.spoken == Dialect::Gemini);
        let inspected =
            inspect::inspect(self.chosen.spoken, in_path, &body).map_err(Untranslatable::NoRequest)?;
        Ok((self.edited(headers, &body, &inspected, false), translated.answers))
    }

    /// With what the provider's configuration and kind change.
    fn edited(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        inspected: &Inspected,
        include_usage: bool,
    ) -> SendBody {
        let provider = &self.chosen.provider.provider;
        let of_kind = provider_body::members(provider.kind, self.chosen.spoken, self.operation, headers);
        let in_messages = provider_body::in_messages(provider.kind, headers, body);
        let edits = Edits {
            model: (self.model != inspected.model).then_some(self.model),
            overrides: &provider.overrides,
            of_kind: &of_kind,
            in_messages: &in_messages,
            include_usage,
        };
        match edit::rewrite(body, inspected, &edits) {
            Some(edited) => edited.into(),
            None => body.clone().into(),
        }
    }
}

fn is_openai(kind: ProviderKind) -> bool {
    use ProviderKind as Kind;
    match kind {
        Kind::Openai | Kind::AzureOpenai => true,
        Kind::Anthropic
        | Kind::OpenaiCompatible
        | Kind::Gemini
        | Kind::Bedrock
        | Kind::Vertex
        | Kind::Droid => false,
    }
}
