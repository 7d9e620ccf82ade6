//! Another provider when one fails, and never a trace of it (B3, B5, B6, C1, C3).

use std::time::Duration;

use http::StatusCode;
use penstock_core::provider::{Provider, Timeouts};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Instead};

use super::client::{Answer, messages};
use super::gateway::{Gateway, Setup, anthropic, provider_id};
use super::limits::{provider, told};

/// A provider and its place in the order.
pub(crate) fn tier(fake: &FakeProvider, priority: u32) -> Provider {
    Provider {
        name: format!("p{priority}"),
        priority,
        ..anthropic(fake)
    }
}

/// The first provider, and a second one that answers.
async fn two(first: Behaviour) -> (FakeProvider, FakeProvider, Gateway) {
    let (first, second) = (provider(first).await, provider(told()).await);
    let gateway = Setup::of([tier(&first, 0), tier(&second, 1)]).start().await;
    (first, second, gateway)
}

async fn ask(gateway: &Gateway, stream: bool) -> Answer {
    gateway.client().messages(&messages("hi", stream)).send().await
}

/// An error that nobody knows: another provider, and nothing is held against this one.
pub(crate) fn unknown() -> Behaviour {
    error(403, "permission_error", "Not today.")
}

fn error(status: u16, kind: &str, message: &str) -> Behaviour {
    Behaviour::status(status).error(kind, message, None)
}

#[tokio::test]
async fn b05_another_provider_answers_and_the_caller_sees_nothing_of_it() {
    let failures = [
        (Behaviour::status(500), 2),
        (Behaviour::status(503), 2),
        (Behaviour::status(529), 2),
        (Behaviour::status(429), 1),
        (Behaviour::status(401), 1),
        (Behaviour::status(402), 1),
        (Behaviour::status(403), 1),
        (error(404, "not_found_error", "model: claude-opus-5-5"), 1),
        (Behaviour::instead(Instead::Reset), 2),
        (Behaviour::instead(Instead::Html), 1),
        (Behaviour::instead(Instead::EmptyBody), 1),
        (Behaviour::instead(Instead::MalformedJson), 1),
        (
            Behaviour::instead(Instead::Redirect("/elsewhere".parse().unwrap())),
            1,
        ),
    ];
    for (failure, tries) in failures {
        for stream in [false, true] {
            let (first, second, gateway) = two(failure.clone()).await;
            let answer = ask(&gateway, stream).await;
            assert_eq!(answer.status, StatusCode::OK, "{failure:?} {stream}");
            let read = answer.read().await;
            assert!(
                read.clean && !read.text.contains("error"),
                "{failure:?}: {}",
                read.text
            );
            assert_eq!(
                (first.request_count(), second.request_count()),
                (tries, 1),
                "{failure:?} {stream}"
            );
            let record = gateway.records(1).await.records[0].clone();
            assert_eq!(record.outcome, Outcome::Succeeded);
            assert_eq!(record.provider_id, Some(provider_id(1)));
            assert_eq!(u64::from(record.attempts), tries + 1);
            gateway.stop().await;
        }
    }
}

#[tokio::test]
async fn b06_an_error_inside_a_stream_before_content_is_a_failed_attempt() {
    for events in [0, 1] {
        let failing = Behaviour::ends(events, Ending::Error).error("overloaded_error", "Overloaded", None);
        let (first, second, gateway) = two(failing).await;
        let read = ask(&gateway, true).await.read().await;
        assert!(read.clean && !read.text.contains("Overloaded"), "{}", read.text);
        assert_eq!(
            read.text.matches("message_start").count(),
            2,
            "one event: {}",
            read.text
        );
        assert_eq!((first.request_count(), second.request_count()), (2, 1));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_after_content_nobody_else_is_asked() {
    for how in [Ending::Cut, Ending::Clean, Ending::Error] {
        let (first, second, gateway) = two(Behaviour::ends(4, how)).await;
        let read = ask(&gateway, true).await.read().await;
        assert!(
            !read.clean && read.text.contains("event: error"),
            "{how:?}: {}",
            read.text
        );
        assert_eq!((first.request_count(), second.request_count()), (1, 0), "{how:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_what_the_caller_did_wrong_is_told_at_once_and_unchanged() {
    let mistakes = [
        error(
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
        ),
        error(400, "invalid_request_error", "Extra inputs are not permitted"),
        error(
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
        ),
        error(413, "request_too_large", "Request exceeds the maximum size"),
        error(422, "invalid_request_error", "no"),
    ];
    for mistake in mistakes {
        let (first, second, gateway) = two(mistake.clone()).await;
        for stream in [false, true] {
            let answer = ask(&gateway, stream).await;
            assert_eq!(Some(answer.status), mistake.status);
            assert_eq!(answer.header("x-penstock-code"), None);
            assert_eq!(Some(answer.message().await), mistake.error_message);
        }
        assert_eq!(
            (first.request_count(), second.request_count()),
            (2, 0),
            "{mistake:?}"
        );
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_when_all_fail_the_most_telling_error_is_told() {
    let overloaded = || Behaviour::status(529);
    let failing = || error(500, "api_error", "Internal server error");
    let gone = || error(404, "not_found_error", "model: claude-opus-5-5");
    let refused = || Behaviour::status(401);
    for (behaviours, status) in [
        ([overloaded(), failing()], 500),
        ([failing(), overloaded()], 500),
        ([overloaded(), overloaded()], 529),
        ([overloaded(), gone()], 404),
        // What concerns the providers' own accounts is nobody's business.
        ([refused(), overloaded()], 502),
        ([overloaded(), refused()], 502),
    ] {
        let [first, second] = behaviours.clone();
        let (first, second) = (provider(first).await, provider(second).await);
        let gateway = Setup::of([tier(&first, 0), tier(&second, 1)]).start().await;
        let answer = ask(&gateway, false).await;
        assert_eq!(answer.status.as_u16(), status, "{behaviours:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b05_at_most_five_providers_are_asked() {
    let mut fakes = Vec::new();
    for _ in 0..7 {
        fakes.push(provider(unknown()).await);
    }
    let providers = fakes.iter().zip(0..).map(|(fake, n)| tier(fake, n));
    let gateway = Setup::of(providers).start().await;
    assert_eq!(ask(&gateway, false).await.status, StatusCode::BAD_GATEWAY);
    let asked: Vec<_> = fakes.iter().map(FakeProvider::request_count).collect();
    assert_eq!(asked, [1, 1, 1, 1, 1, 0, 0]);
    gateway.stop().await;
}

#[tokio::test]
async fn c01_a_provider_that_is_silent_is_left_for_another_one() {
    for instead in [Instead::Hang, Instead::Silence] {
        let (slow, second) = (
            provider(Behaviour::instead(instead.clone())).await,
            provider(told()).await,
        );
        let impatient = Provider {
            timeouts: Timeouts {
                first_byte_ms: Some(100),
                idle_ms: Some(100),
                ..Timeouts::default()
            },
            ..tier(&slow, 0)
        };
        let gateway = Setup::of([impatient, tier(&second, 1)]).start().await;
        let answer = ask(&gateway, true).await;
        assert_eq!(answer.status, StatusCode::OK, "{instead:?}");
        assert!(answer.read().await.clean);
        assert_eq!((slow.request_count(), second.request_count()), (1, 1));
        gateway.stop().await;
    }
}

#[tokio::test]
async fn c01_a_provider_that_only_sends_keep_alives_is_left_for_another_one() {
    let pings = Behaviour::instead(Instead::Silence).pace(Duration::from_millis(20));
    let (slow, second) = (provider(pings).await, provider(told()).await);
    let impatient = Provider {
        timeouts: Timeouts {
            first_byte_ms: Some(200),
            ..Timeouts::default()
        },
        ..tier(&slow, 0)
    };
    let gateway = Setup::of([impatient, tier(&second, 1)]).start().await;
    let answer = ask(&gateway, true).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.read().await.clean);
    assert_eq!((slow.request_count(), second.request_count()), (1, 1));
    gateway.stop().await;
}

#[tokio::test]
async fn c01_when_time_runs_out_everywhere_it_is_504() {
    let slow = [
        provider(Behaviour::instead(Instead::Hang)).await,
        provider(Behaviour::instead(Instead::Hang)).await,
    ];
    let impatient = |n: u32| Provider {
        timeouts: Timeouts {
            first_byte_ms: Some(100),
            total_ms: Some(200),
            ..Timeouts::default()
        },
        ..tier(&slow[n as usize], n)
    };
    let gateway = Setup::of([impatient(0), impatient(1)]).start().await;
    for stream in [true, false] {
        let answer = ask(&gateway, stream).await;
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(answer.header("x-penstock-code"), Some("REQUEST_TIMEOUT"));
        assert_eq!(answer.message().await, "Request timeout");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn c05_when_our_own_memory_is_used_up_no_other_provider_is_asked() {
    let large = Behaviour::default().text_bytes(100_000);
    let (first, second) = (provider(large.clone()).await, provider(large).await);
    let mut setup = Setup::of([tier(&first, 0), tier(&second, 1)]);
    setup.traffic.max_bodies_bytes = 1_024;
    let gateway = setup.start().await;
    for _ in 0..6 {
        let answer = ask(&gateway, false).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("x-penstock-code"), Some("OVERLOADED"));
    }
    // Six in a row would have opened its breaker.
    assert_eq!((first.request_count(), second.request_count()), (6, 0));
    gateway.stop().await;
}
