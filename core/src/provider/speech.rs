//! Which dialect a provider is spoken to in.
//!
//! *Itself.* A caller's own dialect, where the provider speaks it; then bytes pass as they are.
//!
//! *Translated.* Otherwise a dialect of the provider's into which the caller's can be translated, if the operator allows
//! it for callers of that dialect. Counting tokens and the like are never translated.
//!
//! *Vertex AI* speaks Anthropic for Claude's models and Gemini for all others, so the model decides there. *Droid*
//! providers are asked only by callers of their own paths, and those ask nobody else.

use super::{Provider, ProviderKind};
use crate::dialect::{Dialect, Operation};
use crate::invalid::Invalid;

/// What a caller asks for, as far as it decides who can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub dialect: Dialect,
    pub operation: Operation,
    /// It came by a path that is for providers of kind `droid` alone.
    pub droid: bool,
}

impl Request {
    /// An answer in this dialect.
    pub fn answer(dialect: Dialect) -> Self {
        Self {
            dialect,
            operation: Operation::Generate,
            droid: false,
        }
    }
}

impl Provider {
    /// The dialect to speak to it on behalf of a caller who wants this model, by the name that clients use; None when
    /// it cannot be asked.
    pub fn speech(&self, request: Request, model: &str) -> Option<Dialect> {
        let Request {
            dialect,
            operation,
            droid,
        } = request;
        if (self.kind == ProviderKind::Droid) != droid {
            return None;
        }
        if self.speaks(dialect, model) {
            return self.kind.offers(operation).then_some(dialect);
        }
        let allowed = operation == Operation::Generate && self.translate.contains(&dialect);
        let into = || dialect.translates_into().iter().copied();
        into().find(|other| allowed && self.speaks(*other, model))
    }

    fn speaks(&self, dialect: Dialect, model: &str) -> bool {
        let spoken = match self.dialects.is_empty() {
            true => self.kind.usually_speaks(),
            false => &self.dialects,
        };
        spoken.contains(&dialect)
            && (self.kind != ProviderKind::Vertex || self.vertex_dialect(model) == dialect)
    }

    fn vertex_dialect(&self, model: &str) -> Dialect {
        match self.upstream_model(model).starts_with("claude") {
            true => Dialect::Anthropic,
            false => Dialect::Gemini,
        }
    }

    pub(super) fn validate_speech(&self) -> Result<(), Invalid> {
        for (i, dialect) in self.dialects.iter().enumerate() {
            let field = format!("dialects[{i}]");
            if !self.kind.can_speak().contains(dialect) {
                let kind = self.kind.as_str();
                return Err(Invalid::new(
                    field,
                    format!("{kind} providers do not speak {dialect}"),
                ));
            }
            if self.dialects.iter().take(i).any(|earlier| earlier == dialect) {
                return Err(Invalid::new(field, "stands there twice"));
            }
        }
        for (i, dialect) in self.translate.iter().enumerate() {
            let field = format!("translate[{i}]");
            let into = dialect.translates_into();
            if !into.iter().any(|other| self.kind.can_speak().contains(other)) {
                let kind = self.kind.as_str();
                let problem = format!("{dialect} cannot be translated into what {kind} providers speak");
                return Err(Invalid::new(field, problem));
            }
            if self.translate.iter().take(i).any(|earlier| earlier == dialect) {
                return Err(Invalid::new(field, "stands there twice"));
            }
        }
        match &self.api_version {
            None => Ok(()),
            Some(_) if self.kind != ProviderKind::AzureOpenai => Err(Invalid::new(
                "api_version",
                "only azure-openai providers have one",
            )),
            Some(version) if is_version(version) => Ok(()),
            Some(_) => Err(Invalid::new("api_version", "is not a version like 2024-10-21")),
        }
    }
}

fn is_version(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=32).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(kind: ProviderKind) -> Provider {
        Provider::new("p", kind, "http://p")
    }

    fn speech(provider: &Provider, dialect: Dialect, model: &str) -> Option<Dialect> {
        provider.speech(Request::answer(dialect), model)
    }

    #[test]
    fn b01_a_compatible_endpoint_speaks_responses_only_when_it_says_so() {
        let mut provider = provider(ProviderKind::OpenaiCompatible);
        assert_eq!(speech(&provider, Dialect::OpenaiResponses, "m"), None);
        provider.dialects = vec![Dialect::OpenaiResponses];
        let responses = Dialect::OpenaiResponses;
        assert_eq!(speech(&provider, responses, "m"), Some(responses));
        assert_eq!(speech(&provider, Dialect::OpenaiChat, "m"), None);
        assert_eq!(provider.validate(), Ok(()));
        provider.dialects = vec![Dialect::Gemini];
        assert!(provider.validate().is_err());
    }

    #[test]
    fn nothing_is_translated_unless_it_is_allowed() {
        let mut provider = provider(ProviderKind::Openai);
        assert_eq!(speech(&provider, Dialect::Anthropic, "m"), None);
        provider.translate = vec![Dialect::Anthropic];
        assert_eq!(
            speech(&provider, Dialect::Anthropic, "m"),
            Some(Dialect::OpenaiChat)
        );
        let counting = Request {
            operation: Operation::CountTokens,
            ..Request::answer(Dialect::Anthropic)
        };
        assert_eq!(provider.speech(counting, "m"), None);
        assert_eq!(provider.validate(), Ok(()));
        provider.translate = vec![Dialect::Gemini];
        assert!(provider.validate().is_err());
    }

    #[test]
    fn at_vertex_the_model_decides() {
        let provider = provider(ProviderKind::Vertex);
        let (anthropic, gemini) = (Dialect::Anthropic, Dialect::Gemini);
        assert_eq!(speech(&provider, anthropic, "claude-opus-4-8"), Some(anthropic));
        assert_eq!(speech(&provider, gemini, "claude-opus-4-8"), None);
        assert_eq!(speech(&provider, gemini, "gemini-2.5-pro"), Some(gemini));
        assert_eq!(speech(&provider, anthropic, "gemini-2.5-pro"), None);
    }

    #[test]
    fn droid_providers_serve_their_own_paths_alone() {
        let droid = provider(ProviderKind::Droid);
        let request = Request {
            droid: true,
            ..Request::answer(Dialect::Anthropic)
        };
        assert_eq!(droid.speech(request, "m"), Some(Dialect::Anthropic));
        assert_eq!(speech(&droid, Dialect::Anthropic, "m"), None);
        assert_eq!(provider(ProviderKind::Anthropic).speech(request, "m"), None);
    }

    #[test]
    fn only_azure_has_a_version() {
        let mut provider = provider(ProviderKind::AzureOpenai);
        provider.api_version = Some("2024-10-21".to_owned());
        assert_eq!(provider.validate(), Ok(()));
        provider.api_version = Some("a&b".to_owned());
        assert!(provider.validate().is_err());
        provider.kind = ProviderKind::Openai;
        provider.api_version = Some("2024-10-21".to_owned());
        assert!(provider.validate().is_err());
    }
}
