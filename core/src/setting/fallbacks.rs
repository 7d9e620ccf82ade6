//! Substitutes for models (behaviour B14).

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::model::ModelPattern;
use crate::provider::check_model;

/// What may be asked for when no candidate is left for a model. Of several that match a model the first holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFallback {
    pub model: ModelPattern,
    /// Tried in this order.
    pub substitutes: Vec<String>,
}

const MAX_FALLBACKS: usize = 256;
const MAX_SUBSTITUTES: usize = 8;

pub(super) fn validate_all(fallbacks: &[ModelFallback]) -> Result<(), Invalid> {
    if fallbacks.len() > MAX_FALLBACKS {
        let problem = format!("has more than {MAX_FALLBACKS} entries");
        return Err(Invalid::new("model_fallbacks", problem));
    }
    for (i, fallback) in fallbacks.iter().enumerate() {
        let within = format!("model_fallbacks[{i}]");
        fallback.validate().map_err(|e| e.within(&within))?;
    }
    Ok(())
}

impl ModelFallback {
    fn validate(&self) -> Result<(), Invalid> {
        self.model.validate("model")?;
        let count = self.substitutes.len();
        if count == 0 || count > MAX_SUBSTITUTES {
            let problem = format!("needs 1 to {MAX_SUBSTITUTES} models, has {count}");
            return Err(Invalid::new("substitutes", problem));
        }
        for (i, substitute) in self.substitutes.iter().enumerate() {
            let field = format!("substitutes[{i}]");
            check_model(&field, substitute)?;
            if matches!(&self.model, ModelPattern::Exact(model) if model == substitute) {
                let problem = format!("{substitute:?} is no substitute for itself");
                return Err(Invalid::new(field, problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b14_a_fallback_names_a_model_and_its_substitutes() {
        let fallback = |substitutes: &[&str]| ModelFallback {
            model: ModelPattern::Prefix("claude-opus-".into()),
            substitutes: substitutes.iter().map(|&s| s.to_owned()).collect(),
        };
        assert_eq!(validate_all(&[fallback(&["claude-sonnet-5"])]), Ok(()));
        let field = |fallback| validate_all(&[fallback]).unwrap_err().field;
        assert_eq!(field(fallback(&[])), "model_fallbacks[0].substitutes");
        assert_eq!(field(fallback(&["a b"])), "model_fallbacks[0].substitutes[0]");
    }

    #[test]
    fn b14_a_model_is_no_substitute_for_itself() {
        let itself = ModelFallback {
            model: ModelPattern::Exact("a".into()),
            substitutes: vec!["b".into(), "a".into()],
        };
        let refused = validate_all(&[itself]).unwrap_err();
        assert_eq!(refused.field, "model_fallbacks[0].substitutes[1]");
    }
}
