//! Places in a JSON body: `metadata.user_id`, `messages.*.content`, `tools.0.name`, `messages.**`.
//!
//! Steps are separated by dots. A step is the name of a member, or a number, which is also the place in an array from 0;
//! `*` is every member or element; `**`, at the end only, is all text at any depth below. `**` alone is all text of the
//! body.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

const MAX_STEPS: usize = 16;
const MAX_NAME: usize = 64;
/// What Penstock itself reads and sets.
const OWN: [&str; 3] = ["model", "stream", "stream_options"];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of this name, or the element at this place.
    Named(String),
    /// Every member or element.
    Any,
    /// All text below.
    Deep,
}

/// Text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path in a body; write metadata.user_id, messages.*.content or **")]
pub struct NotAPath(String);

impl BodyPath {
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether it ends with all text below.
    pub fn is_deep(&self) -> bool {
        self.0.last() == Some(&Step::Deep)
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        match self.0.first() {
            Some(Step::Named(name)) if OWN.contains(&name.as_str()) => {
                let problem = format!("{name:?} cannot be filtered; for models there are redirects");
                Err(Invalid::new("body", problem))
            }
            Some(Step::Any) => {
                let problem = "begins with *, which would be the model too; name the member";
                Err(Invalid::new("body", problem))
            }
            Some(Step::Named(_) | Step::Deep) => Ok(()),
            None => Err(Invalid::new("body", "must not be empty")),
        }
    }

    /// Whether a member at the top is out of the reach of every path.
    pub fn is_own(name: &[u8]) -> bool {
        OWN.iter().any(|own| own.as_bytes() == name)
    }
}

impl FromStr for BodyPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let steps: Vec<Step> = text
            .split('.')
            .map(|step| match step {
                "*" => Step::Any,
                "**" => Step::Deep,
                name => Step::Named(name.to_owned()),
            })
            .collect();
        let named = |step: &Step| match step {
            Step::Named(name) => !name.is_empty() && name.len() <= MAX_NAME && !name.contains(['*', '"']),
            Step::Any | Step::Deep => true,
        };
        let deep_inside = steps.iter().rev().skip(1).any(|step| *step == Step::Deep);
        match steps.len() > MAX_STEPS || deep_inside || !steps.iter().all(named) {
            true => Err(NotAPath(text.to_owned())),
            false => Ok(Self(steps)),
        }
    }
}

impl TryFrom<String> for BodyPath {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BodyPath> for String {
    fn from(path: BodyPath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for BodyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(match step {
                Step::Named(name) => name,
                Step::Any => "*",
                Step::Deep => "**",
            })?;
        }
        Ok(())
    }
}

impl Step {
    /// Whether it is this member.
    pub fn is_member(&self, name: Option<&[u8]>) -> bool {
        match self {
            Self::Named(wanted) => name == Some(wanted.as_bytes()),
            Self::Any => true,
            Self::Deep => false,
        }
    }

    /// Whether it is the element at this place.
    pub fn is_element(&self, place: usize) -> bool {
        match self {
            Self::Named(wanted) => wanted.parse() == Ok(place),
            Self::Any => true,
            Self::Deep => false,
        }
    }
}
