//! A call as a receipt: who called, who was asked, what it cost, where its time went, and what is left.

mod cost;
mod decision;
mod phases;

use std::collections::HashMap;

use penstock_core::id::ProviderId;
use penstock_core::invalid::Invalid;
use penstock_core::usage::decision::Decision;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::{LimitsUsed, UsageRecord, View, fields, or_dash};
use crate::failure::Failure;
use cost::Cost;
use decision::{Attempt, Candidate};
use phases::Phases;

/// `penstock explain ID`.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    pub record: UsageRecord,
    pub user: String,
    pub key: String,
    /// The provider that answered, or failed last.
    pub provider: Option<String>,
    /// How the session was known: `claude_code_header`, `digest`, …
    pub session_source: Option<&'static str>,
    /// `new`, `hit`, `moved`: what became of the session's binding.
    pub affinity: Option<&'static str>,
    pub candidates: Vec<Candidate>,
    pub attempts: Vec<Attempt>,
    /// None: the data plane said nothing of it.
    pub phases: Option<Phases>,
    pub cost: Cost,
    /// As they are now, not as they were at the call.
    pub limits_now: LimitsNow,
}

/// What is left of the limits of the key and its user.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum LimitsNow {
    Read(LimitsUsed),
    /// They could not be read.
    Unknown {
        problem: String,
    },
}

/// Names by id.
struct Names(HashMap<String, String>);

impl Receipt {
    pub(crate) fn read(answer: wire::GetCallResponse, limits_now: LimitsNow) -> Result<Self, Failure> {
        let names = answer.providers.into_iter();
        let names = Names(names.map(|provider| (provider.id, provider.name)).collect());
        let record = answer
            .record
            .ok_or_else(|| Invalid::new("record", "is missing"))?;
        let mut record = convert::usage_record_from_wire(record)?;
        let decision = record.decision.take();
        let told = decision.is_some();
        let decision: Decision = decision.map(|decision| *decision).unwrap_or_default();
        Ok(Self {
            user: answer.user_name,
            key: answer.key_name,
            provider: record.provider_id.map(|id| names.of(id)),
            session_source: decision.session_source.map(|source| source.as_str()),
            affinity: decision.affinity.map(|affinity| affinity.as_str()),
            candidates: Candidate::all(&decision, &names),
            attempts: Attempt::all(&decision, &names),
            phases: told.then(|| Phases::from(&decision.phases)),
            cost: Cost::read(answer.cost.unwrap_or_default(), &record)?,
            limits_now,
            record: record.into(),
        })
    }

    fn head(&self) -> String {
        let record = &self.record;
        let served = match record.model_served.as_str() {
            "" => String::new(),
            served if served == record.model => String::new(),
            served => format!(" (asked for as {served})"),
        };
        let code = record.code.as_deref();
        let code = code.map_or_else(String::new, |code| format!(", {code}"));
        let session = record.session.as_deref().map(|session| {
            let source = self.session_source.unwrap_or("unknown");
            let affinity = self.affinity.map_or_else(String::new, |word| format!(", {word}"));
            format!("{session} (by {source}{affinity})")
        });
        fields(&[
            ("call", record.id.clone()),
            ("at", record.started_at.clone()),
            ("key", self.key.clone()),
            ("user", self.user.clone()),
            ("model", format!("{}{served}", or_dash(Some(&record.model)))),
            ("answer", format!("{} {}{code}", record.status, record.outcome)),
            ("provider", or_dash(self.provider.as_deref())),
            ("session", or_dash(session.as_deref())),
            (
                "decided by",
                format!("data plane {} at revision {}", record.node_id, record.revision),
            ),
        ])
    }
}

impl View for Receipt {
    fn table(&self) -> String {
        let mut parts = vec![self.head()];
        match &self.phases {
            None => parts.push("why: its data plane left no decision record".to_owned()),
            Some(phases) => {
                parts.extend(Candidate::table(&self.candidates));
                parts.extend(Attempt::table(&self.attempts));
                parts.push(format!("time\n{}", phases.table()));
            }
        }
        parts.push(format!("cost\n{}", self.cost.table()));
        parts.push(match &self.limits_now {
            LimitsNow::Read(limits) if limits.items.is_empty() => {
                "limits now: neither the key nor its user has any".to_owned()
            }
            LimitsNow::Read(limits) => format!("limits now\n{}", limits.table()),
            LimitsNow::Unknown { problem } => format!("limits now: cannot be read: {problem}"),
        });
        parts.join("\n\n")
    }
}

impl Names {
    fn of(&self, id: ProviderId) -> String {
        let id = id.to_string();
        self.0.get(&id).cloned().unwrap_or(id)
    }
}

#[cfg(test)]
mod tests;
