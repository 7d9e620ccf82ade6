//! OpenAI Responses as the fake writes them. Errors are OpenAI's; see `chat`.

mod items;
mod response;
mod stream;

pub(crate) use response::{body, compacted};
pub(crate) use stream::{error_event, events};

/// `created_at` of everything: a constant, so that answers repeat.
const CREATED: u64 = 1_767_225_600;
