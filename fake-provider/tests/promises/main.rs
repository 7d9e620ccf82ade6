//! The fake provider's promises, shown over real sockets.
//!
//! `cfg(test)` is always on here; it tells clippy that the helpers of the tests are tests too.

#[cfg(test)]
mod anthropic;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clouds;
#[cfg(test)]
mod control;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixed;
#[cfg(test)]
mod gemini;
#[cfg(test)]
mod openai;
#[cfg(test)]
mod responses;
