//! Requests between dialects: refused by name, or a request that its provider's own reader takes.

use bytes::Bytes;
use penstock_core::dialect::Dialect;
use penstock_dialect::inspect::inspect;
use penstock_dialect::route::InPath;
use penstock_dialect::translate::between;

/// Pairs that are translated.
pub const PAIRS: [(Dialect, Dialect); 5] = [
    (Dialect::Anthropic, Dialect::OpenaiChat),
    (Dialect::OpenaiChat, Dialect::Anthropic),
    (Dialect::OpenaiResponses, Dialect::Anthropic),
    (Dialect::OpenaiResponses, Dialect::OpenaiChat),
    (Dialect::Anthropic, Dialect::Gemini),
];

/// The first byte says the pair and whether the provider is OpenAI; all others are the body.
pub fn run(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else {
        return;
    };
    let (caller, provider) = PAIRS[usize::from(choice >> 1) % PAIRS.len()];
    let Some(translation) = between(caller, provider) else {
        return;
    };
    let translation = translation.with_openai(choice & 1 == 1);
    let request = match translation.request(body, "the-model") {
        Ok(request) => request,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            return;
        }
    };
    let in_path = InPath {
        model: "the-model".to_owned(),
        stream: request.stream,
    };
    let in_path = (provider == Dialect::Gemini).then_some(&in_path);
    let asked = inspect(provider, in_path, &Bytes::from(request.body)).expect("the provider can read it");
    assert_eq!(
        (asked.model.as_str(), asked.stream),
        ("the-model", request.stream)
    );
}
