//! Names of models that differ between clients and a provider.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::model::{MAX_NAME, ModelPattern};

/// Models that match `from`, by the name that the client sent, are called `to` at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    pub from: ModelPattern,
    pub to: String,
}

impl Redirect {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.from.validate("from")?;
        check_model("to", &self.to)
    }
}

/// A model's name that Penstock sends.
pub(crate) fn check_model(field: &str, name: &str) -> Result<(), Invalid> {
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(|b| b.is_ascii_graphic()) {
        let problem =
            format!("{name:?} is not a model's name: 1 to {MAX_NAME} printable characters without spaces");
        return Err(Invalid::new(field, problem));
    }
    Ok(())
}
