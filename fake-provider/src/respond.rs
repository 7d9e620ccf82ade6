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
use tokio::time::sleep;

use crate::answer;
use crate::asked::Asked;
use crate::behaviour::Behaviour;
use crate::body::FakeBody;
use crate::controls::Controls;
use crate::credential::Credentials;
use crate::dialect::{Asks, Dialect, route};
use crate::directive::{self, DirectiveError};
use crate::draft::tokens;
use crate::fixed::Prebuilt;
use crate::record::Journal;
use crate::reply::{Reply, RequestId, Severed};
use crate::socket::ResetFlag;
use crate::tally::Tally;
use crate::{anthropic, openai};

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
    pub(crate) prebuilt: Option<Prebuilt>,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_streams: u32,
    pub(crate) answered: AtomicU64,
}

/// A request whose body has arrived.
struct Exchange<'a> {
    dialect: Dialect,
    asks: Asks,
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
    let (dialect, asks) = route(&head);
    let id = RequestId::new(dialect, number);
    let reply = match Limited::new(incoming, app.max_body_bytes).collect().await {
        Ok(collected) => {
            let body = collected.to_bytes();
            app.journal.push(&head, &body);
            app.reply(&Exchange {
                dialect,
                asks,
                head: &head,
                body: &body,
                id: &id,
            })
            .await
        }
        Err(error) if error.is::<LengthLimitError>() => Reply::error(dialect, &Behaviour::status(413), &id),
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
            dialect,
            asks,
            head,
            body,
            id,
        } = exchange;
        if *asks == Asks::Counts {
            return Ok(Reply::json(serde_json::to_vec(&self.tally.counts())?));
        }
        if let Err(refusal) = self.credentials.check(*dialect, &head.headers) {
            let refused = match dialect {
                Dialect::Anthropic => anthropic::refused(refusal),
                Dialect::OpenAi => openai::refused(refusal),
            };
            return Reply::error(*dialect, &refused, id);
        }
        match asks {
            Asks::Answer => {
                let behaviour = self.controls.next();
                if let Some(prebuilt) = self.prebuilt(exchange, &behaviour) {
                    wait(&behaviour).await;
                    return Ok(prebuilt.reply(*dialect, body, &behaviour));
                }
                exchange.model_call(Behaviour::clone(&behaviour)).await
            }
            Asks::CountTokens => exchange.model_call(Behaviour::default()).await,
            Asks::Models => Ok(Reply::json(match dialect {
                Dialect::Anthropic => anthropic::models(&self.claude_models)?,
                Dialect::OpenAi => openai::models(&self.gpt_models)?,
            })),
            Asks::Model(model) => self.model(*dialect, model, id),
            Asks::OtherMethod => Reply::refusal(
                *dialect,
                405,
                "fake-provider: this path wants another method.",
                id,
            ),
            Asks::Counts | Asks::Unknown => {
                Reply::refusal(*dialect, 404, "fake-provider: this path is not spoken here.", id)
            }
        }
    }

    fn model(&self, dialect: Dialect, model: &String, id: &RequestId) -> Result<Reply, Severed> {
        let body = match dialect {
            Dialect::Anthropic if self.claude_models.contains(model) => anthropic::model(model)?,
            Dialect::OpenAi if self.gpt_models.contains(model) => openai::model(model)?,
            Dialect::Anthropic | Dialect::OpenAi => {
                return Reply::refusal(dialect, 404, &format!("model: {model}"), id);
            }
        };
        Ok(Reply::json(body))
    }

    fn prebuilt(&self, exchange: &Exchange<'_>, behaviour: &Behaviour) -> Option<&Prebuilt> {
        let prebuilt = self.prebuilt.as_ref()?;
        let commanded = exchange.head.headers.contains_key(COMMAND)
            || memmem::find(exchange.body, directive::OPENING.as_bytes()).is_some()
            || !behaviour.allows_prebuilt();
        (!commanded).then_some(prebuilt)
    }
}

impl Exchange<'_> {
    /// Answers with what the header and the message add to the behaviour.
    async fn model_call(&self, mut behaviour: Behaviour) -> Result<Reply, Severed> {
        let (dialect, id) = (self.dialect, self.id);
        let asked = match Asked::read(self.body) {
            Ok(asked) => asked,
            Err(error) => {
                return Reply::refusal(dialect, 400, &format!("The body cannot be read: {error}"), id);
            }
        };
        let said = match self.commands(&asked, &mut behaviour) {
            Ok(said) => said,
            Err(error) => return Reply::refusal(dialect, 400, &format!("fake-provider: {error}"), id),
        };
        if let Some(missing) = self.missing(&asked) {
            return Reply::refusal(dialect, 400, missing, id);
        }
        wait(&behaviour).await;
        let counts = self.asks == Asks::CountTokens;
        let mut reply = match answer::bad(dialect, asked.streams() && !counts, &behaviour, id).await? {
            Some(reply) => reply,
            None if counts => {
                let count = behaviour.usage.input.unwrap_or_else(|| tokens(self.body.len()));
                Reply::json(serde_json::to_vec(&serde_json::json!({ "input_tokens": count }))?)
            }
            None => answer::good(dialect, &asked, &said, self.body, &behaviour, id)?,
        };
        for (name, value) in &behaviour.headers {
            reply.headers.insert(name, value.clone());
        }
        Ok(reply)
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
        if last.from_user {
            directive::take(&last.text, behaviour)
        } else {
            Ok(last.text)
        }
    }

    /// What the vendor would miss.
    fn missing(&self, asked: &Asked<'_>) -> Option<&'static str> {
        let anthropic = self.dialect == Dialect::Anthropic;
        if anthropic && !self.head.headers.contains_key("anthropic-version") {
            Some("anthropic-version: header is required")
        } else if asked.model.as_deref().is_none_or(str::is_empty) {
            Some(if anthropic {
                "model: Field required"
            } else {
                "you must provide a model parameter"
            })
        } else if !asked.has_messages() {
            Some(if anthropic {
                "messages: Field required"
            } else {
                "Missing required parameter: 'messages'."
            })
        } else if anthropic && self.asks == Asks::Answer && asked.max_tokens.is_none() {
            Some("max_tokens: Field required")
        } else {
            None
        }
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
