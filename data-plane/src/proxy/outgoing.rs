//! What providers are sent: the caller's body with each provider's own changes, or its translation.
//!
//! Made once for each provider that is asked, however many tries it gets. A body that changes in a few places shares the
//! caller's memory; a translated one is new.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use penstock_dialect::edit::{self, Edits};
use penstock_dialect::inspect::{self, Inspected};
use penstock_dialect::provider_body;
use penstock_dialect::route::InPath;
use penstock_dialect::translate::{self, Answers, Untranslatable};
use penstock_dialect::upstream_path::Wanted;

use super::call::{Call, Chosen};
use super::filter;
use crate::upstream::SendBody;

/// What the caller sent.
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
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) body: SendBody,
    /// Translates the answer; None where caller and provider speak the same dialect.
    pub(super) answers: Option<Answers>,
    /// The caller's headers as the operators' filters leave them; None: as they came.
    pub(super) headers: Option<HeaderMap>,
}

impl Outgoing {
    /// For this provider.
    pub(super) fn sent(&self, call: &Call, chosen: &Chosen) -> Result<Sent, Untranslatable> {
        let sent = match translate::between(call.dialect, chosen.spoken) {
            Some(translation) => self.translated(call, chosen, translation)?,
            None => Sent {
                body: self.edited(call, chosen, &self.asked, &self.inspected, self.hide_usage),
                answers: None,
                headers: None,
            },
        };
        let (filters, name) = (call.snapshot.request_filters(), &chosen.provider.provider.name);
        let (headers, body) = filter::apply(filters, name, &self.headers, sent.body);
        Ok(Sent {
            body,
            headers: match headers {
                Cow::Owned(filtered) => Some(filtered),
                Cow::Borrowed(_) => None,
            },
            ..sent
        })
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

    fn translated(
        &self,
        call: &Call,
        chosen: &Chosen,
        translation: translate::Translation,
    ) -> Result<Sent, Untranslatable> {
        let model = chosen.model_sent(call);
        let kind = chosen.provider.provider.kind;
        let translation = translation.with_openai(is_openai(kind));
        let translated = translation.request(&self.asked, model)?;
        let body = Bytes::from(translated.body);
        let in_path = InPath {
            model: model.to_owned(),
            stream: translated.stream,
        };
        let in_path = Some(&in_path).filter(|_| chosen.spoken == penstock_core::dialect::Dialect::Gemini);
        let inspected = inspect::inspect(chosen.spoken, in_path, &body).map_err(Untranslatable::NoRequest)?;
        Ok(Sent {
            body: self.edited(call, chosen, &body, &inspected, false),
            answers: Some(translated.answers),
            headers: None,
        })
    }

    /// With what the provider's configuration and kind change.
    fn edited(
        &self,
        call: &Call,
        chosen: &Chosen,
        body: &Bytes,
        inspected: &Inspected,
        include_usage: bool,
    ) -> SendBody {
        let sent = chosen.model_sent(call);
        let provider = &chosen.provider.provider;
        let operation = call.request().operation;
        let of_kind = provider_body::members(provider.kind, chosen.spoken, operation, &self.headers);
        let in_messages = provider_body::in_messages(provider.kind, &self.headers, body);
        let edits = Edits {
            model: (sent != inspected.model).then_some(sent),
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

fn is_openai(kind: penstock_core::provider::ProviderKind) -> bool {
    use penstock_core::provider::ProviderKind as Kind;
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
