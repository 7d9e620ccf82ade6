//! An attempt that gave no answer, and what its failure means.
//!
//! The meaning is core's (`failure`: one table); here is what was seen, in the words of that table.

use bytes::Bytes;
use http::{Response, StatusCode, response};
use hyper_util::client::legacy;
use penstock_core::dialect::Dialect;
use penstock_core::error::Code;
use penstock_core::failure::{self, Answered, Class, Finding, Network};
use penstock_core::time::UnixMs;
use penstock_core::usage::decision::AttemptEnd;
use penstock_dialect::error_shape;
use penstock_dialect::upstream_error::{ErrorHead, UpstreamError};

use super::call::{Call, Chosen};
use super::error::Refusal;
use super::pass_error::Shown;
use crate::upstream::{BadTarget, Cause, cause, chain};

/// Of an error inside an answer with status 200, bytes.
const MAX_DATA: usize = 256 << 10;

/// An attempt without an answer. The texts are for operators.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("it cannot be called as it is configured: {0}")]
    Target(#[from] BadTarget),
    #[error("no such endpoint at this kind of provider")]
    NoEndpoint,
    #[error("no connection ({cause:?}): {detail}")]
    Connect { cause: Network, detail: String },
    #[error("timeout while waiting for {0}")]
    Timeout(Waited),
    #[error("the connection broke ({cause:?}): {detail}")]
    Broken { cause: Network, detail: String },
    #[error("a redirect, which is not followed; is the base URL right?")]
    Redirect,
    #[error("no answer of this API but {0}; is the base URL right?")]
    NoAnswer(String),
    #[error("a page of HTML, where an answer should be; is the base URL right?")]
    Page,
    #[error("an error instead of an answer: {}", .0.words.kind.as_deref().unwrap_or("error"))]
    ErrorAnswer(Box<Reported>),
    #[error("status {}", .0.head.status.as_u16())]
    Status(Box<ErrorAnswer>),
    #[error("the memory for bodies (--max-bodies-bytes) is used up")]
    NoMemory,
}

/// An answer with an error's status; of its body as much as could be read, nothing if it is encoded.
#[derive(Debug)]
pub(super) struct ErrorAnswer {
    pub(super) head: response::Parts,
    pub(super) body: Bytes,
}

/// An error in the place of an answer, with the status of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reported {
    pub(super) words: UpstreamError,
    /// As it came: a body in the dialect's shape, or the data of an event. Unmasked; nothing when it is too long.
    data: Bytes,
    /// All of a stream that ended with it before its first content, masked.
    events: Bytes,
}

/// What did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Waited {
    #[error("the first byte")]
    FirstByte,
    #[error("the end of the answer")]
    Total,
    #[error("the end of the answer, which the attempts before left too little time for")]
    Call,
}

/// A provider that was asked in vain.
pub(super) struct Failure {
    /// Its place among the attempts of the call.
    pub(super) attempt: usize,
    pub(super) chosen: Chosen,
    pub(super) failed: Failed,
    pub(super) finding: Finding,
}

/// How a call ends that no provider answered.
pub(super) enum Ending {
    /// With an error of ours.
    Refused(Refusal),
    /// With a provider's error.
    Shown(Box<Shown>),
}

impl Failed {
    /// The body of the answer broke.
    pub(super) fn broken(error: &hyper::Error) -> Self {
        Self::Broken {
            cause: network(cause(error)),
            detail: chain(error),
        }
    }
}

impl Reported {
    pub(super) fn new(words: UpstreamError, data: &[u8]) -> Self {
        let data = match data.len() <= MAX_DATA {
            true => Bytes::copy_from_slice(data),
            false => Bytes::new(),
        };
        Self {
            words,
            data,
            events: Bytes::new(),
        }
    }

    /// With the stream that ended with it.
    pub(super) fn behind(self, events: Bytes) -> Self {
        Self { events, ..self }
    }

    /// The stream as it came, where that tells the caller more than a status would: Codex knows the codes of responses that
    /// failed in a stream alone. An error that another provider could have spared the caller has a status, which invites
    /// to try again.
    fn stream(&self, chosen: &Chosen, class: Class) -> Option<Bytes> {
        let of_responses = chosen.spoken == Dialect::OpenaiResponses && !self.events.is_empty();
        let as_it_came = of_responses && !class.tries_next() && error_shape::is_failed_response(&self.data);
        as_it_came.then(|| self.events.clone())
    }

    /// What it means: as if it had come with the status that its type stands for.
    pub(super) fn finding(&self, call: &Call, chosen: &Chosen, now: UnixMs) -> Finding {
        let head = ErrorHead::default();
        let seen = self.seen(&head, chosen);
        failure::of_event(call.snapshot.error_rules(), &seen, now)
    }

    /// The answer that it should have been.
    fn answer(self, chosen: &Chosen, class: Class) -> ErrorAnswer {
        let head = ErrorHead::default();
        let status = failure::status_of_event(&self.seen(&head, chosen), class);
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let body = match chosen.spoken {
            Dialect::OpenaiResponses if !self.events.is_empty() => {
                error_shape::of_responses_event(&self.data, status)
            }
            Dialect::OpenaiResponses
            | Dialect::Anthropic
            | Dialect::OpenaiChat
            | Dialect::OpenaiEmbeddings
            | Dialect::Gemini => self.data,
        };
        ErrorAnswer { head, body }
    }

    fn seen<'a>(&'a self, head: &'a ErrorHead, chosen: &'a Chosen) -> Answered<'a> {
        let provider = &chosen.provider.provider;
        self.words.answered(head, &provider.name, provider.kind, 200)
    }
}

impl Ending {
    /// When somebody may serve the call, seconds.
    pub(super) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        match &mut self {
            Self::Refused(refusal) => refusal.error.retry_after = seconds.or(refusal.error.retry_after),
            Self::Shown(shown) => shown.retry_after = seconds,
        }
        self
    }
}

impl From<legacy::Error> for Failed {
    fn from(error: legacy::Error) -> Self {
        let (cause, detail) = (cause(&error), chain(&error));
        match error.is_connect() {
            true => Self::Connect {
                cause: network(cause),
                detail,
            },
            false => Self::Broken {
                cause: network(cause),
                detail,
            },
        }
    }
}

fn network(cause: Cause) -> Network {
    match cause {
        Cause::Dns => Network::Dns,
        Cause::Refused => Network::Refused,
        Cause::Reset => Network::Reset,
        Cause::Tls => Network::Tls,
        Cause::ConnectTimeout => Network::ConnectTimeout,
        Cause::Proxy => Network::Proxy,
        Cause::Eof => Network::Eof,
        Cause::NotConfigured => Network::NotConfigured,
        Cause::Other => Network::Other,
    }
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Failed {
    /// What it means.
    pub(super) fn finding(&self, call: &Call, chosen: &Chosen, now: UnixMs) -> Finding {
        let (name, kind) = (
            chosen.provider.provider.name.as_str(),
            chosen.provider.provider.kind,
        );
        let rules = call.snapshot.error_rules();
        match self {
            Self::Status(answer) => {
                let words = UpstreamError::read(&answer.body);
                let head = ErrorHead::read(&answer.head.headers, now);
                let status = answer.head.status.as_u16();
                let seen = Answered {
                    model: Some(chosen.model_sent(call)),
                    ..words.answered(&head, name, kind, status)
                };
                failure::of_answer(rules, &seen, now)
            }
            Self::ErrorAnswer(reported) => reported.finding(call, chosen, now),
            Self::Target(_) | Self::NoEndpoint => failure::of_network(Network::NotConfigured),
            Self::Connect { cause, .. } | Self::Broken { cause, .. } => failure::of_network(*cause),
            Self::Timeout(Waited::FirstByte) => failure::of_network(Network::FirstByteTimeout),
            Self::Timeout(Waited::Total | Waited::Call) => failure::of_network(Network::TotalTimeout),
            Self::Redirect | Self::NoAnswer(_) => failure::of_network(Network::BadAnswer),
            Self::Page => failure::of_network(Network::Page),
            Self::NoMemory => failure::of_network(Network::Other),
        }
    }

    /// Nothing is the matter with the provider, and another one would not help.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::NoMemory)
    }

    /// The call's own deadline ended the attempt before the provider's time was over.
    pub(super) fn was_cut_short(&self) -> bool {
        matches!(self, Self::Timeout(Waited::Call))
    }

    pub(super) fn as_end(&self) -> AttemptEnd {
        match self {
            Self::Target(_) | Self::NoEndpoint | Self::Connect { .. } => AttemptEnd::Connect,
            Self::Timeout(_) => AttemptEnd::Timeout,
            Self::Broken { .. }
            | Self::Redirect
            | Self::NoAnswer(_)
            | Self::Page
            | Self::ErrorAnswer(_)
            | Self::NoMemory => AttemptEnd::Broken,
            Self::Status(answer) => AttemptEnd::Answered(answer.head.status.as_u16()),
        }
    }

    /// What the caller gets when nobody else is asked and the provider's own words are not shown.
    fn refusal(&self, provider: &str) -> Refusal {
        let detail = format!("{provider}: {self}");
        let refusal = match self {
            Self::NoMemory => return Refusal::overloaded(&detail),
            Self::Timeout(_) => Refusal::new(Code::RequestTimeout, "Request timeout"),
            Self::Target(_) | Self::NoEndpoint | Self::Connect { .. } => {
                Refusal::new(Code::UpstreamError, "The provider cannot be reached.")
            }
            Self::Broken { .. } | Self::Redirect | Self::NoAnswer(_) | Self::Page => {
                Refusal::new(Code::UpstreamError, "The provider gave no usable answer.")
            }
            Self::ErrorAnswer(_) => Refusal::new(
                Code::UpstreamError,
                "The provider failed before it began to answer.",
            ),
            Self::Status(_) => {
                Refusal::new(Code::UpstreamError, "The provider could not serve this request.")
            }
        };
        refusal.because(detail)
    }
}

impl Failure {
    /// Not the provider's word for the request, but for its own state: another failure may tell the caller more.
    pub(super) fn is_of_the_moment(&self) -> bool {
        matches!(self.finding.class, Class::RateLimited | Class::Overloaded)
    }

    /// What the caller gets.
    pub(super) fn ending(self) -> Ending {
        let is_answer = self.finding.network.is_none();
        let shown = (is_answer && self.finding.class.may_be_shown()) || self.finding.replace.is_some();
        if !shown {
            return self.refused();
        }
        let mut events = None;
        let answer = match self.failed {
            Failed::Status(answer) => *answer,
            Failed::ErrorAnswer(reported) => {
                events = reported.stream(&self.chosen, self.finding.class);
                reported.answer(&self.chosen, self.finding.class)
            }
            Failed::Target(_)
            | Failed::NoEndpoint
            | Failed::Connect { .. }
            | Failed::Timeout(_)
            | Failed::Broken { .. }
            | Failed::Redirect
            | Failed::NoAnswer(_)
            | Failed::Page
            | Failed::NoMemory => return self.refused(),
        };
        Ending::Shown(Box::new(Shown {
            chosen: self.chosen,
            head: answer.head,
            body: answer.body,
            events: events.filter(|_| self.finding.replace.is_none()),
            replace: self.finding.replace,
            retry_after: None,
        }))
    }

    fn refused(&self) -> Ending {
        let name = &self.chosen.provider.provider.name;
        let refusal = match (&self.failed, self.finding.network) {
            (Failed::Status(answer), Some(_)) => {
                let status = answer.head.status.as_u16();
                Failed::NoAnswer(format!("status {status} without an error of it")).refusal(name)
            }
            (failed, _) => failed.refusal(name),
        };
        // What a provider calls its error, or its content, may be anything.
        Ending::Refused(refusal.masked(self.chosen.secret()))
    }
}
