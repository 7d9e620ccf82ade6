//! What the commands show: one struct a thing, from which JSON, YAML and tables are made.
//!
//! The field names are the stable contract of `docs/cli.md`. Rules: lists are `{"items": […]}`; counts are numbers;
//! money is a decimal string in USD beside an integer `…_nanousd`; instants are RFC 3339 in UTC, `null` when there is
//! none; nothing here can hold a credential.

mod access;
mod alert;
mod applied;
mod audit;
mod backfill;
mod backup;
mod breaker;
mod change;
mod charges;
mod cleaned;
mod counters;
mod debug;
mod enforcement;
mod error_rule;
mod explained;
mod finding;
mod forecast;
mod imported;
mod judged;
mod key;
mod limits;
mod limits_used;
mod log;
mod master_key;
mod migration;
mod node;
mod oauth;
mod operator;
mod outbound;
mod price;
mod price_import;
mod provider;
mod provider_test;
mod receipt;
mod record;
mod request_filter;
mod revision;
mod route_plan;
mod sessions;
mod setting;
mod status;
mod table;
mod tokens;
mod trends;
mod usage;
mod usage_series;
mod user;
mod webhook;
mod word_rule;

use penstock_core::time::UnixMs;
use serde::Serialize;

pub(crate) use alert::{Alert, Notification};
pub(crate) use applied::{Applied, Drift};
pub(crate) use audit::AuditEntry;
pub(crate) use backfill::{Backfilled, PriceBackfill};
pub(crate) use backup::{Backup, BackupMade, Restored};
pub(crate) use breaker::{Breaker, Breakers, ProviderReset};
pub(crate) use change::{Difference, Past};
pub(crate) use charges::Charges;
pub(crate) use cleaned::Cleaned;
pub(crate) use counters::Counters;
pub(crate) use debug::DebugWindow;
pub(crate) use enforcement::Enforcement;
pub(crate) use error_rule::{ErrorRule, Judged};
pub(crate) use explained::Explained;
pub(crate) use finding::{Diagnosis, Finding, Level};
pub(crate) use forecast::Forecasts;
pub(crate) use imported::Imported;
pub(crate) use key::{FoundKey, Key, NewKey};
pub(crate) use limits_used::{LimitsReset, LimitsUsed};
pub(crate) use log::{FailureRecords, LoggedCall};
pub(crate) use master_key::{MasterKey, MasterKeyRotated};
pub(crate) use migration::Migration;
pub(crate) use node::Nodes;
pub(crate) use oauth::{OauthLogin, OauthStatus, OauthStep};
pub(crate) use operator::{NewOperator, Operator, OperatorDeleted, WhoAmI};
pub(crate) use price::{Price, ResolvedPrice};
pub(crate) use price_import::PriceImport;
pub(crate) use provider::Provider;
pub(crate) use provider_test::{ProviderTest, ProviderTests};
pub(crate) use receipt::{LimitsNow, Receipt};
pub(crate) use record::UsageRecord;
pub(crate) use request_filter::RequestFilter;
pub(crate) use revision::{History, Revision, Rollback};
pub(crate) use route_plan::RoutePlan;
pub(crate) use sessions::{KickedSession, Session};
pub(crate) use setting::Setting;
pub(crate) use status::Status;
pub(crate) use table::{fields, header, line, rows};
pub(crate) use trends::ErrorTrends;
pub(crate) use usage::Usage;
pub(crate) use usage_series::UsageSeries;
pub(crate) use user::User;
pub(crate) use webhook::{Delivery, Webhook, WebhookTest};
pub(crate) use word_rule::WordRule;

/// Something that can be printed in every form.
pub(crate) trait View: Serialize {
    /// For people; may have several lines.
    fn table(&self) -> String;
}

/// Something that can stand in a row of a list.
pub(crate) trait Row: Serialize {
    const COLUMNS: &'static [&'static str];

    /// As many as there are columns.
    fn cells(&self) -> Vec<String>;
}

/// Several of a kind.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    pub items: Vec<T>,
}

/// A thing after it was changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changed<T> {
    #[serde(flatten)]
    pub value: T,
    /// The revision that the change made.
    pub revision: u64,
}

/// A change that leaves nothing to show.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    /// For people: `deleted provider main`.
    pub done: String,
    pub revision: u64,
}

/// A node that does not take a resource.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refusal {
    pub node_id: String,
    pub version: u64,
    pub reason: String,
}

impl<T: Row> View for List<T> {
    fn table(&self) -> String {
        rows(T::COLUMNS, self.items.iter().map(Row::cells))
    }
}

impl<T: View> View for Changed<T> {
    fn table(&self) -> String {
        format!("{}\nrevision {}", self.value.table(), self.revision)
    }
}

impl View for Done {
    fn table(&self) -> String {
        format!("{} (revision {})", self.done, self.revision)
    }
}

impl From<penstock_proto::admin::v1::Refusal> for Refusal {
    fn from(refusal: penstock_proto::admin::v1::Refusal) -> Self {
        Self {
            node_id: refusal.node_id,
            version: refusal.version,
            reason: refusal.reason,
        }
    }
}

/// Refusals in one cell.
fn refused(refusals: &[Refusal]) -> String {
    let line = |refusal: &Refusal| format!("{}: {}", refusal.node_id, refusal.reason);
    refusals.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An instant that may be missing: 0 stands for none.
fn instant(ms: i64) -> Option<String> {
    (ms != 0).then(|| UnixMs(ms).to_string())
}

/// An optional text in a cell.
fn or_dash(text: Option<&str>) -> String {
    match text {
        None | Some("") => "-".to_owned(),
        Some(text) => text.to_owned(),
    }
}

/// A list in a cell.
fn joined(items: &[String]) -> String {
    if items.is_empty() {
        "-".to_owned()
    } else {
        items.join(", ")
    }
}

fn yes_no(yes: bool) -> String {
    (if yes { "yes" } else { "no" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
    }

    impl View for Thing {
        fn table(&self) -> String {
            self.name.to_owned()
        }
    }

    impl Row for Thing {
        const COLUMNS: &'static [&'static str] = &["NAME"];

        fn cells(&self) -> Vec<String> {
            vec![self.name.to_owned()]
        }
    }

    #[test]
    fn a_list_is_an_object_with_items() {
        let list = List {
            items: vec![Thing { name: "a" }],
        };
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            r#"{"items":[{"name":"a"}]}"#
        );
        assert_eq!(list.table(), "NAME\na");
    }

    #[test]
    fn a_changed_thing_shows_itself_and_the_revision() {
        let changed = Changed {
            value: Thing { name: "a" },
            revision: 7,
        };
        assert_eq!(
            serde_json::to_string(&changed).unwrap(),
            r#"{"name":"a","revision":7}"#
        );
        assert_eq!(changed.table(), "a\nrevision 7");
    }

    #[test]
    fn an_instant_that_is_not_set_is_null() {
        assert_eq!(instant(0), None);
        assert_eq!(instant(1_700_000_000_000).unwrap(), "2023-11-14T22:13:20Z");
    }
}
