//! Which API a request speaks, and whose cloud it speaks to.
//!
//! A [`Dialect`] is the shape of requests and answers. A [`Cloud`] is what stands around it: paths, credentials, the
//! shape of errors and how a stream is framed.

/// A vendor's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// OpenAI's embeddings.
    Embeddings,
    /// Gemini's `generateContent`.
    Gemini,
}

/// Where a dialect is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    /// At the vendor's own API.
    Own,
    /// Anthropic's models at AWS, in its frames.
    Bedrock,
    /// Anthropic's and Google's models at Google Cloud.
    Vertex,
    /// OpenAI's models at Azure.
    Azure,
    /// A relay with a path for each dialect.
    Droid,
}

/// A dialect and where it is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) dialect: Dialect,
    pub(crate) cloud: Cloud,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// An answer of a model.
    Answer,
    /// A shorter form of a conversation; OpenAI Responses alone.
    Compact,
    CountTokens,
    Models,
    /// One model, by id.
    Model(String),
    /// The fake's own counts; no dialect.
    Counts,
    /// The path is known, the method is not.
    OtherMethod,
    Unknown,
}

/// What some paths say that others have in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InPath {
    pub(crate) model: String,
    /// None where the body says it.
    pub(crate) stream: Option<bool>,
}

/// A request as its head says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) spoken: Spoken,
    pub(crate) asks: Asks,
    pub(crate) in_path: Option<InPath>,
}

impl Spoken {
    /// At the vendor's own API.
    pub(crate) fn own(dialect: Dialect) -> Self {
        Self {
            dialect,
            cloud: Cloud::Own,
        }
    }
}
