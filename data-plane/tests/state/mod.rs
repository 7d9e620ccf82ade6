//! A node's state: configuration, usage on disk, coming and going.

mod commands;
mod config_stream;
mod drain;
mod health;
mod last_known_good;
mod process;
mod start_up;
mod traces;
mod usage;
