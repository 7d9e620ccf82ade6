//! The list of models.

use serde_json::{Value, json};

fn entry(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"),
        "version": "001",
        "displayName": id,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    })
}

/// All models on one page.
pub(crate) fn models(ids: &[String]) -> Result<Vec<u8>, serde_json::Error> {
    let models: Vec<Value> = ids.iter().map(|id| entry(id)).collect();
    serde_json::to_vec(&json!({ "models": models }))
}

/// One model.
pub(crate) fn model(id: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&entry(id))
}
