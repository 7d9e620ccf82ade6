//! What is particular to AWS: signed requests.

pub mod sigv4;
