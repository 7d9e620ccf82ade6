//! The load generator: hyper's HTTP/1.1 client on kept-alive connections, all on one thread.
//!
//! [`closed`] sends the next request when the answer is there: as fast as the system goes. [`open`] sends at a fixed
//! rate, whatever the answers do. Both warm up first; what counts is what falls into the [`window`]. [`hold`] keeps many
//! streams open at once.

pub(crate) mod closed;
mod connection;
pub(crate) mod hold;
pub(crate) mod open;
mod outcome;
mod sample;
mod target;
mod window;

pub(crate) use connection::get;
pub(crate) use outcome::Outcome;
pub(crate) use target::{Expect, Target};
pub(crate) use window::Span;
