//! The details of Google's errors: an array of objects, each of its own type.

use penstock_core::failure::duration_of;

use super::{UpstreamError, word};
use crate::json::Value;

/// More details or violations than this are not read.
const MAX_ITEMS: usize = 16;

/// `ErrorInfo{reason}`, `RetryInfo{retryDelay}`, `QuotaFailure{violations[{quotaId}]}`, told by their fields.
pub(super) fn details(error: &mut UpstreamError, array: &Value<'_>) {
    each(array, |item| {
        item.each_member(|name, value| match name {
            b"reason" => error.details().reason = word(&value),
            b"retryDelay" => error.details().delay = word(&value).as_deref().and_then(duration_of),
            b"violations" => each(&value, |violation| {
                violation.each_member(|name, value| {
                    if name == b"quotaId" {
                        quota(error, &value);
                    }
                });
            }),
            _ => {}
        });
    });
}

/// A quota of the day outlasts the others.
fn quota(error: &mut UpstreamError, value: &Value<'_>) {
    let kept = &mut error.details().quota_id;
    let lasts = kept.as_ref().is_some_and(|id| id.contains("PerDay"));
    if !lasts {
        *kept = word(value).or_else(|| kept.take());
    }
}

fn each<'a>(array: &Value<'a>, mut each: impl FnMut(Value<'a>)) {
    let mut elements = array.elements();
    for _ in 0..MAX_ITEMS {
        let Some(element) = elements.next() else {
            return;
        };
        each(element);
    }
}
