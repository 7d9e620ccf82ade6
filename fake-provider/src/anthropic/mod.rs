//! The Anthropic Messages API as the fake writes it.

mod error;
mod message;
mod models;
mod stream;

pub(crate) use error::{error_body, error_event, refused, request_id};
pub(crate) use message::body;
pub(crate) use models::{model, models};
pub(crate) use stream::{events, ping};
