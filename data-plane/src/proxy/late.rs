//! Answers that keep a caller waiting (behaviour C7).
//!
//! Clients take a connection that is silent for long for dead. A stream of which nothing has gone out for a while begins
//! without its provider: 200, the content type, an empty line, and one more from time to time until the first content is
//! there; every known client skips empty lines. Meanwhile providers are asked as before, also other ones, since an empty
//! line is no answer. An error that comes then cannot have a status of its own and becomes the dialect's error event,
//! after which the connection breaks: a clean end would be taken for success.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};
use http_body::Body;
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::id::RequestId;
use penstock_dialect::error_shape;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};

use super::answer::{AnswerBody, REQUEST_ID, id_value};
use super::attempt::{Media, media_type};
use super::relay::{BrokenOff, FAREWELL};
use super::reshape::EMPTY_LINE;

/// The answer that is waited for.
pub(super) type Asking = Pin<Box<dyn Future<Output = Response<AnswerBody>> + Send>>;

/// When empty lines go out.
#[derive(Clone, Copy, Debug)]
pub(super) struct EmptyLines {
    pub(super) from: Instant,
    pub(super) every: Duration,
}

/// Tells a call that its answer has begun as a stream, whatever comes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun(Arc<AtomicBool>);

/// See the module.
pub(super) struct Late {
    stage: Stage,
    every: Duration,
    dialect: Dialect,
    id: RequestId,
}

enum Stage {
    /// The next empty line goes out when the timer fires.
    Asking(Asking, Pin<Box<Sleep>>),
    Relaying(AnswerBody),
    /// The error event is on its way.
    Farewell(Pin<Box<Sleep>>),
    Broken,
    Ended,
}

impl Begun {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The answer; when empty lines are due, one that has begun without it.
pub(super) async fn answer(
    mut asking: Asking,
    begun: Begun,
    lines: EmptyLines,
    dialect: Dialect,
    id: RequestId,
) -> Response<AnswerBody> {
    if let Ok(response) = timeout_at(lines.from, &mut asking).await {
        return response;
    }
    begun.0.store(true, Ordering::Release);
    let late = Late {
        stage: Stage::Asking(asking, Box::pin(sleep_until(lines.from))),
        every: lines.every,
        dialect,
        id,
    };
    let mut response = Response::new(AnswerBody::from(late));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(error_shape::STREAM_CONTENT_TYPE),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    headers.insert(REQUEST_ID, id_value(id));
    response
}

impl Late {
    /// The next piece; None at the end of a whole answer.
    pub(super) fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let every = self.every;
        loop {
            match &mut self.stage {
                Stage::Asking(asking, timer) => {
                    if let Poll::Ready(response) = asking.as_mut().poll(cx) {
                        if let Some(event) = self.take(response) {
                            return Poll::Ready(Some(Ok(event)));
                        }
                        continue;
                    }
                    ready!(timer.as_mut().poll(cx));
                    timer.as_mut().reset(Instant::now() + every);
                    return Poll::Ready(Some(Ok(EMPTY_LINE)));
                }
                Stage::Relaying(body) => {
                    let frame = ready!(Pin::new(body).poll_frame(cx));
                    return Poll::Ready(frame.map(|frame| Ok(frame?.into_data().unwrap_or_default())));
                }
                Stage::Farewell(timer) => {
                    ready!(timer.as_mut().poll(cx));
                    self.stage = Stage::Broken;
                }
                Stage::Broken => {
                    self.stage = Stage::Ended;
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
                Stage::Ended => return Poll::Ready(None),
            }
        }
    }

    /// Goes on with the answer that has come; its error as an event, if that is what it is.
    fn take(&mut self, response: Response<AnswerBody>) -> Option<Bytes> {
        let good = response.status().is_success();
        let events = media_type(response.headers()) == Media::EventStream;
        match response.into_body().into_whole() {
            Err(stream) => {
                self.stage = Stage::Relaying(stream);
                None
            }
            // A stream that is whole already.
            Ok(whole) if good && events => {
                self.stage = Stage::Ended;
                Some(whole)
            }
            Ok(whole) => {
                self.stage = Stage::Farewell(Box::pin(sleep(FAREWELL)));
                Some(match good {
                    // Not what was asked for; a client that reads events cannot read it.
                    true => {
                        let error = CallerError::new(Code::UpstreamError, "The provider did not stream.");
                        error_shape::event(self.dialect, &error, self.id)
                    }
                    false => error_shape::as_event(self.dialect, &whole),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::error::Refusal;
    use http_body_util::BodyExt;

    const FROM: Duration = Duration::from_secs(25);

    /// What goes out until the answer is over, each piece with the second in which it does; what comes after so long.
    async fn goes_out(after: Duration) -> (u16, Vec<(u64, String)>, bool) {
        let id = RequestId::from_parts(1, &[1; 10]);
        let asking: Asking = Box::pin(async move {
            sleep(after).await;
            Refusal::new(Code::RequestTimeout, "Request timeout").answer(Dialect::Anthropic, id)
        });
        let began = Instant::now();
        let begun = Begun::default();
        let lines = EmptyLines {
            from: began + FROM,
            every: Duration::from_secs(15),
        };
        let response = answer(asking, begun.clone(), lines, Dialect::Anthropic, id).await;
        let status = response.status().as_u16();
        assert_eq!(begun.is_set(), status == 200);
        let mut body = response.into_body();
        let mut pieces = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
            pieces.push((began.elapsed().as_secs(), text));
        }
        let clean = body.frame().await.is_none() && pieces.last().is_none_or(|(_, text)| text.ends_with('}'));
        (status, pieces, clean)
    }

    #[tokio::test(start_paused = true)]
    async fn c07_an_answer_in_time_keeps_its_status() {
        let (status, pieces, _) = goes_out(FROM - Duration::from_secs(1)).await;
        assert_eq!((status, pieces.len()), (504, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn c07_empty_lines_go_out_until_there_is_an_answer_and_an_error_becomes_an_event() {
        let (status, pieces, clean) = goes_out(Duration::from_secs(61)).await;
        assert_eq!(status, 200);
        let empty: Vec<_> = pieces
            .iter()
            .filter(|(_, text)| text == "\n")
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(empty, [25, 40, 55]);
        let (at, event) = pieces.last().unwrap();
        assert_eq!(*at, 61);
        assert!(
            event.starts_with("event: error\ndata: {") && event.ends_with("}\n\n"),
            "{event}"
        );
        assert!(event.contains("timeout_error"), "{event}");
        assert!(!clean, "a client would take a clean end for success");
    }
}
