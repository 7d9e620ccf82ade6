//! Which calls are asked for.

use std::ops::RangeInclusive;

use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_store::{LogFilter, UsageFilter};
use tonic::Status;

use crate::admin::{status, usage};
use crate::context::Context;

/// Longer texts are not looked for, bytes.
const MAX_TEXT: usize = 256;

/// `back_ms`: how far a span without a beginning reaches back.
pub(super) async fn read(
    context: &Context,
    asked: wire::CallFilter,
    now: UnixMs,
    back_ms: u64,
) -> Result<LogFilter, Status> {
    let back = i64::try_from(back_ms).unwrap_or(i64::MAX);
    let usage = wire::UsageFilter {
        from_ms: match asked.since_ms {
            0 => now.0.saturating_sub(back),
            since => since,
        },
        to_ms: asked.until_ms,
        user: asked.user,
        key: asked.key,
        provider: asked.provider,
        model: asked.model,
        ..wire::UsageFilter::default()
    };
    let usage: UsageFilter = usage::filter(context, usage).await?;
    let text = |field: &str, text: String| match text.len() {
        0 => Ok(None),
        1..=MAX_TEXT => Ok(Some(text)),
        _ => Err(invalid(field, &format!("is longer than {MAX_TEXT} bytes"))),
    };
    Ok(LogFilter {
        usage,
        session: text("filter.session", asked.session)?,
        status: statuses(asked.status.trim())?,
        slower_than_ms: (asked.slower_than_ms > 0).then_some(asked.slower_than_ms),
        error_type: text("filter.error_type", asked.error_type)?,
        error_class: text("filter.error_class", asked.error_class.to_ascii_uppercase())?,
        grep: text("filter.grep", asked.grep)?,
        ended_since: None,
        failed: asked.failed,
    })
}

/// `429`, `5xx`.
fn statuses(text: &str) -> Result<Option<RangeInclusive<u16>>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let lower = text.to_ascii_lowercase();
    if let Some(hundreds) = lower.strip_suffix("xx")
        && let Ok(hundreds @ 1..=5) = hundreds.parse::<u16>()
    {
        return Ok(Some(hundreds * 100..=hundreds * 100 + 99));
    }
    match lower.parse() {
        Ok(status @ 100..=599) => Ok(Some(status..=status)),
        Ok(_) | Err(_) => Err(invalid(
            "filter.status",
            &format!("{text:?} is no status; write 429 or 5xx"),
        )),
    }
}

fn invalid(field: &str, problem: &str) -> Status {
    status::invalid(&Invalid::new(field, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_a_status_is_a_number_or_a_family() {
        assert_eq!(statuses("429").unwrap(), Some(429..=429));
        assert_eq!(statuses("5XX").unwrap(), Some(500..=599));
        assert_eq!(statuses("").unwrap(), None);
        for bad in ["9xx", "42", "x", "5x"] {
            assert!(
                statuses(bad).unwrap_err().message().contains("write 429 or 5xx"),
                "{bad}"
            );
        }
    }
}
