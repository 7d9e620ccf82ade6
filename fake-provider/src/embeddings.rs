//! OpenAI's embeddings. Errors are OpenAI's; see `chat`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::asked::Asked;
use crate::draft::Draft;

/// Numbers of an embedding when nothing else is asked: few, for nobody looks at them.
const DIMENSIONS: usize = 16;
/// More are not made.
const MAX_DIMENSIONS: usize = 4096;

/// One embedding for each input, all the same.
pub(crate) fn body(draft: &Draft, asked: &Asked<'_>) -> Result<Bytes, serde_json::Error> {
    let dimensions = asked.dimensions.unwrap_or(DIMENSIONS).clamp(1, MAX_DIMENSIONS);
    let embedding = if asked.wants_base64() {
        let quarter = 0.25_f32.to_le_bytes();
        Value::from(STANDARD.encode(quarter.repeat(dimensions)))
    } else {
        Value::from(vec![0.25_f32; dimensions])
    };
    let data = (0..asked.inputs())
        .map(|index| json!({"object": "embedding", "index": index, "embedding": embedding}))
        .collect::<Vec<_>>();
    let answer = json!({
        "object": "list",
        "data": data,
        "model": draft.model,
        "usage": {"prompt_tokens": draft.usage.input, "total_tokens": draft.usage.input},
    });
    serde_json::to_vec(&answer).map(Bytes::from)
}
