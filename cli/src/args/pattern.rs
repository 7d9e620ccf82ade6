//! Patterns of model names: `claude-opus-4-8` is that model, `claude-*` every name that begins so; `prefix:`,
//! `suffix:`, `contains:`, `regex:` and `exact:` say which.
//!
//! Views print patterns in the same form, so what was read can be written again.

use std::str::FromStr;

use penstock_core::model::ModelPattern;

/// A pattern as written on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub ModelPattern);

/// A `*` somewhere else than at the end, or alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAPattern {
    #[error("\"*\" alone would match every model; leave the option out to allow all")]
    Everything,
    #[error("{0:?} has a \"*\" that is not at its end; write prefix:, suffix:, contains: or regex:")]
    StarInside(String),
}

impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((kind, rest)) = text.split_once(':')
            && let Some(make) = maker(kind)
        {
            return Ok(Self(make(rest.to_owned())));
        }
        match text.strip_suffix('*') {
            Some("") => Err(NotAPattern::Everything),
            Some(start) if !start.contains('*') => Ok(Self(ModelPattern::Prefix(start.to_owned()))),
            None if !text.contains('*') => Ok(Self(ModelPattern::Exact(text.to_owned()))),
            Some(_) | None => Err(NotAPattern::StarInside(text.to_owned())),
        }
    }
}

fn maker(kind: &str) -> Option<fn(String) -> ModelPattern> {
    Some(match kind {
        "exact" => ModelPattern::Exact,
        "prefix" => ModelPattern::Prefix,
        "suffix" => ModelPattern::Suffix,
        "contains" => ModelPattern::Contains,
        "regex" => |text| ModelPattern::Regex(text.into()),
        _ => return None,
    })
}

/// As [`Pattern`] reads it.
pub(crate) fn write(pattern: &ModelPattern) -> String {
    let text = pattern.text();
    match pattern {
        ModelPattern::Exact(_) => {
            let plain = text.parse::<Pattern>().is_ok_and(|read| read.0 == *pattern);
            if plain {
                text.to_owned()
            } else {
                format!("exact:{text}")
            }
        }
        ModelPattern::Prefix(_) => format!("prefix:{text}"),
        ModelPattern::Suffix(_) => format!("suffix:{text}"),
        ModelPattern::Contains(_) => format!("contains:{text}"),
        ModelPattern::Regex(_) => format!("regex:{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ModelPattern {
        text.parse::<Pattern>().unwrap().0
    }

    #[test]
    fn a_plain_name_is_exact_and_a_trailing_star_a_prefix() {
        assert_eq!(
            read("claude-opus-4-8"),
            ModelPattern::Exact("claude-opus-4-8".into())
        );
        assert_eq!(read("claude-*"), ModelPattern::Prefix("claude-".into()));
    }

    #[test]
    fn a_model_name_with_a_colon_is_still_a_name() {
        assert_eq!(
            read("anthropic.claude-v2:1"),
            ModelPattern::Exact("anthropic.claude-v2:1".into())
        );
    }

    #[test]
    fn each_kind_is_written_as_it_is_read() {
        for text in [
            "m",
            "prefix:a",
            "suffix:b",
            "contains:c",
            "regex:d.*e",
            "exact:prefix:x",
            "exact:a*",
        ] {
            assert_eq!(write(&read(text)), text);
        }
    }

    #[test]
    fn a_star_that_would_not_do_what_it_seems_to_is_refused() {
        assert_eq!("*".parse::<Pattern>(), Err(NotAPattern::Everything));
        assert!("*-mini".parse::<Pattern>().is_err());
        assert!("a*b*".parse::<Pattern>().is_err());
    }
}
