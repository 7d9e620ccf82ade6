//! Which providers are well: circuit breakers, cooldowns, and what is set aside until somebody looks (behaviours B7–B9).
//!
//! A [`State`] is what the fleet knows of one provider: marks for the provider as a whole and for single models of it.
//! Nodes report theirs, the control plane merges them in any order ([`State::merge`]) and sends the result to all.
//! [`Local`] is what one node alone keeps: it counts failures, and turns what was seen of a call into the next state.
//! [`Standing`] is the answer to routing's question, now.
//!
//! | module | what |
//! |---|---|
//! | [`breaker`] | the circuit: its specification |
//! | [`cooling`] | waits after 429 and 529, stated or guessed |
//! | [`credential`] | a credential that was refused |
//! | [`state`], [`mark`] | what the fleet knows, and how reports are merged |
//! | [`local`], [`keys`], [`recent`] | what one node counts |
//! | [`standing`] | may the provider be asked now |
//! | [`change`] | what a new state says that the old one did not |
//! | [`headroom`] | how much of a provider's own limits is left |
//!
//! Everything ends by itself at a stated moment, except what an operator has forced and what waits for one.

pub mod breaker;
pub mod change;
pub mod cooling;
pub mod credential;
pub mod headroom;
pub mod keys;
pub mod local;
pub mod mark;
pub mod recent;
pub mod standing;
pub mod state;

pub use crate::provider::BreakerSettings;
pub use breaker::{Circuit, Phase};
pub use change::Change;
pub use headroom::Room;
pub use local::{Local, Seen, Sent};
pub use mark::Mark;
pub use standing::{SetAside, Standing};
pub use state::{Entry, State};

#[cfg(test)]
mod tests;
