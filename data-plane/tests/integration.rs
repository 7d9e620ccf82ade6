//! The data plane as a whole, against fakes: one binary, one file a promise.

mod proxy;
