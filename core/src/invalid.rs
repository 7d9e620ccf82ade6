//! Why a value is refused: which field, and what is wrong with it.
//!
//! The text goes to operators (an admin call's `INVALID_ARGUMENT`, a node's NACK), so it says what to do and never
//! contains a secret.

/// A field of a resource that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Path of the field, as in the proto: `spec.base_urls[0]`.
    pub field: String,
    pub problem: String,
}

impl Invalid {
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// The same problem seen from the message around it.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}
