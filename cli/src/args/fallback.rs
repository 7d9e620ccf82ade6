//! Substitutes for a model: `claude-opus-*=claude-sonnet-5,claude-haiku-5`.

use std::str::FromStr;

use penstock_core::setting::ModelFallback;

use super::pattern::{self, Pattern};

/// `MODEL=SUBSTITUTE[,SUBSTITUTE…]`; the model is a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FallbackArg(pub ModelFallback);

impl FromStr for FallbackArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (model, substitutes) = text
            .rsplit_once('=')
            .ok_or("is not a fallback; write MODEL=SUBSTITUTE,SUBSTITUTE")?;
        let Pattern(model) = model.parse().map_err(|e: pattern::NotAPattern| e.to_string())?;
        Ok(Self(ModelFallback {
            model,
            substitutes: substitutes
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
        }))
    }
}

/// As [`FallbackArg`] reads it.
pub(crate) fn write(fallback: &ModelFallback) -> String {
    format!(
        "{}={}",
        pattern::write(&fallback.model),
        fallback.substitutes.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b14_fallbacks_are_written_as_they_are_read() {
        let FallbackArg(fallback) = "contains:opus=a, b".parse().unwrap();
        assert_eq!(write(&fallback), "contains:opus=a,b");
        assert!("opus".parse::<FallbackArg>().is_err());
    }
}
