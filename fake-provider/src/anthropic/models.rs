//! The list of models.

use serde::Serialize;

#[derive(Serialize)]
struct List<'a> {
    data: Vec<Model<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Model<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
    lifecycle: &'static str,
}

impl<'a> Model<'a> {
    fn of(id: &'a str) -> Self {
        let created_at = "2026-01-01T00:00:00Z";
        Self {
            kind: "model",
            id,
            display_name: id,
            created_at,
            lifecycle: "active",
        }
    }
}

/// All models on one page.
pub(crate) fn models(ids: &[String]) -> Result<Vec<u8>, serde_json::Error> {
    let list = List {
        data: ids.iter().map(|id| Model::of(id)).collect(),
        has_more: false,
        first_id: ids.first().map(String::as_str),
        last_id: ids.last().map(String::as_str),
    };
    serde_json::to_vec(&list)
}

/// One model.
pub(crate) fn model(id: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Model::of(id))
}
