//! What scripts rely on: the real program, against a control plane on SQLite in this process.
//!
//! The modules are `cfg(test)` so that clippy takes their helpers for tests, too.

#[cfg(test)]
mod contract {
    mod breakers;
    mod commands;
    mod error_rules;
    mod examples;
    mod failures;
    mod keys;

    mod limits;
    mod limits_used;
    mod manifests;
    mod operator;
}
