//! The two calls of a test: the list of models, which is free, and one short answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use penstock_core::dialect::Operation;
use penstock_core::failure::{self, Finding};
use penstock_dialect::mask::mask;
use penstock_dialect::upstream_error::{ErrorHead, UpstreamError};
use penstock_dialect::upstream_path::Wanted;
use tokio::time::{Instant, timeout_at};

use super::{Check, Test, advice, question};
use crate::clock;
use crate::upstream::{self, Cause, ReceiveBody, SendBody, Spoken, Target};

/// What is read of an answer.
const MAX_BODY: usize = 64 * 1024;
/// What is shown of an error.
const MAX_SHOWN: usize = 300;

/// What came.
pub(super) struct Answer {
    pub(super) took: Duration,
    status: u16,
    /// None: it went well.
    pub(super) finding: Option<Finding>,
    /// HTML in place of the API's words.
    pub(super) is_page: bool,
    /// It is about a model, not the list of them.
    pub(super) of_model: bool,
    /// Masked.
    message: String,
}

/// Nothing came.
pub(super) struct Unanswered {
    pub(super) error: String,
    advice: &'static str,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        self.finding.is_none() && !self.is_page
    }

    pub(super) fn describe(&self) -> String {
        match (self.is_page, self.message.as_str()) {
            (true, _) => format!("HTTP {}: an HTML page", self.status),
            (false, "") => format!("HTTP {}", self.status),
            (false, message) => format!("HTTP {}: {message}", self.status),
        }
    }
}

impl Unanswered {
    pub(super) fn check(&self) -> Check {
        Check::Failed {
            error: self.error.clone(),
            advice: self.advice,
        }
    }

    fn target(error: impl ToString) -> Self {
        Self {
            error: error.to_string(),
            advice: advice::TARGET,
        }
    }

    fn late() -> Self {
        Self {
            error: "no answer within the timeout".to_owned(),
            advice: advice::TIMEOUT,
        }
    }

    fn connection(error: &(dyn std::error::Error + 'static)) -> Self {
        let cause = upstream::cause(error);
        let stage = match cause {
            Cause::Dns => "DNS: ",
            Cause::Proxy => "proxy: ",
            Cause::Tls => "TLS: ",
            Cause::Refused | Cause::ConnectTimeout | Cause::NotConfigured => "connect: ",
            Cause::Reset | Cause::Eof | Cause::Other => "",
        };
        Self {
            error: format!("{stage}{}", upstream::chain(error)),
            advice: advice::cause(cause),
        }
    }
}

/// The list of models.
pub(super) async fn models(test: &Test<'_>) -> Result<Answer, Unanswered> {
    let dialect = question::dialect(&test.entry.provider, "");
    send(test, false, |target, at| {
        let uri = target.endpoints().get(at)?.models_uri()?;
        let spoken = Spoken {
            caller: dialect,
            upstream: dialect,
            again: false,
        };
        let to = (Method::GET, uri);
        upstream::request(target, to, &HeaderMap::new(), SendBody::default(), spoken).ok()
    })
    .await
}

/// One short answer of a model, as clients name it.
pub(super) async fn answer(test: &Test<'_>, model: &str) -> Result<Answer, Unanswered> {
    let provider = &test.entry.provider;
    let question = question::ask(provider, model);
    send(test, true, |target, at| {
        let wanted = Wanted {
            dialect: question.dialect,
            operation: Operation::Generate,
            model: provider.upstream_model(model),
            stream: false,
            beta: false,
        };
        let uri = target.endpoints().get(at)?.uri(&wanted)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let spoken = Spoken {
            caller: question.dialect,
            upstream: question.dialect,
            again: false,
        };
        let (to, body) = ((Method::POST, uri), question.body.clone().into());
        upstream::request(target, to, &headers, body, spoken).ok()
    })
    .await
}

async fn send(
    test: &Test<'_>,
    of_model: bool,
    request: impl FnOnce(&Target, usize) -> Option<Request<SendBody>>,
) -> Result<Answer, Unanswered> {
    let target = test.targets.get(test.snapshot, test.entry);
    let target = target.map_err(Unanswered::target)?;
    let at = target.next(None, clock::now());
    let endpoint = target.endpoints().get(at);
    let (Some(endpoint), Some(request)) = (endpoint, request(&target, at)) else {
        return Err(Unanswered::target("its base URL cannot be used"));
    };
    let began = Instant::now();
    let sent = timeout_at(
        test.deadline,
        endpoint.send(|| Ok::<_, legacy::Error>(request.clone())),
    )
    .await;
    let response = match sent {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(Unanswered::connection(&error)),
        Err(_) => return Err(Unanswered::late()),
    };
    read(test, of_model, response, began).await
}

async fn read(
    test: &Test<'_>,
    of_model: bool,
    response: Response<ReceiveBody>,
    began: Instant,
) -> Result<Answer, Unanswered> {
    let (head, body) = response.into_parts();
    let body = timeout_at(test.deadline, whole(body)).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => return Err(Unanswered::connection(&error)),
        Err(_) => return Err(Unanswered::late()),
    };
    let (status, took) = (head.status.as_u16(), began.elapsed());
    let credential = test.entry.credential.as_ref();
    // To be taken out wherever it stands.
    let known: Vec<&str> = credential.iter().map(|known| known.presented()).collect();
    let body = mask(&body, &known);
    let words = UpstreamError::read(&body);
    let is_page = body.trim_ascii_start().starts_with(b"<");
    let finding = (!head.status.is_success()).then(|| {
        let now = clock::now();
        let head = ErrorHead::read(&head.headers, now);
        let provider = &test.entry.provider;
        let seen = words.answered(&head, &provider.name, provider.kind, status);
        failure::of_answer(test.snapshot.error_rules(), &seen, now)
    });
    Ok(Answer {
        took,
        status,
        finding,
        is_page,
        of_model,
        message: words
            .message
            .unwrap_or_default()
            .chars()
            .take(MAX_SHOWN)
            .collect(),
    })
}

async fn whole(mut body: ReceiveBody) -> Result<Bytes, hyper::Error> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let piece = frame?.into_data().unwrap_or_default();
        let room = MAX_BODY.saturating_sub(read.len());
        read.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if read.len() >= MAX_BODY {
            break;
        }
    }
    Ok(read.freeze())
}
