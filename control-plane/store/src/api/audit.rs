//! The audit log: who did what, when, from where, and how it ended.
//!
//! An entry is written before the action and gets its outcome after it, so an action that a crash cut is there too. No
//! entry holds a secret or the content of a call.

use penstock_core::id::AuditId;
use penstock_core::time::UnixMs;

/// One action of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: UnixMs,
    /// Empty: nobody that is known.
    pub actor: String,
    /// Empty: none.
    pub role: String,
    /// `KeyService/CreateKey`, or `sign-in`.
    pub action: String,
    /// Empty: the control plane itself, by its in-memory pipe.
    pub peer: String,
    pub end: AuditEnd,
}

/// How an action ended, and what is known of it then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEnd {
    /// A gRPC code in small letters: `ok`, `permission_denied`. Empty: it has not ended, or its control plane was killed.
    pub outcome: String,
    /// For people: `key "alice/laptop"`.
    pub target: String,
    /// That it made.
    pub revision: Option<u64>,
    /// In the operator's words.
    pub reason: String,
}

/// Which entries. Empty fields do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub from: Option<UnixMs>,
    /// Exclusive.
    pub to: Option<UnixMs>,
    pub actor: Option<String>,
    /// A part of it.
    pub action: Option<String>,
    /// A part of it.
    pub target: Option<String>,
    pub outcome: Option<String>,
}
