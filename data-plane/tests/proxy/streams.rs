//! Streams: passed on as they come, broken as they break (B6, C1–C4).

use std::time::Duration;

use http::StatusCode;
use penstock_core::price::TokenClass;
use penstock_core::provider::{ProviderKind, Timeouts};
use penstock_core::usage::Outcome;
use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Gate, Instead};

use super::client::{Client, chat, messages};
use super::gateway::{self, CREDENTIAL, Gateway, Setup, anthropic, openai};
use super::limits::provider;

/// Against a provider that behaves so, with short timeouts.
async fn gateway(behaviour: Behaviour) -> (FakeProvider, Gateway) {
    let fake = FakeProvider::builder()
        .default_behaviour(behaviour)
        .shutdown_grace(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let mut providers = [anthropic(&fake), openai(&fake)];
    for provider in &mut providers {
        provider.timeouts = Timeouts {
            first_byte_ms: Some(500),
            idle_ms: Some(500),
            ..Timeouts::default()
        };
    }
    let gateway = Setup::of(providers).start().await;
    (fake, gateway)
}

async fn direct(fake: &FakeProvider, path: &str, body: &serde_json::Value) -> String {
    let client = Client::http1(fake.address());
    let asking = client.post(path, body).header("anthropic-version", "2023-06-01");
    asking.send().await.read().await.text
}

#[tokio::test]
async fn c02_a_stream_passes_byte_by_byte() {
    let pings = Behaviour {
        pings: 3,
        ..Behaviour::default().chunks(40)
    };
    let (fake, gateway) = gateway(pings).await;
    let body = messages("hi", true);
    let answer = gateway.client().messages(&body).send().await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    let out = answer.read().await;
    assert!(out.clean);
    assert_eq!(out.text, direct(&fake, "/v1/messages", &body).await);

    let mut body = chat("hi", true);
    body["stream_options"] = serde_json::json!({"include_usage": true});
    let out = gateway.client().chat(&body).send().await.read().await;
    assert_eq!(out.text, direct(&fake, "/v1/chat/completions", &body).await);
    gateway.stop().await;
}

#[tokio::test]
async fn c02_events_arrive_while_the_stream_is_under_way() {
    let gate = Gate::new();
    let (_fake, gateway) = gateway(Behaviour::held_after(5, &gate)).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    let begun = answer.until("content_block_delta").await;
    assert!(!begun.contains("message_stop"));
    gate.open();
    answer.until("message_stop").await;
    gateway.stop().await;
}

#[tokio::test]
async fn c03_a_cut_stream_ends_with_an_error_event_and_no_clean_end() {
    for ending in [Ending::Cut, Ending::Clean] {
        let (_fake, gateway) = gateway(Behaviour::ends(5, ending)).await;
        let out = gateway
            .client()
            .messages(&messages("hi", true))
            .send()
            .await
            .read()
            .await;
        assert!(!out.clean, "{ending:?}");
        let last = out.text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(
            last.starts_with("event: error\ndata: {\"type\":\"error\""),
            "{last}"
        );
        assert!(!out.text.contains("message_stop"));

        let out = gateway.client().chat(&chat("hi", true)).send().await.read().await;
        assert!(!out.clean && !out.text.contains("[DONE]"), "{ending:?}");
        let last = out.text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with("data: {\"error\":"), "{last}");

        let ledger = gateway.records(2).await;
        for record in &ledger.records {
            assert_eq!((record.outcome, record.status), (Outcome::Interrupted, 200));
            assert!(record.estimated && record.tokens.output > 0);
        }
        gateway.stop().await;
    }
}

#[tokio::test]
async fn c03_the_providers_own_error_event_is_the_last_word_masked() {
    let mut behaviour = Behaviour::ends(5, Ending::Error);
    behaviour.error_type = Some("overloaded_error".to_owned());
    behaviour.error_message = Some(format!("no more for {CREDENTIAL} of ops@example.com"));
    let (_fake, gateway) = gateway(behaviour).await;
    let out = gateway
        .client()
        .messages(&messages("hi", true))
        .send()
        .await
        .read()
        .await;
    assert!(!out.clean);
    let last = out.text.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        last.contains("overloaded_error") && last.contains("no more for"),
        "{last}"
    );
    assert!(
        !last.contains(CREDENTIAL) && !last.contains("ops@example.com"),
        "{last}"
    );
    assert_eq!(gateway.records(1).await.only().outcome, Outcome::Interrupted);
    gateway.stop().await;
}

#[tokio::test]
async fn c03_an_answer_ends_with_its_last_event_whatever_the_providers_connection_does() {
    let begun = tokio::time::Instant::now();
    let (fake, gateway) = {
        let fake = provider(Behaviour::ends(1_000, Ending::Stall)).await;
        let providers = [anthropic(&fake), openai(&fake)];
        (fake, Setup::of(providers).start().await)
    };
    let client = gateway.client();
    for asking in [
        client.messages(&messages("hi", true)),
        client.chat(&chat("hi", true)),
    ] {
        let out = asking.send().await.read().await;
        assert!(out.clean, "{}", out.text);
    }
    // Long before anything else would end it.
    assert!(begun.elapsed() < Duration::from_secs(30));
    fake.until(|counts| counts.in_flight == 0).await;
    let outcomes = gateway.records(2).await.records;
    assert!(outcomes.iter().all(|record| record.outcome == Outcome::Succeeded));
    gateway.stop().await;
}

#[tokio::test]
async fn c03_a_gemini_answer_that_may_end_is_whole_when_nothing_more_comes() {
    let fake = provider(Behaviour::ends(1_000, Ending::Stall)).await;
    let mut gemini = gateway::provider("gemini", ProviderKind::Gemini, &fake.base_url());
    gemini.timeouts.idle_ms = Some(300);
    let rates = [(TokenClass::Input, 300_000), (TokenClass::Output, 2_500_000)];
    let setup = Setup {
        prices: vec![("gemini-2.5-flash", gateway::price("gemini", &rates))],
        ..Setup::of([gemini])
    };
    let gateway = setup.start().await;
    for alt in ["", "?alt=sse"] {
        let path = format!("/v1beta/models/gemini-2.5-flash:streamGenerateContent{alt}");
        let body = serde_json::json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        let out = gateway.client().post(&path, &body).send().await.read().await;
        assert!(out.clean, "{}", out.text);
        if alt.is_empty() {
            assert!(
                serde_json::from_str::<Vec<serde_json::Value>>(&out.text).is_ok(),
                "{}",
                out.text
            );
        }
    }
    let outcomes = gateway.records(2).await.records;
    assert!(outcomes.iter().all(|record| record.outcome == Outcome::Succeeded));
    gateway.stop().await;
}

#[tokio::test]
async fn c01_a_stream_that_falls_silent_is_broken_off() {
    let (_fake, gateway) = gateway(Behaviour::ends(5, Ending::Stall)).await;
    let out = gateway
        .client()
        .messages(&messages("hi", true))
        .send()
        .await
        .read()
        .await;
    assert!(!out.clean && out.text.contains("event: error"));
    assert_eq!(gateway.records(1).await.only().outcome, Outcome::Interrupted);
    gateway.stop().await;
}

#[tokio::test]
async fn c01_no_first_byte_is_504_with_retry_left_to_the_caller() {
    let (_fake, gateway) = gateway(Behaviour::instead(Instead::Hang)).await;
    let answer = gateway.client().messages(&messages("hi", true)).send().await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.header("x-penstock-code"), Some("REQUEST_TIMEOUT"));
    assert!(answer.message().await.starts_with("Request timeout"));
    let ledger = gateway.ledger();
    assert_eq!(
        (ledger.only().outcome, ledger.only().status),
        (Outcome::Failed, 504)
    );
    assert!(gateway.metrics().contains("end=\"timeout\"} 1"));
    gateway.stop().await;
}

#[tokio::test]
async fn c01_the_whole_call_has_a_deadline_too() {
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::instead(Instead::Silence).pace(Duration::from_millis(20)))
        .shutdown_grace(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let mut provider = anthropic(&fake);
    (provider.timeouts.stream_total_ms, provider.timeouts.total_ms) = (Some(300), Some(300));
    let gateway = Setup::of([provider]).start().await;
    let answer = gateway.client().messages(&messages("hi", true)).send().await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    fake.set_default(Behaviour::instead(Instead::Hang));
    let answer = gateway.client().messages(&messages("hi", false)).send().await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    gateway.stop().await;
}

/// Asks for a stream far larger than all buffers on its way.
fn endless_messages() -> serde_json::Value {
    let mut body = messages("hi", true);
    body["max_tokens"] = 20_000_000.into();
    body
}

async fn endless() -> (FakeProvider, Gateway) {
    let behaviour = Behaviour {
        chunk_bytes: Some(64 * 1024),
        ..Behaviour::default().chunks(500)
    };
    let fake = FakeProvider::builder()
        .default_behaviour(behaviour)
        .shutdown_grace(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    (fake, gateway)
}

#[tokio::test]
async fn c01_the_deadline_holds_for_a_caller_who_reads_slowly() {
    let (_fake, gateway) = endless().await;
    let mut answer = gateway.client().messages(&endless_messages()).send().await;
    answer.until("content_block_delta").await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    tokio::time::resume();
    let out = answer.read().await;
    assert!(!out.clean && !out.text.contains("message_stop"));
    assert_eq!(gateway.records(1).await.only().outcome, Outcome::Interrupted);
    gateway.stop().await;
}

#[tokio::test]
async fn c01_a_caller_who_never_opens_his_window_is_given_up() {
    use http_body_util::Full;
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let (fake, gateway) = endless().await;
    let socket = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake(TokioIo::new(socket))
        .await
        .unwrap();
    let mut connections = tokio::task::JoinSet::new();
    connections.spawn(connection);
    let request = http::Request::post(format!("http://{}/v1/messages", gateway.address))
        .header("x-api-key", super::gateway::KEY)
        .body(Full::new(bytes::Bytes::from(endless_messages().to_string())))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    tokio::time::pause();
    while gateway.ledger().records.is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::time::resume();
    let ledger = gateway.ledger();
    let record = ledger.only();
    assert_eq!((record.outcome, record.status), (Outcome::ClientAbort, 499));
    fake.until(|counts| counts.abandoned == 1).await;
    assert!(
        connections.try_join_next().is_none(),
        "only the answer was given up"
    );
    drop((answer, sender));
    gateway.stop().await;
}

#[tokio::test]
async fn b06_an_error_before_any_content_leaves_no_trace_in_a_stream() {
    for behaviour in [
        Behaviour::ends(1, Ending::Clean),
        Behaviour::ends(1, Ending::Cut),
        Behaviour::instead(Instead::Html),
        Behaviour::instead(Instead::EmptyBody),
        Behaviour::instead(Instead::MalformedJson),
        Behaviour::instead(Instead::Reset),
    ] {
        let what = format!("{behaviour:?}");
        let (_fake, gateway) = gateway(behaviour).await;
        let answer = gateway.client().messages(&messages("hi", true)).send().await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{what}");
        assert_eq!(answer.header("x-penstock-code"), Some("UPSTREAM_ERROR"));
        assert_eq!(answer.json().await["error"]["type"], "api_error");
        let ledger = gateway.ledger();
        assert_eq!(ledger.only().outcome, Outcome::Failed);
        assert!(ledger.open.is_empty());
        gateway.stop().await;
    }
}

#[tokio::test]
async fn b06_a_whole_answer_must_be_json() {
    for instead in [Instead::Html, Instead::EmptyBody, Instead::MalformedJson] {
        let (_fake, gateway) = gateway(Behaviour::instead(instead.clone())).await;
        let answer = gateway.client().messages(&messages("hi", false)).send().await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{instead:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn c04_a_caller_who_goes_away_cancels_the_provider_and_is_recorded_499() {
    let gate = Gate::new();
    let (fake, gateway) = gateway(Behaviour::held_after(6, &gate)).await;
    let mut answer = gateway.client().messages(&messages("hi", true)).send().await;
    answer.until("text_delta").await;
    drop(answer);
    fake.until(|counts| counts.abandoned == 1).await;
    let ledger = gateway.records(1).await;
    let record = ledger.only();
    assert_eq!((record.outcome, record.status), (Outcome::ClientAbort, 499));
    assert!(record.estimated && record.tokens.input > 0 && record.tokens.output > 0);
    assert!(record.cost.0 > 0);
    gateway.stop().await;
}

#[tokio::test]
async fn c04_a_caller_who_goes_away_before_the_answer_is_recorded_too() {
    let (fake, gateway) = gateway(Behaviour::instead(Instead::Hang)).await;
    let sending = gateway.client().messages(&messages("hi", false)).send();
    tokio::select! {
        _ = sending => panic!("there is no answer"),
        _ = fake.until(|counts| counts.in_flight == 1) => {}
    }
    fake.until(|counts| counts.abandoned == 1).await;
    let ledger = gateway.records(1).await;
    assert_eq!(
        (ledger.only().outcome, ledger.only().status),
        (Outcome::ClientAbort, 499)
    );
    // Its provider may be reading the prompt.
    assert!(ledger.only().estimated && ledger.only().tokens.input > 0);
    gateway.stop().await;
}

#[tokio::test]
async fn c04_a_caller_who_goes_away_while_sending_leaves_no_record() {
    use tokio::io::AsyncWriteExt;
    let (fake, gateway) = gateway(Behaviour::default()).await;
    let mut socket = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-length: 100\r\n\r\n{{",
        super::gateway::KEY
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    while !gateway.metrics().contains("outcome=\"client_abort\"") {
        tokio::task::yield_now().await;
    }
    assert!(gateway.ledger().records.is_empty());
    assert_eq!(fake.request_count(), 0);
    gateway.stop().await;
}
