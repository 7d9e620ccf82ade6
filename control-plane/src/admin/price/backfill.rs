//! Costs of the ledger counted again (behaviour E4): batch by batch, each an answer of the stream.
//!
//! Nothing runs when nobody listens: the next batch begins when the last answer was taken, so a command that is broken
//! off stops the backfill between two batches, and what is done stays. The tariffs are those of the moment at which it
//! began, for all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::Stream;
use futures::stream;
use penstock_core::invalid::Invalid;
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_store::{NewCharge, PriceBackfill, Recharge, UsageFilter};
use tonic::Status;
use uuid::Uuid;

use super::tariffs::{Counted, Tariffs};
use crate::admin::author::Author;
use crate::admin::{names, random, status};
use crate::clock;
use crate::context::Context;

const BATCH: u32 = 500;
const MAX_MODELS: usize = 100;
/// In memory; calls of more models than these are counted, not told.
const KNOWN_MODELS: usize = 10_000;
pub(super) const MAX_LISTED: u32 = 100;

/// A backfill under way.
pub(super) struct Backfill {
    context: Context,
    tariffs: Tariffs,
    filter: UsageFilter,
    progress: PriceBackfill,
    total: u64,
    dry_run: bool,
    models: BTreeMap<String, ModelSums>,
    done: bool,
}

#[derive(Clone, Copy, Default)]
struct ModelSums {
    calls: u64,
    before: i64,
    after: i64,
}

type Answer = Result<wire::BackfillPricesResponse, Status>;

impl Backfill {
    pub(super) async fn begin(
        context: &Context,
        author: Author,
        request: wire::BackfillPricesRequest,
    ) -> Result<Self, Status> {
        let progress = match request.resume.as_str() {
            "" => begun(context, author, &request).await?,
            id => resumed(context, id).await?,
        };
        let filter = UsageFilter {
            provider: progress.provider,
            model: progress.model.clone(),
            ..UsageFilter::span(progress.from, progress.to)
        };
        let total = context.store.count_usage(&filter).await;
        Ok(Self {
            tariffs: Tariffs::of(&context.index),
            context: context.clone(),
            filter,
            progress,
            total: total.map_err(status::from_store)?,
            dry_run: request.dry_run,
            models: BTreeMap::new(),
            done: false,
        })
    }

    /// One answer for each batch; the last one is done.
    pub(super) fn answers(self) -> impl Stream<Item = Answer> + Send + 'static {
        stream::unfold(Some(self), |backfill| async {
            let mut backfill = backfill.filter(|backfill| !backfill.done)?;
            match backfill.step().await {
                Ok(()) => Some((Ok(backfill.answer()), Some(backfill))),
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    async fn step(&mut self) -> Result<(), Status> {
        let store = Arc::clone(&self.context.store);
        let records = store
            .usage_after(&self.filter, self.progress.through, BATCH)
            .await;
        let records = records.map_err(status::from_store)?;
        self.done = records.is_empty();
        self.progress.finished_at = self.done.then(clock::now);
        let mut recharges = Vec::new();
        for record in records {
            self.progress.through = Some(record.id);
            self.progress.scanned += 1;
            match self.tariffs.count(&record) {
                Counted::Nothing => {}
                Counted::Skipped => self.progress.skipped += 1,
                Counted::Charge(charge) => {
                    self.progress.before += record.cost;
                    self.progress.after += charge.cost;
                    if differs(&record, &charge) {
                        self.note(&record, &charge);
                        recharges.push(Recharge { record, charge });
                    }
                }
            }
        }
        let changed = match self.dry_run {
            true => u64::try_from(recharges.len()).unwrap_or(u64::MAX),
            false => {
                let changed = store.recharge(&recharges, &self.progress).await;
                changed.map_err(status::from_store)?
            }
        };
        self.progress.changed = self.progress.changed.saturating_add(changed);
        Ok(())
    }

    fn note(&mut self, record: &UsageRecord, charge: &NewCharge) {
        if self.models.len() >= KNOWN_MODELS && !self.models.contains_key(&record.model_served) {
            return;
        }
        let sums = self.models.entry(record.model_served.clone()).or_default();
        sums.calls += 1;
        sums.before = sums.before.saturating_add(record.cost.0);
        sums.after = sums.after.saturating_add(charge.cost.0);
    }

    fn answer(&self) -> wire::BackfillPricesResponse {
        let progress = &self.progress;
        let id = if self.dry_run {
            String::new()
        } else {
            progress.id.to_string()
        };
        wire::BackfillPricesResponse {
            id,
            total: self.total,
            scanned: progress.scanned,
            changed: progress.changed,
            skipped: progress.skipped,
            before_nanousd: progress.before.0,
            after_nanousd: progress.after.0,
            done: self.done,
            models: if self.done { self.told() } else { Vec::new() },
        }
    }

    fn told(&self) -> Vec<wire::BackfilledModel> {
        let mut models: Vec<_> = self.models.iter().collect();
        models.sort_by_key(|(_, sums)| std::cmp::Reverse((sums.after - sums.before).unsigned_abs()));
        let told = models.into_iter().take(MAX_MODELS);
        told.map(|(model, sums)| wire::BackfilledModel {
            model: model.clone(),
            calls: sums.calls,
            before_nanousd: sums.before,
            after_nanousd: sums.after,
        })
        .collect()
    }
}

/// Another version of the same price that charges the same changes nothing.
fn differs(record: &UsageRecord, charge: &NewCharge) -> bool {
    let name = |price: &Option<(String, u64)>| price.as_ref().map(|(name, _)| name.clone());
    record.cost != charge.cost
        || record.unpriced != charge.unpriced
        || name(&record.price) != name(&charge.price)
}

async fn begun(
    context: &Context,
    author: Author,
    request: &wire::BackfillPricesRequest,
) -> Result<PriceBackfill, Status> {
    if request.from_ms < 0 || request.from_ms >= request.to_ms {
        return Err(status::invalid(&Invalid::new("from_ms", "must be before to_ms")));
    }
    let provider = match request.provider.as_str() {
        "" => None,
        name => Some(names::provider(&*context.store, name).await?.id),
    };
    let (ms, unique) = random::id_parts()?;
    let id = penstock_core::id::RequestId::from_parts(ms, &unique);
    let (actor, reason) = author.signed(request.change.clone())?;
    Ok(PriceBackfill {
        id: id.0,
        actor,
        reason,
        started_at: clock::now(),
        finished_at: None,
        from: UnixMs(request.from_ms),
        to: UnixMs(request.to_ms),
        model: (!request.model.is_empty()).then(|| request.model.clone()),
        provider,
        through: None,
        scanned: 0,
        changed: 0,
        skipped: 0,
        before: NanoUsd(0),
        after: NanoUsd(0),
    })
}

async fn resumed(context: &Context, id: &str) -> Result<PriceBackfill, Status> {
    let id: Uuid = id
        .parse()
        .map_err(|_| status::invalid(&Invalid::new("resume", "is not the id of a backfill")))?;
    let known = context
        .store
        .price_backfills(MAX_LISTED)
        .await
        .map_err(status::from_store)?;
    let found = known.into_iter().find(|backfill| backfill.id == id);
    let found = found.ok_or_else(|| status::not_found(&format!("backfill {id}")))?;
    match found.finished_at {
        None => Ok(found),
        Some(_) => Err(Status::failed_precondition(
            "this backfill is finished; begin a new one",
        )),
    }
}

/// As operators see it.
pub(super) fn reply(backfill: PriceBackfill) -> wire::PriceBackfill {
    wire::PriceBackfill {
        id: backfill.id.to_string(),
        actor: backfill.actor,
        reason: backfill.reason,
        started_at_ms: backfill.started_at.0,
        finished_at_ms: backfill.finished_at.map(|at| at.0),
        from_ms: backfill.from.0,
        to_ms: backfill.to.0,
        model: backfill.model.unwrap_or_default(),
        provider_id: backfill.provider.map(|id| id.to_string()).unwrap_or_default(),
        scanned: backfill.scanned,
        changed: backfill.changed,
        skipped: backfill.skipped,
        before_nanousd: backfill.before.0,
        after_nanousd: backfill.after.0,
    }
}
