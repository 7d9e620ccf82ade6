//! A provider that speaks the vendors' dialects and misbehaves on command.
//!
//! It stands in for the vendors in `penstock up --demo`, in the tests and in the bench. One port serves all of them
//! over HTTP/1.1 and HTTP/2 without TLS: Anthropic Messages, OpenAI chat completions, Responses and embeddings, Gemini,
//! and these as Bedrock, Vertex AI, Azure and Droid have them. The paths are in `route`.
//!
//! Rules:
//! - Answers are functions of the request: the same body gives the same text, ids and usage numbers. Only the
//!   `request-id` / `x-request-id` headers count up.
//! - What it reported is added up by token class, so a test can compare a ledger with
//!   [`FakeProvider::usage_totals`] to the token.
//! - How it misbehaves is a [`Behaviour`]: the builder's default, then a script (one entry a model call), then
//!   the `x-fake` header, then a `[[fake …]]` directive in the last user message. Later ones win field by field.
//!   The directive's words are in [`Behaviour::parse`].
//! - An answer to a tool's result repeats the result, so that an agent which was told to call a tool ends with what the
//!   tool said.
//! - Nothing is detached: [`FakeProvider::shutdown`] waits for every connection; dropping the handle ends them.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use penstock_fake_provider::{Behaviour, FakeProvider};
//!
//! let fake = FakeProvider::builder()
//!     .script([Behaviour::status(529), Behaviour::default()])
//!     .start()
//!     .await?;
//! let base_url = fake.base_url();
//! # drop(base_url); Ok(()) }
//! ```

mod answer;
mod anthropic;
mod asked;
pub mod authorization;
mod bedrock;
mod behaviour;
mod body;
mod builder;
mod chat;
mod controls;
mod count;
mod credential;
mod dialect;
mod directive;
mod draft;
mod embeddings;
mod fixed;
mod gate;
mod gemini;
mod provider;
mod record;
mod reply;
mod required;
mod respond;
mod responses;
mod route;
mod server;
mod socket;
mod speak;
mod sse;
mod step;
mod tally;
mod usage;

pub use authorization::AuthorizationServer;
pub use behaviour::{Behaviour, Ending, Instead, StreamEnd};
pub use builder::Builder;
pub use directive::DirectiveError;
pub use gate::Gate;
pub use provider::FakeProvider;
pub use record::RecordedRequest;
pub use tally::Counts;
pub use usage::{Usage, UsageOverride, UsageTotals};
