//! Backfills: what they changed, and which there were.

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::{Row, View, fields, or_dash, rows};

/// One that has run, or would.
#[derive(Debug, Serialize)]
pub(crate) struct Backfilled {
    /// None: it was a dry run.
    pub id: Option<String>,
    pub scanned: u64,
    pub changed: u64,
    pub skipped: u64,
    pub before_usd: String,
    pub before_nanousd: i64,
    pub after_usd: String,
    pub after_nanousd: i64,
    pub models: Vec<Model>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Model {
    pub model: String,
    pub calls: u64,
    pub before_usd: String,
    pub after_usd: String,
    pub difference_usd: String,
}

/// One of a list.
#[derive(Debug, Serialize)]
pub(crate) struct PriceBackfill {
    pub id: String,
    pub actor: String,
    pub reason: String,
    pub started_at: String,
    /// None: it is under way, or was broken off.
    pub finished_at: Option<String>,
    pub from: String,
    pub to: String,
    pub model: Option<String>,
    pub provider_id: Option<String>,
    pub scanned: u64,
    pub changed: u64,
    pub skipped: u64,
    pub before_usd: String,
    pub after_usd: String,
}

impl From<wire::BackfillPricesResponse> for Backfilled {
    fn from(answer: wire::BackfillPricesResponse) -> Self {
        let usd = |nanousd: i64| NanoUsd(nanousd).to_string();
        let model = |model: wire::BackfilledModel| Model {
            model: model.model,
            calls: model.calls,
            before_usd: usd(model.before_nanousd),
            after_usd: usd(model.after_nanousd),
            difference_usd: usd(model.after_nanousd.saturating_sub(model.before_nanousd)),
        };
        Self {
            id: (!answer.id.is_empty()).then_some(answer.id),
            scanned: answer.scanned,
            changed: answer.changed,
            skipped: answer.skipped,
            before_usd: usd(answer.before_nanousd),
            before_nanousd: answer.before_nanousd,
            after_usd: usd(answer.after_nanousd),
            after_nanousd: answer.after_nanousd,
            models: answer.models.into_iter().map(model).collect(),
        }
    }
}

impl From<wire::PriceBackfill> for PriceBackfill {
    fn from(backfill: wire::PriceBackfill) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            id: backfill.id,
            actor: backfill.actor,
            reason: backfill.reason,
            started_at: UnixMs(backfill.started_at_ms).to_string(),
            finished_at: backfill.finished_at_ms.map(|ms| UnixMs(ms).to_string()),
            from: UnixMs(backfill.from_ms).to_string(),
            to: UnixMs(backfill.to_ms).to_string(),
            model: some(backfill.model),
            provider_id: some(backfill.provider_id),
            scanned: backfill.scanned,
            changed: backfill.changed,
            skipped: backfill.skipped,
            before_usd: NanoUsd(backfill.before_nanousd).to_string(),
            after_usd: NanoUsd(backfill.after_nanousd).to_string(),
        }
    }
}

impl View for Backfilled {
    fn table(&self) -> String {
        let models = self.models.iter().map(|model| {
            vec![
                model.model.clone(),
                model.calls.to_string(),
                model.before_usd.clone(),
                model.after_usd.clone(),
                model.difference_usd.clone(),
            ]
        });
        let models = rows(
            &["MODEL", "CALLS", "BEFORE USD", "AFTER USD", "DIFFERENCE"],
            models,
        );
        let sums = fields(&[
            ("id", or_dash(self.id.as_deref())),
            ("calls looked at", self.scanned.to_string()),
            ("changed", self.changed.to_string()),
            ("skipped", self.skipped.to_string()),
            ("before", format!("{} USD", self.before_usd)),
            ("after", format!("{} USD", self.after_usd)),
        ]);
        match self.models.is_empty() {
            true => sums,
            false => format!("{models}\n{sums}"),
        }
    }
}

impl Row for PriceBackfill {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "BY",
        "STARTED",
        "FINISHED",
        "FROM",
        "TO",
        "LOOKED AT",
        "CHANGED",
        "BEFORE USD",
        "AFTER USD",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.actor.clone(),
            self.started_at.clone(),
            or_dash(self.finished_at.as_deref()),
            self.from.clone(),
            self.to.clone(),
            self.scanned.to_string(),
            self.changed.to_string(),
            self.before_usd.clone(),
            self.after_usd.clone(),
        ]
    }
}
