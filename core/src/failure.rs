//! What a failed attempt at a provider means: whose fault it is, who is asked next, who is left alone and until when.
//!
//! An attempt fails in three ways: the provider answers with an error ([`of_answer`]), puts one into a stream before
//! any content ([`of_event`]), or does not answer at all ([`of_network`]). Each gives a [`Finding`], and whoever acts
//! on it (the attempt loop, the breakers and cooldowns, the log) looks at nothing else.
//!
//! Order of tests, first match wins: the operator's [`ErrorRules`], then the [`table`], which is ordered by what it
//! looks at (headers and structured codes, status with type, text at the start of the message), then the default of
//! the status. Rows have the numbers of the specification of upstream errors.
//!
//! Rules:
//! - A caller must not be able to take a provider away. So a text that sets something aside, where the status alone
//!   would not, is matched from the start of the message, where callers have no say; an unrecognised 403 and an edge's
//!   page set nothing aside; and neither does what only this one request asked too much for (rows 37 and 43).
//! - An error that does not name the model asked, or speaks of anything but a model, sets no model aside (row 16): what
//!   else a caller asks for (a beta, a file, a skill) is its own matter.
//! - An answer with a status of the caller's fault that is no error of any API is none (row 82): a wrong base URL, an edge.
//! - Texts are those of error bodies; model output never comes here.
//! - A row's scope and cooldown win over its class's.
//! - A stated moment is obeyed as it is, in so far as it lies ahead; without one a [`Cooling`] says what to guess.

mod actions;
mod advice;
mod class;
mod cooling;
mod event;
mod headroom;
mod known;
mod row;
mod rules;
mod stated;
mod table;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use class::{Category, Class, ErrorClass, Repeat};
pub use cooling::Cooling;
pub use headroom::Headroom;
pub use known::{Fit, Known, known, known_of_status, of_class};
pub use rules::{ErrorRules, Replace, ReplaceBody};
pub use stated::{duration_of, moment_of};

use crate::provider::ProviderKind;
use crate::time::UnixMs;

/// No text is looked at beyond this, bytes.
pub const MAX_TEXT: usize = 4096;

/// What a state that follows from a failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    Provider,
    /// A provider and a model.
    Model,
    /// The way out: the outbound proxy, or none.
    Route,
    /// One base URL of a provider.
    Endpoint,
}

/// What was seen of an error answer, borrowed. Absent is None.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// By name; for the operator's rules.
    pub provider: &'a str,
    pub kind: ProviderKind,
    pub status: u16,
    /// `error.type`, Bedrock's exception.
    pub kind_word: Option<&'a str>,
    /// `error.code`, or Anthropic's `error.details.error_code`.
    pub code: Option<&'a str>,
    /// Azure's `error.innererror.code`.
    pub inner_code: Option<&'a str>,
    pub param: Option<&'a str>,
    pub message: Option<&'a str>,
    /// Google's `error.status`.
    pub google_status: Option<&'a str>,
    /// Google's `ErrorInfo.reason`.
    pub reason: Option<&'a str>,
    /// Google's `QuotaFailure.violations[].quotaId`, the longest-lived one.
    pub quota_id: Option<&'a str>,
    /// HTML in place of the API's words.
    pub page: bool,
    /// The body was read, and is no error of any API.
    pub wordless: bool,
    /// The model that the provider was asked for.
    pub model: Option<&'a str>,
    /// `x-deny-reason` is set: the egress proxy answered.
    pub denied: bool,
    pub hints: Hints,
}

/// When to come back, from headers and the body's own fields. What the message says is read from the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// `retry-after`, `retry-after-ms`.
    pub retry_after: Option<Duration>,
    /// In the body: Google's `RetryInfo.retryDelay`, `resets_in_seconds`.
    pub delay: Option<Duration>,
    /// In the body: `resets_at`.
    pub resets_at: Option<UnixMs>,
    /// The last reset among the limits of which the headers say that nothing is left.
    pub reset_at: Option<UnixMs>,
    /// `anthropic-ratelimit-unified-status: rejected`: a window of the plan is used up.
    pub plan_rejected: bool,
    /// `anthropic-ratelimit-unified-reset`.
    pub plan_reset: Option<UnixMs>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    Dns,
    Refused,
    Reset,
    Tls,
    ConnectTimeout,
    FirstByteTimeout,
    TotalTimeout,
    /// The outbound proxy cannot be reached, or refuses.
    Proxy,
    /// The connection ended before the answer's head.
    Eof,
    Other,
    /// A redirect, an empty answer, or one that is not of this dialect.
    BadAnswer,
    /// HTML with status 200.
    Page,
    /// It cannot be called as it is configured.
    NotConfigured,
}

/// What a failed attempt means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub scope: Scope,
    /// The stated moment, in the future.
    pub until: Option<UnixMs>,
    /// What to guess while `until` is None. Neither: nothing is set aside.
    pub cooling: Option<Cooling>,
    /// Waits for an operator, no probe helps.
    pub permanent: bool,
    /// The same provider once more?
    pub repeat: Repeat,
    /// There was no answer, and this is why.
    pub network: Option<Network>,
    /// `"29"` of the specification's table, `"page"`, `"default"`, `"rule"`.
    pub row: &'static str,
    /// The operator's rule that decided, by name.
    pub rule: Option<Arc<str>>,
    /// What the caller gets in place of the provider's words.
    pub replace: Option<Arc<Replace>>,
}

impl<'a> Answered<'a> {
    /// An answer that says nothing but its status.
    pub fn of_status(provider: &'a str, kind: ProviderKind, status: u16) -> Self {
        Self {
            provider,
            kind,
            status,
            kind_word: None,
            code: None,
            inner_code: None,
            param: None,
            message: None,
            google_status: None,
            reason: None,
            quota_id: None,
            page: false,
            wordless: false,
            model: None,
            denied: false,
            hints: Hints::default(),
        }
    }
}

/// The meaning of an error answer.
pub fn of_answer(rules: &ErrorRules, seen: &Answered<'_>, now: UnixMs) -> Finding {
    let seen = &event::with_status(*seen);
    match rules.find(seen) {
        Some(rule) => rule.finding(seen, now),
        None => table::find(seen).finding(seen, now),
    }
}

/// The meaning of an error inside an answer with status 200, before any content: as if it had come with the status
/// that its type stands for.
pub fn of_event(rules: &ErrorRules, seen: &Answered<'_>, now: UnixMs) -> Finding {
    of_answer(rules, &Answered { status: 200, ..*seen }, now)
}

/// The status with which an error inside an answer with status 200 is shown. One that is the caller's own must not invite
/// it to ask again.
pub fn status_of_event(seen: &Answered<'_>, class: Class) -> u16 {
    match event::with_status(Answered { status: 200, ..*seen }).status {
        500.. if !class.tries_next() => 400,
        status => status,
    }
}

/// The meaning of no answer (rows 81 and 82).
pub fn of_network(cause: Network) -> Finding {
    use Network as N;
    let repeat = Class::Transient.repeats();
    let (class, scope, repeat, row) = match cause {
        N::Dns | N::Refused | N::Reset | N::Tls | N::Eof | N::Other => {
            (Class::Transient, Scope::Provider, repeat, "81")
        }
        N::ConnectTimeout | N::FirstByteTimeout | N::TotalTimeout => {
            (Class::Transient, Scope::Provider, Repeat::Never, "81")
        }
        N::Proxy => (Class::Transient, Scope::Route, repeat, "81"),
        N::BadAnswer => (Class::Transient, Scope::Endpoint, Repeat::Never, "82"),
        N::Page => (Class::Unrecognised, Scope::Endpoint, Repeat::Never, "82"),
        N::NotConfigured => (Class::Unrecognised, Scope::Provider, Repeat::Never, "default"),
    };
    Finding {
        scope,
        repeat,
        row,
        network: Some(cause),
        ..Finding::of_class(class)
    }
}

/// The meaning of an answer that broke after content had reached the caller (rows 30, 48 and 73).
pub fn of_interruption() -> Finding {
    Finding::of_class(Class::Interrupted)
}

impl Finding {
    /// What the class alone says.
    pub fn of_class(class: Class) -> Self {
        Self {
            class,
            scope: class.scope(),
            until: None,
            cooling: class.cooling(),
            permanent: false,
            repeat: class.repeats(),
            network: None,
            row: "default",
            rule: None,
            replace: None,
        }
    }

    /// Whose fault it is.
    pub fn category(&self) -> Category {
        match self.network {
            Some(Network::BadAnswer | Network::Page | Network::NotConfigured) | None => self.class.category(),
            Some(_) => Category::Network,
        }
    }

    pub fn error_class(&self) -> ErrorClass {
        match self.network {
            Some(_) => ErrorClass::SystemError,
            None => self.class.error_class(),
        }
    }

    /// Whether it is one failure to a breaker. What the egress route or one endpoint refuses says nothing of the credential
    /// itself.
    pub fn is_failure(&self) -> bool {
        match self.scope {
            Scope::Route | Scope::Endpoint if self.class == Class::Credential => true,
            Scope::Route | Scope::Endpoint | Scope::Provider | Scope::Model => {
                self.class.counts_for_breaker()
            }
        }
    }

    /// Whether a connection broke, and perhaps others with it.
    pub fn is_cut(&self) -> bool {
        self.class == Class::Interrupted || matches!(self.network, Some(Network::Reset | Network::Eof))
    }

    /// Whether anything is set aside.
    pub fn sets_aside(&self) -> bool {
        self.until.is_some() || self.cooling.is_some()
    }
}

impl Network {
    /// A time limit of ours ran out.
    pub fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout | Self::FirstByteTimeout | Self::TotalTimeout
        )
    }
}
