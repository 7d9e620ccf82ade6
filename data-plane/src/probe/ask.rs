//! The two calls of a test: the list of models, which is free, and one short answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header, response};
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::failure::{self, Answered, Finding};
use penstock_dialect::mask::{mask, mask_text};
use penstock_dialect::upstream_error::{ErrorHead, UpstreamError};
use penstock_dialect::upstream_path::Wanted;
use penstock_dialect::usage::{Body, Observer};
use tokio::time::{Instant, timeout_at};

use super::{Check, Test, advice, question};
use crate::clock;
use crate::proxy::{Media, media_type};
use crate::upstream::{self, Cause, ReceiveBody, SendBody, Spoken, Target};

/// What is read of an answer.
const MAX_BODY: usize = 64 * 1024;
/// Of a call that asks for a word.
const TOO_LONG: &str = "more than 64 KB, where a word was asked for";
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
    /// Why it is none of this API, as traffic would say.
    pub(super) foreign: Option<String>,
    /// It is about a model, not the list of them.
    pub(super) of_model: bool,
    /// Masked.
    message: String,
}

/// What a model was asked for, where one was.
#[derive(Clone, Copy)]
struct Asked<'a> {
    dialect: Dialect,
    /// As it is sent.
    model: &'a str,
}

/// Nothing came.
pub(super) struct Unanswered {
    pub(super) error: String,
    advice: &'static str,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        self.finding.is_none() && !self.is_page && self.foreign.is_none()
    }

    pub(super) fn describe(&self) -> String {
        match (self.is_page, self.message.as_str()) {
            (true, _) => format!("HTTP {}: an HTML page", self.status),
            (false, _) if self.foreign.is_some() => {
                let foreign = self.foreign.as_deref().unwrap_or_default();
                format!("HTTP {}: {foreign}", self.status)
            }
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
    send(test, None, |target, at| {
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
    let asked = Asked {
        dialect: question.dialect,
        model: provider.upstream_model(model),
    };
    send(test, Some(asked), |target, at| {
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
    asked: Option<Asked<'_>>,
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
    read(test, asked, response, began).await
}

async fn read(
    test: &Test<'_>,
    asked: Option<Asked<'_>>,
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
    let foreign = foreign(&head, &body, asked).map(|what| mask_text(what, &known));
    let is_page = body.trim_ascii_start().starts_with(b"<");
    let failed = head.status.is_client_error() || head.status.is_server_error();
    let finding = failed.then(|| {
        let now = clock::now();
        let head = ErrorHead::read(&head.headers, now);
        let provider = &test.entry.provider;
        let seen = Answered {
            model: asked.map(|asked| asked.model),
            ..words.answered(&head, &provider.name, provider.kind, status)
        };
        failure::of_answer(test.snapshot.error_rules(), &seen, now)
    });
    Ok(Answer {
        took,
        status,
        finding,
        is_page,
        foreign,
        of_model: asked.is_some(),
        message: mask_text(words.message.unwrap_or_default(), &known)
            .chars()
            .take(MAX_SHOWN)
            .collect(),
    })
}

/// Why a success is none of this API. A list of models may be longer than what is read of it, and is looked at no closer.
fn foreign(head: &response::Parts, body: &[u8], asked: Option<Asked<'_>>) -> Option<String> {
    if head.status.is_redirection() {
        return Some("a redirect, which is not followed".to_owned());
    }
    if !head.status.is_success() {
        return None;
    }
    if let Some(encoding) = head
        .headers
        .get(header::CONTENT_ENCODING)
        .filter(|it| *it != "identity")
    {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        return Some(format!(
            "content encoded as {encoding:.100}, which was not asked for"
        ));
    }
    let asked = asked?;
    match media_type(&head.headers) {
        Media::Json => {}
        Media::EventStream | Media::AwsEventStream => {
            return Some("a stream, where a whole answer was asked for".to_owned());
        }
        Media::Page => return Some("an HTML page".to_owned()),
        Media::Other => {
            let found = head.headers.get(header::CONTENT_TYPE);
            let found = found.and_then(|value| value.to_str().ok()).unwrap_or_default();
            return Some(format!("content of type {found:.100}"));
        }
    }
    match Observer::new(asked.dialect).body(body) {
        Body::Answer => None,
        Body::Error(_) => Some("an error inside a success".to_owned()),
        Body::Malformed(_) if body.len() >= MAX_BODY => Some(TOO_LONG.to_owned()),
        Body::Malformed(problem) => Some(format!("not a JSON object ({problem})")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, headers: &[(header::HeaderName, &'static str)], body: &[u8]) -> Option<String> {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = http::StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            head.headers.insert(name.clone(), HeaderValue::from_static(value));
        }
        let asked = Asked {
            dialect: Dialect::Anthropic,
            model: "m",
        };
        foreign(&head, body, Some(asked))
    }

    #[test]
    fn b11_a_test_is_no_more_lenient_than_traffic() {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let answer = br#"{"type":"message","content":[],"usage":{"input_tokens":1,"output_tokens":1}}"#;
        assert_eq!(said(200, &json, answer), None);
        let endless = [b"{\"a\":\"".to_vec(), vec![b'x'; MAX_BODY]].concat();
        assert_eq!(said(200, &json, &endless).as_deref(), Some(TOO_LONG));
        for (status, headers, body) in [
            (302, &json[..], &b""[..]),
            (200, &json, b"not json"),
            (200, &json, b""),
            (
                200,
                &json,
                br#"{"type":"error","error":{"type":"api_error","message":"x"}}"#,
            ),
            (200, &[(header::CONTENT_TYPE, "text/plain")], answer),
            (200, &[(header::CONTENT_TYPE, "text/event-stream")], answer),
            (200, &[(header::CONTENT_ENCODING, "gzip")], answer),
        ] {
            assert!(said(status, headers, body).is_some(), "{status} {headers:?}");
        }
    }
}
