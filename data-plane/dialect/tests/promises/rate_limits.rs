//! What providers' headers say of their own limits.

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::failure::{Headroom, Hints};
use penstock_core::time::UnixMs;
use penstock_dialect::headers::{headroom, hints};

/// 2023-11-14T22:13:20Z.
const NOW: UnixMs = UnixMs(1_700_000_000_000);

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    lines.iter().map(header).collect()
}

fn left(lines: &[(&'static str, &'static str)]) -> Option<(u16, Option<i64>)> {
    let found = headroom(&headers(lines), NOW)?;
    Some((found.fraction_left, found.resets_at.map(|at| at.0 - NOW.0)))
}

#[test]
fn the_scarcest_bucket_counts() {
    let anthropic = [
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", "999"),
        ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"),
        ("anthropic-ratelimit-input-tokens-limit", "80000"),
        ("anthropic-ratelimit-input-tokens-remaining", "20000"),
        ("anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:14:20Z"),
    ];
    assert_eq!(left(&anthropic), Some((250, Some(60_000))));
    let openai = [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    assert_eq!(left(&openai), Some((983, Some(1000))));
    let codex = [
        ("x-codex-primary-used-percent", "37.5"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-secondary-used-percent", "80"),
        ("x-codex-secondary-reset-at", "1700003600"),
    ];
    assert_eq!(left(&codex), Some((200, Some(3_600_000))));
}

#[test]
fn what_cannot_be_read_is_absent() {
    assert_eq!(left(&[]), None);
    assert_eq!(left(&[("x-ratelimit-remaining-tokens", "5")]), None);
    let odd = [
        ("x-ratelimit-limit-tokens", "many"),
        ("x-ratelimit-remaining-tokens", "-1"),
    ];
    assert_eq!(left(&odd), None);
    let none = [
        ("x-ratelimit-limit-tokens", "0"),
        ("x-ratelimit-remaining-tokens", "0"),
    ];
    assert_eq!(left(&none), Some((0, None)));
    let more = [
        ("x-ratelimit-limit-tokens", "1"),
        ("x-ratelimit-remaining-tokens", "9"),
    ];
    assert_eq!(headroom(&headers(&more), NOW), Some(Headroom::of(1, 1, None)));
}

#[test]
fn b09_the_moment_of_return_is_in_seconds_milliseconds_or_a_date() {
    let wait = |lines: &[_]| {
        hints(&headers(lines), NOW)
            .retry_after
            .map(|wait| wait.as_millis())
    };
    assert_eq!(wait(&[("retry-after", "17")]), Some(17_000));
    assert_eq!(
        wait(&[("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")]),
        Some(60_000)
    );
    assert_eq!(wait(&[("retry-after", "Tue, 14 Nov 2023 22:00:00 GMT")]), Some(0));
    assert_eq!(
        wait(&[("retry-after", "17"), ("retry-after-ms", "250")]),
        Some(250)
    );
    assert_eq!(wait(&[("retry-after", "later")]), None);
}

#[test]
fn b09_only_a_limit_that_is_used_up_says_when_to_come_back() {
    let lines = |remaining| {
        headers(&[
            ("anthropic-ratelimit-tokens-limit", "10"),
            ("anthropic-ratelimit-tokens-remaining", remaining),
            ("anthropic-ratelimit-tokens-reset", "2023-11-14T22:14:20Z"),
        ])
    };
    assert_eq!(hints(&lines("0"), NOW).reset_at, Some(NOW.plus_ms(60_000)));
    assert_eq!(hints(&lines("3"), NOW), Hints::default());
}
