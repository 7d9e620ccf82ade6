//! Google's Gemini API as the fake writes it, at Google's own API and at Vertex AI.

mod answer;
mod error;
mod models;

pub(crate) use answer::{body, events};
pub(crate) use error::{error_body, error_event, refused};
pub(crate) use models::{model, models};
