//! The database of the control plane: configuration, its history, the registry of nodes and the ledger of usage.
//!
//! Everything that speaks SQL is in this crate. The control plane sees one trait, [`Store`], and plain types; it never
//! sees a row. Postgres and SQLite stand behind it, and one conformance suite (`tests/`) runs on both.
//!
//! # What holds
//! * A **revision** is one commit. Revisions are numbered 1, 2, 3… without gaps, in the order in which the commits
//!   became visible; whoever sees revision n sees all before it. [`Store::changes_since`] and [`Store::load`] are
//!   consistent reads: folding the changes of any span onto the state before it gives the state after it.
//! * A resource's **version** counts its changes from 1 and never falls, also not when it is deleted and put back. A
//!   deletion counts as a change.
//! * A commit that was refused has changed nothing. A commit whose answer was lost ([`Error::Unavailable`]) may have
//!   happened: read again before trying again.
//! * Secrets enter sealed and leave sealed; neither they nor the hashes of keys are ever in the history.
//! * A usage record is counted once, however often it is sent. What its user, key and provider have spent, and how far
//!   its spool is delivered, change in the same transaction: see [`Store::baseline`].
//! * One row that cannot be read never hides another: see [`Unreadable`].
//!
//! # Layout
//! `api/` the types and the trait; `archive/` the tables that backups take along; `open/` connecting, migrations and their faults; `sql/` statements that run on both
//! databases; `rows/` one file a table: columns ↔ domain; `database/` the trait's one implementation; `postgres/` and
//! `sqlite/` what truly differs.

mod api;
mod archive;
mod database;
mod open;
mod postgres;
mod rows;
mod sql;
mod sqlite;

pub use api::accounts::Accounts;
pub use api::alert::{
    AlertRow, Alerts, Attempted, CallFacts, Delivery, DeliveryFilter, DeliveryState, Looked, Notification,
    ProviderCalls, Webhook, WebhookWritten,
};
pub use api::archive::{Archive, ArchiveRow, ArchiveTable, Column, ColumnKind, Fate, Merge, Says};
pub use api::audit::{AuditEnd, AuditEntry, AuditFilter};
pub use api::command::{NodeAnswer, NodeCommand};
pub use api::commit::{Applied, Commit, Committed, CredentialChange, Expect, MAX_OPS, NewSpec, Op, Put};
pub use api::error::Error;
pub use api::failure::{FailedCallRow, LogFilter, LogPage, LoggedCall};
pub use api::fleet_state::{FleetAction, FleetState, Put as FleetPut};
pub use api::history::{
    Action, Change, Differences, LoggedKey, LoggedProvider, LoggedSpec, Revision, RevisionFilter,
};
pub use api::ledger::Ledger;
pub use api::node::{NodeRow, RefusedResource};
pub use api::operator::{OperatorPut, OperatorToken, Operators, StoredOperator};
pub use api::page::{Filter, Listed, Lookup, Page};
pub use api::recharge::{NewCharge, PriceBackfill, Recharge};
pub use api::retention::{Aged, Cleaned, Retained};
pub use api::spend::{
    Baseline, BaselineQuestion, Delivered, MinuteSpend, Spend, SpendSpan, SpendSubject, SpoolMark,
    first_minute_kept,
};
pub use api::store::Store;
pub use api::stored::{
    Changed, Changes, Credential, Current, Head, Loaded, Sealed, Stored, StoredProvider, StoredSpec,
    Unreadable,
};
pub use api::token::{
    OauthLogin, SealedToken, StoredToken, TokenFailure, TokenPut, TokenState, TokenWritten,
};
pub use api::trends::{Endings, Kind as EndingKind, Route as TrendRoute, TrendFilter, Trends};
pub use api::upkeep::{DatabaseFacts, SealedPlace, Upkeep};
pub use api::usage::{
    Among, Ingested, SessionUsage, UsageFilter, UsageGroup, UsageGrouping, UsageOrder, UsageSubject,
    UsageSummary, UsageTotals,
};
pub use archive::{OTHER_TABLES, SPEND_DAYS, SPEND_MINUTES, TABLES};
pub use open::{Backend, MigrationStatus, OpenError, OpenOptions, migrate_up, migrations, open};
