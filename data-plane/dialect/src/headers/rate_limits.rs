//! What a provider's answer says of its own limits: how much is left, and when to come back.
//!
//! One pass over the headers, since every answer pays for it. What cannot be read counts as absent. Buckets are those
//! of Anthropic (`anthropic-ratelimit-tokens-remaining`), of OpenAI and Azure (`x-ratelimit-remaining-tokens`) and the
//! windows of `ChatGPT` plans (`x-codex-primary-used-percent`).

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use penstock_core::failure::{Headroom, Hints, moment_of};
use penstock_core::time::UnixMs;

/// More text in one value is none of these headers.
const MAX_VALUE: usize = 64;
/// Four of Anthropic, two of OpenAI, two of plans.
const BUCKETS: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<UnixMs>,
}

#[derive(Clone, Copy)]
enum Part {
    Limit,
    Remaining,
    Reset,
    /// Of 100.
    UsedPercent,
}

/// When an error's headers say to come back.
pub fn hints(headers: &HeaderMap, now: UnixMs) -> Hints {
    let text = |name: &str| headers.get(name).and_then(text);
    let until = |at: UnixMs| Duration::from_millis(u64::try_from(at.0.saturating_sub(now.0)).unwrap_or(0));
    let exact = text("retry-after-ms").and_then(|ms| ms.parse().ok().map(Duration::from_millis));
    let used_up = buckets(headers, now)
        .into_iter()
        .filter(|bucket| bucket.remaining == Some(0));
    Hints {
        retry_after: exact.or_else(|| {
            text("retry-after")
                .and_then(|text| moment_of(text, now))
                .map(until)
        }),
        delay: None,
        resets_at: None,
        reset_at: used_up.filter_map(|bucket| bucket.reset).max(),
        plan_rejected: text("anthropic-ratelimit-unified-status") == Some("rejected"),
        plan_reset: text("anthropic-ratelimit-unified-reset").and_then(|text| moment_of(text, now)),
    }
}

/// The scarcest limit that an answer's headers tell of; None when they tell of none.
pub fn headroom(headers: &HeaderMap, now: UnixMs) -> Option<Headroom> {
    buckets(headers, now)
        .into_iter()
        .filter_map(|bucket| Some(Headroom::of(bucket.remaining?, bucket.limit?, bucket.reset)))
        .reduce(Headroom::scarcer)
}

fn buckets(headers: &HeaderMap, now: UnixMs) -> [Bucket; BUCKETS] {
    let mut buckets = [Bucket::default(); BUCKETS];
    for (name, value) in headers {
        let Some((place, part)) = place(name.as_str()) else {
            continue;
        };
        let (Some(bucket), Some(text)) = (buckets.get_mut(place), text(value)) else {
            continue;
        };
        match part {
            Part::Limit => bucket.limit = text.parse().ok(),
            Part::Remaining => bucket.remaining = text.parse().ok(),
            Part::Reset => bucket.reset = moment_of(text, now),
            Part::UsedPercent => {
                // Perhaps with decimals, which do not matter.
                let used = text.split('.').next().and_then(|whole| whole.parse::<u64>().ok());
                bucket.limit = Some(100);
                bucket.remaining = used.map(|used| 100_u64.saturating_sub(used));
            }
        }
    }
    buckets
}

/// Which bucket a header is of, and which part.
fn place(name: &str) -> Option<(usize, Part)> {
    if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
        let (bucket, part) = rest.rsplit_once('-')?;
        let names = ["requests", "tokens", "input-tokens", "output-tokens"];
        return Some((names.iter().position(|known| *known == bucket)?, part_of(part)?));
    }
    if let Some(rest) = name.strip_prefix("x-ratelimit-") {
        let (part, bucket) = rest.split_once('-')?;
        let names = ["requests", "tokens"];
        return Some((
            4 + names.iter().position(|known| *known == bucket)?,
            part_of(part)?,
        ));
    }
    let (window, part) = name.strip_prefix("x-codex-")?.split_once('-')?;
    let names = ["primary", "secondary"];
    let part = match part {
        "used-percent" => Part::UsedPercent,
        "reset-at" | "reset-after-seconds" => Part::Reset,
        _ => return None,
    };
    Some((6 + names.iter().position(|known| *known == window)?, part))
}

fn part_of(word: &str) -> Option<Part> {
    match word {
        "limit" => Some(Part::Limit),
        "remaining" => Some(Part::Remaining),
        "reset" => Some(Part::Reset),
        _ => None,
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value
        .to_str()
        .ok()
        .map(str::trim)
        .filter(|text| text.len() <= MAX_VALUE)
}
