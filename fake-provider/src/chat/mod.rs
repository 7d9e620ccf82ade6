//! OpenAI's chat completions as the fake writes them.

mod completion;
mod error;
mod models;
mod stream;

pub(crate) use completion::body;
pub(crate) use error::{error_body, error_event, refused, request_id};
pub(crate) use models::{model, models};
pub(crate) use stream::{events, ping};

/// `created` of everything: a constant, so that answers repeat.
const CREATED: u64 = 1_767_225_600;
