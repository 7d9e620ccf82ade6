//! Sensitive words (behaviour G12): a request whose text contains one is answered with 400.
//!
//! What the caller sent is looked at, before filters and other changes. The caller is told where in the request it is,
//! never which word or rule; the record and the log have the rule. Large bodies are looked at beside the other calls,
//! not between them. Without a rule nothing is done.

use std::sync::Arc;

use bytes::Bytes;
use penstock_core::error::Code;
use penstock_core::word_rule::Words;
use penstock_dialect::text::Texts;

use super::call::Call;
use super::error::Refusal;

/// Larger bodies hold up a thread of their own.
pub(super) const AT_ONCE: usize = 128 * 1024;

/// Lets the body through, or says where the word is.
pub(super) async fn check(call: &Call, body: &Bytes) -> Result<(), Refusal> {
    let words = call.snapshot.words();
    if words.is_empty() {
        return Ok(());
    }
    if body.len() <= AT_ONCE {
        return look(words, body);
    }
    let (words, body) = (Arc::clone(words), body.clone());
    let looking = tokio::task::spawn_blocking(move || look(&words, &body));
    looking.await.unwrap_or_else(|error| {
        // Not looked at is not let through.
        Err(Refusal::new(Code::InternalError, "The request could not be checked.").because(error.to_string()))
    })
}

fn look(words: &Words, body: &Bytes) -> Result<(), Refusal> {
    let mut texts = Texts::of(body);
    while let Some(text) = texts.next() {
        if let Some(rule) = words.find(&text) {
            let place = texts.place();
            let refusal = Refusal::new(
                Code::SensitiveContent,
                format!("Sensitive content detected in {place}."),
            );
            return Err(refusal.because(format!("word rule {} at {place}", rule.name)));
        }
    }
    Ok(())
}
