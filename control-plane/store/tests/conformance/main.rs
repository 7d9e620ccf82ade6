//! What a store promises, checked on Postgres and on SQLite alike.
//!
//! Each promise is one function that gets a [`bench::Bench`]: an open store on a new database. The macro
//! [`on_both!`](bench) makes of it a test on each backend. What concerns one backend alone is in `postgres_only.rs`
//! and `opening.rs`.

// Says to clippy that all of it is tests.
#![cfg(test)]

mod access;
mod alerts;
mod archive;
mod audit;
mod bench;
mod build;
mod clashes;
mod commands;
mod commits;
mod error_rules;
mod failures;
mod feed;
mod fleet_states;
mod history;
mod ledger;
mod limits;
mod listing;
mod nodes;
mod opening;
mod operators;
mod postgres_only;
mod providers;
mod questions;
mod recharge;
mod request_filters;
mod retention;
mod speed;
mod spend;
mod spend_migration;
mod tokens;
mod unreadable;
mod word_rules;
