//! What was used yesterday, told once a day.

use penstock_core::alert::{Event, Rule};
use penstock_core::setting::NotificationPolicy;
use penstock_core::time::UnixMs;
use penstock_store::{AlertRow, Error, Notification, Store, UsageFilter};
use uuid::Uuid;

/// Its watch remembers which day was told last, as the subject of a row that never fires.
pub(super) const SUBJECT: &str = "days";

/// The summary that is due, and the watch that says that it was told. None: not now.
pub(super) async fn due(
    store: &dyn Store,
    watched: &[AlertRow],
    policy: &NotificationPolicy,
    now: UnixMs,
) -> Result<Option<(Notification, AlertRow)>, Error> {
    let Some(at) = policy.summary_at else {
        return Ok(None);
    };
    let (yesterday, today) = policy.zone.days(now);
    if policy.zone.minute_of_day(now) < at.minute() {
        return Ok(None);
    }
    let row = watched
        .iter()
        .find(|row| row.rule == Rule::DailySummary && row.subject == SUBJECT);
    if row
        .and_then(|row| row.watch.last_told)
        .is_some_and(|told| told >= today)
    {
        return Ok(None);
    }
    let filter = UsageFilter::span(yesterday, today);
    let sums = store.summarize_usage(&filter, None).await?.totals;
    let title = format!("Yesterday: {} calls, {} USD", sums.requests, sums.cost);
    let detail = format!(
        "{} refused; {} input and {} output tokens. From {yesterday} to {today}. See `penstock usage summary`.",
        sums.rejected, sums.input_tokens, sums.output_tokens
    );
    let notification = Notification {
        id: Uuid::now_v7(),
        rule: Rule::DailySummary,
        subject: SUBJECT.to_owned(),
        event: Event::Fired,
        title: title.clone(),
        detail,
        at: now,
    };
    let mut row = row.cloned().unwrap_or_else(|| AlertRow {
        rule: Rule::DailySummary,
        subject: SUBJECT.to_owned(),
        watch: penstock_core::alert::Watch::default(),
        title,
    });
    row.watch.last_told = Some(now);
    Ok(Some((notification, row)))
}
