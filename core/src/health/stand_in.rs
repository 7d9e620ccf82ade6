//! What health needs of a finding, until the error classes are here.

use std::time::Duration;

use crate::time::UnixMs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Caller,
    TooLong,
    Filtered,
    ForeignState,
    NoModel,
    Credential,
    Billing,
    RateLimited,
    Overloaded,
    Transient,
    Interrupted,
    Unrecognised,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Provider,
    Model,
    Route,
    Endpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub first: Duration,
    pub cap: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub scope: Scope,
    pub until: Option<UnixMs>,
    pub cooling: Option<Guess>,
    pub permanent: bool,
    pub row: &'static str,
}

impl Finding {
    /// The connection, not the answer, was at fault.
    pub fn is_network(&self) -> bool {
        self.class == Class::Interrupted || matches!(self.row, "81" | "82" | "83")
    }
}

impl Finding {
    /// For operators.
    pub fn describe(&self) -> String {
        format!("class {:?}, row {}", self.class, self.row)
    }
}
