//! The data plane as a whole, against fakes: one binary, one file a promise.

#[cfg(test)]
mod proxy;
#[cfg(test)]
mod state;
#[cfg(test)]
mod support;
