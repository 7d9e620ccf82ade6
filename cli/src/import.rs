//! Reading what other gateways wrote, as resources of ours (behaviour A3).
//!
//! | module | what |
//! |---|---|
//! | [`record`] | one record of a dump: fields of any spelling, and which of them were understood |
//! | [`number`] | numbers as they write them |
//! | [`tables`] | dumps as tables: CSV, JSON, JSON lines |
//! | [`draft`] | what is to be made, and what has no counterpart |
//! | [`names`] | their names in our few characters |
//! | [`claude_code_hub`] | tables of a Postgres database |
//! | [`claude_relay_service`] | hashes of a Redis, some fields encrypted |
//!
//! Rules. A field that says something and has no counterpart is noted with its record, never dropped in silence; its value
//! is not repeated, since it may be a secret. What a record says is taken over exactly or not at all: a limit that cannot
//! be kept is noted rather than turned into another one. A limit or an end that cannot be read is not taken for none: what it
//! belongs to is imported disabled. Nothing is asked of the other gateway.

pub(crate) mod claude_code_hub;
pub(crate) mod claude_relay_service;
pub(crate) mod draft;
pub(crate) mod names;
mod number;
pub(crate) mod record;
pub(crate) mod tables;
