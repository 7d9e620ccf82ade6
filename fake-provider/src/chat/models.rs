//! The list of models.

use serde::Serialize;

use super::CREATED;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl<'a> Model<'a> {
    fn of(id: &'a str) -> Self {
        Self {
            id,
            object: "model",
            created: CREATED,
            owned_by: "fake-provider",
        }
    }
}

/// All models.
pub(crate) fn models(ids: &[String]) -> Result<Vec<u8>, serde_json::Error> {
    let list = List {
        object: "list",
        data: ids.iter().map(|id| Model::of(id)).collect(),
    };
    serde_json::to_vec(&list)
}

/// One model.
pub(crate) fn model(id: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Model::of(id))
}
