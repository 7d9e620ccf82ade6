//! One request, from its head to a reply.
//!
//! Order: read and record the body, check the credential, choose the behaviour (script, header, directive),
//! check what the vendor would check, wait, then answer or misbehave. A request that the vendor would refuse
//! is refused in the vendor's words; a directive that cannot be read is a 400 that starts with `fake-provider:`.
//! Script and default behaviour are for model calls; `count_tokens` obeys the header and the directive only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response, Version, request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use memchr::memmem;
use serde_json::json;
use tokio::time::sleep;

use crate::answer;
use crate::asked::Asked;
use crate::behaviour::Behaviour;
use crate::body::FakeBody;
use crate::controls::Controls;
use crate::count::tokens;
use crate::credential::Credentials;
use crate::dialect::{Asks, Called, Cloud, Dialect, Spoken};
use crate::directive::{self, DirectiveError};
use crate::fixed::Prebuilt;
use crate::record::Journal;
use crate::reply::{Reply, RequestId, Severed};
use crate::required;
use crate::route::route;
use crate::socket::ResetFlag;
use crate::tally::Tally;
use crate::{anthropic, chat, gemini};

/// The header that carries a directive.
const COMMAND: &str = "x-fake";

/// Everything that the connections share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) tally: Tally,
    pub(crate) journal: Journal,
    pub(crate) controls: Controls,
    pub(crate) credentials: Credentials,
    pub(crate) claude_models: Vec<String>,
    pub(crate) gpt_models: Vec<String>,
    pub(crate) gemini_models: Vec<String>,
    pub(crate) prebuilt: Option<Prebuilt>,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_streams: u32,
    pub(crate) answered: AtomicU64,
}

/// A request whose body has arrived.
struct Exchange<'a> {
    called: &'a Called,
    head: &'a request::Parts,
    body: &'a Bytes,
    id: &'a RequestId,
}

/// Answers one request.
pub(crate) async fn respond(
    app: Arc<App>,
    reset: ResetFlag,
    request: Request<Incoming>,
) -> Result<Response<FakeBody>, Severed> {
    let mut flight = app.tally.arrive();
    let number = app.answered.fetch_add(1, Ordering::Relaxed);
    let (head, incoming) = request.into_parts();
    let called = route(&head);
    let id = RequestId::new(called.spoken, number);
    let reply = match Limited::new(incoming, app.max_body_bytes).collect().await {
        Ok(collected) => {
            let body = collected.to_bytes();
            app.journal.push(&head, &body);
            app.reply(&Exchange {
                called: &called,
                head: &head,
                body: &body,
                id: &id,
            })
            .await
        }
        Err(error) if error.is::<LengthLimitError>() => {
            Reply::error(called.spoken, &Behaviour::status(413), &id)
        }
        Err(error) => Err(Severed::Body(error)),
    };
    match reply {
        Ok(reply) => Ok(reply.into_response(id, flight)),
        Err(severed) => {
            flight.fail();
            if head.version <= Version::HTTP_11 {
                reset.raise();
            }
            Err(severed)
        }
    }
}

impl App {
    async fn reply(&self, exchange: &Exchange<'_>) -> Result<Reply, Severed> {
        let Exchange {
            called,
            head,
            body,
            id,
        } = exchange;
        let spoken = called.spoken;
        if called.asks == Asks::Counts {
            return Ok(Reply::json(serde_json::to_vec(&self.tally.counts())?));
        }
        if let Err(refusal) = self.credentials.check(spoken, head) {
            return Reply::error(spoken, &spoken.refused(refusal), id);
        }
        match &called.asks {
            Asks::Answer | Asks::Compact => {
                let behaviour = self.controls.next();
                if let Some(prebuilt) = self.prebuilt(exchange, &behaviour) {
                    wait(&behaviour).await;
                    return Ok(prebuilt.reply(spoken.dialect, body, &behaviour));
                }
                exchange.model_call(Behaviour::clone(&behaviour)).await
            }
            Asks::CountTokens => exchange.model_call(Behaviour::default()).await,
            Asks::Models => Ok(Reply::json(match spoken.dialect {
                Dialect::Anthropic => anthropic::models(&self.claude_models)?,
                Dialect::Chat | Dialect::Responses | Dialect::Embeddings => chat::models(&self.gpt_models)?,
                Dialect::Gemini => gemini::models(&self.gemini_models)?,
            })),
            Asks::Model(model) => self.model(spoken, model, id),
            Asks::OtherMethod => {
                Reply::refusal(spoken, 405, "fake-provider: this path wants another method.", id)
            }
            Asks::Counts | Asks::Unknown => {
                Reply::refusal(spoken, 404, "fake-provider: this path is not spoken here.", id)
            }
        }
    }

    fn model(&self, spoken: Spoken, model: &String, id: &RequestId) -> Result<Reply, Severed> {
        let (known, body) = match spoken.dialect {
            Dialect::Anthropic => (&self.claude_models, anthropic::model(model)?),
            Dialect::Chat | Dialect::Responses | Dialect::Embeddings => {
                (&self.gpt_models, chat::model(model)?)
            }
            Dialect::Gemini => (&self.gemini_models, gemini::model(model)?),
        };
        match known.contains(model) {
            true => Ok(Reply::json(body)),
            false => Reply::refusal(spoken, 404, &format!("model: {model}"), id),
        }
    }

    fn prebuilt(&self, exchange: &Exchange<'_>, behaviour: &Behaviour) -> Option<&Prebuilt> {
        let prebuilt = self.prebuilt.as_ref()?;
        let spoken = exchange.called.spoken;
        if !matches!(spoken.dialect, Dialect::Anthropic | Dialect::Chat) || spoken.cloud != Cloud::Own {
            return None;
        }
        let commanded = exchange.head.headers.contains_key(COMMAND)
            || memmem::find(exchange.body, directive::OPENING.as_bytes()).is_some()
            || !behaviour.allows_prebuilt();
        (!commanded).then_some(prebuilt)
    }
}

impl Exchange<'_> {
    /// Answers with what the header and the message add to the behaviour.
    async fn model_call(&self, mut behaviour: Behaviour) -> Result<Reply, Severed> {
        let (called, id) = (self.called, self.id);
        let spoken = called.spoken;
        let mut asked = match Asked::read(self.body) {
            Ok(asked) => asked,
            Err(error) => {
                return Reply::refusal(spoken, 400, &format!("The body cannot be read: {error}"), id);
            }
        };
        if let Some(extra) = required::extra(called, &asked) {
            return Reply::refusal(spoken, 400, extra, id);
        }
        if let Some(in_path) = &called.in_path {
            asked.model = Some(in_path.model.clone());
            asked.stream = in_path.stream.or(asked.stream);
        }
        let said = match self.commands(&asked, &mut behaviour) {
            Ok(said) => said,
            Err(error) => return Reply::refusal(spoken, 400, &format!("fake-provider: {error}"), id),
        };
        if let Some(missing) = required::missing(called, self.head, &asked) {
            return Reply::refusal(spoken, 400, missing, id);
        }
        wait(&behaviour).await;
        let streams = asked.streams() && called.asks == Asks::Answer;
        let mut reply = match answer::bad(spoken, streams, &behaviour, id).await? {
            Some(reply) => reply,
            None if called.asks == Asks::CountTokens => self.count(&behaviour)?,
            None => answer::good(called, &asked, &said, self.body, &behaviour, id)?,
        };
        for (name, value) in &behaviour.headers {
            reply.headers.insert(name, value.clone());
        }
        Ok(reply)
    }

    /// How many tokens the request has.
    fn count(&self, behaviour: &Behaviour) -> Result<Reply, Severed> {
        let count = behaviour.usage.input.unwrap_or_else(|| tokens(self.body.len()));
        let counted = match self.called.spoken.dialect {
            Dialect::Gemini => json!({ "totalTokens": count }),
            Dialect::Anthropic | Dialect::Chat | Dialect::Responses | Dialect::Embeddings => {
                json!({ "input_tokens": count })
            }
        };
        Ok(Reply::json(serde_json::to_vec(&counted)?))
    }

    /// Applies both kinds of directives; the caller's text without its directive is left.
    fn commands(&self, asked: &Asked<'_>, behaviour: &mut Behaviour) -> Result<String, DirectiveError> {
        for command in self.head.headers.get_all(COMMAND) {
            let words = command
                .to_str()
                .map_err(|_| DirectiveError::Unknown(COMMAND.to_owned()))?;
            behaviour.apply(words)?;
        }
        let last = asked.last_message();
        let said = directive::take(&last.text, behaviour)?;
        Ok(match last.result.is_empty() {
            true => said,
            false => last.result,
        })
    }
}

async fn wait(behaviour: &Behaviour) {
    if let Some(gate) = &behaviour.hold {
        gate.clone().passed().await;
    }
    if !behaviour.header_delay.is_zero() {
        sleep(behaviour.header_delay).await;
    }
}
