//! Translation between dialects: what each side gets, as golden files. One file a pair.

mod anthropic_to_chat;
mod anthropic_to_gemini;
mod chat_to_anthropic;
mod lenient;
mod responses_to_anthropic;
mod responses_to_chat;
mod rules;
mod strangers;

use penstock_core::dialect::Dialect;
use penstock_dialect::translate::{Answers, Broken, TranslatedRequest, Translation, Untranslatable, between};
use serde_json::Value;

use crate::transcript::frames;

/// A UUIDv7 of 2026-11-26.
const ID: &str = "019abf0e5a007000800000000000abcd";

/// One pair, and the model that the provider is asked for.
#[derive(Clone, Copy)]
struct Pair {
    translation: Translation,
    model: &'static str,
}

impl Pair {
    fn new(caller: Dialect, provider: Dialect, model: &'static str) -> Self {
        Self {
            translation: between(caller, provider).unwrap(),
            model,
        }
    }

    fn translate(self, body: &str) -> Result<TranslatedRequest, Untranslatable> {
        self.translation.request(body.as_bytes(), self.model)
    }

    /// The provider's body, or why there is none.
    fn request(self, body: &str) -> String {
        match self.translate(body) {
            Ok(translated) => pretty(&translated.body),
            Err(refusal) => format!("refused: {refusal}"),
        }
    }

    /// Why each of these members, added to a body that can be translated, is refused.
    fn refusals(self, plain: &str, members: &[&str]) -> String {
        assert!(self.translate(plain).is_ok(), "{}", self.request(plain));
        let said = members.iter().map(|member| {
            let body = plain.replacen('{', &format!("{{{member},"), 1);
            match self.translate(&body) {
                Ok(_) => format!("taken: {member}"),
                Err(refusal) => refusal.to_string(),
            }
        });
        said.collect::<Vec<_>>().join("\n")
    }

    fn answers(self, request: &str) -> Answers {
        self.translate(request).unwrap().answers
    }

    /// The caller's answer to a request.
    fn whole(self, request: &str, answer: &str) -> String {
        match self.answers(request).whole(answer.as_bytes(), ID) {
            Ok(body) => pretty(&body),
            Err(broken) => format!("broken: {broken}"),
        }
    }

    /// The caller's stream.
    fn stream(self, request: &str, stream: &str) -> String {
        match streamed(&self.answers(request), stream) {
            Ok(text) => text,
            Err(broken) => format!("broken: {broken}"),
        }
    }
}

fn streamed(answers: &Answers, stream: &str) -> Result<String, Broken> {
    let mut translator = answers.stream(ID);
    let mut out = Vec::new();
    for frame in frames(stream.to_owned()) {
        out.extend(translator.frame(&frame)?);
    }
    out.extend(translator.finish()?);
    Ok(String::from_utf8(out).unwrap())
}

/// Each line an event's data.
fn data(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("data: {line}\n\n")).collect()
}

/// Each line an event's data, named as its `type` says.
fn events(lines: &[&str]) -> String {
    let named = lines.iter().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap();
        format!("event: {}\ndata: {line}\n\n", value["type"].as_str().unwrap())
    });
    named.collect()
}

fn pretty(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}
