//! The failure log: the records of calls that failed and of attempts that were retried (G14, failure-log.md).

use http::Method;
use penstock_core::setting::{LoggingPolicy, Setting};
use penstock_fake_provider::{Behaviour, Ending, FakeProvider};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use super::client::messages;
use super::gateway::{CLAUDE, CREDENTIAL, Gateway, KEY, Setup, anthropic, key_id, provider_id, user_id};
use super::logs::Log;

const REQUIRED: [&str; 10] = [
    "timestamp",
    "trace_id",
    "request_id",
    "http_status_code",
    "error_type",
    "error_message",
    "model",
    "endpoint",
    "client_sdk_version",
    "sdk_language_runtime",
];
const ALWAYS: [&str; 16] = [
    "level",
    "msg",
    "final",
    "error_class",
    "error_category",
    "code",
    "user_id",
    "key_id",
    "provider_id",
    "provider_chain",
    "session_id",
    "duration_ms",
    "status_code",
    "status_family",
    "data_plane",
    "penstock_request_id",
];

fn check(record: &Value) {
    let record = record.as_object().unwrap();
    for field in REQUIRED.iter().chain(&ALWAYS) {
        assert!(record.contains_key(*field), "{field}: {record:?}");
    }
}

fn body() -> Value {
    let mut body = messages("the secret text", false);
    body["tools"] = json!([{"name": "get_weather", "description": "the secret text", "input_schema": {"type": "object"}}]);
    body["temperature"] = 0.5.into();
    body["metadata"] = json!({"user_id": "the secret text"});
    body
}

async fn gateway(script: impl IntoIterator<Item = Behaviour>) -> (FakeProvider, Gateway) {
    let fake = FakeProvider::builder().script(script).start().await.unwrap();
    let gateway = Setup::of([anthropic(&fake)]).start().await;
    (fake, gateway)
}

#[tokio::test]
async fn g14_a_failed_call_leaves_a_record_of_each_attempt_and_of_the_call() {
    let (log, _guard) = Log::at(LevelFilter::INFO);
    let overloaded =
        || Behaviour::status(529).error("overloaded_error", &format!("Overloaded: {CREDENTIAL}"), None);
    let (fake, gateway) = gateway([overloaded(), overloaded()]).await;
    let answer = gateway
        .client()
        .messages(&body())
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header("user-agent", "Anthropic/Python 0.28.0")
        .header("x-stainless-lang", "python")
        .header("x-stainless-package-version", "0.28.0")
        .header("x-stainless-runtime", "CPython")
        .header("x-stainless-runtime-version", "3.11.5")
        .header("x-business-module", "checkout")
        .send()
        .await;
    assert_eq!(answer.status, 529);
    answer.read().await;
    gateway.stop().await;
    let records = log.of("penstock::failure");
    let [attempt, call] = &records[..] else {
        panic!("{records:#?}")
    };
    for record in [attempt, call] {
        check(record);
        assert_eq!(record["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(record["http_status_code"], 529);
        assert_eq!(record["error_type"], "overloaded_error");
        assert_eq!(record["error_message"], "Overloaded: [credential]");
        assert_eq!(record["endpoint"], format!("{}/v1/messages", fake.base_url()));
        assert_eq!(record["client_sdk_version"], "anthropic-sdk-python==0.28.0");
        assert_eq!(record["sdk_language_runtime"], "Python 3.11.5");
        assert_eq!(record["error_class"], "PROVIDER_ERROR");
        assert_eq!(record["error_category"], "server");
        assert_eq!(record["business_module"], "checkout");
        assert_eq!(record["tool_names"], json!(["get_weather"]));
        assert_eq!(
            (&record["messages_count"], &record["tools_count"]),
            (&1.into(), &1.into())
        );
        assert_eq!(record["content_types_in_messages"], json!(["text"]));
        assert_eq!(record["temperature"], 0.5);
        assert_eq!(record["provider_key_hint"], "sk-provi****0001");
        assert_eq!(record["provider_id"], provider_id(0).to_string());
        assert!(
            record["request_body_hash"]
                .as_str()
                .unwrap()
                .starts_with("sha256:")
        );
        assert!(
            record["request_id"].as_str().unwrap().starts_with("req_"),
            "{record}"
        );
        assert_eq!(record["status_family"], "5xx");
        assert_eq!(record["model"], CLAUDE);
        assert_eq!(
            (&record["user_id"], &record["key_id"]),
            (&user_id().to_string().into(), &key_id(0).to_string().into())
        );
        assert_eq!(record["retry_reason"], "529_overloaded");
    }
    assert_eq!(
        (&attempt["final"], &attempt["retry_count"]),
        (&false.into(), &0.into())
    );
    assert_eq!((&call["final"], &call["retry_count"]), (&true.into(), &1.into()));
    assert_eq!(call["provider_chain"], "claude:529 > claude:529");
    assert_eq!(call["request_attempts_log"].as_array().unwrap().len(), 2);
    assert_eq!(call["request_attempts_log"][0]["provider"], "claude");
    for secret in [KEY, CREDENTIAL, "the secret text"] {
        assert!(!log.text().contains(secret), "{secret} in {}", log.text());
    }
    assert_eq!(numbers(&records), [0, 1]);
}

fn numbers(records: &[Value]) -> Vec<u64> {
    records
        .iter()
        .map(|record| record["number"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn g14_a_stream_that_breaks_is_a_failure_though_its_status_was_200() {
    let (log, _guard) = Log::at(LevelFilter::INFO);
    let (_fake, gateway) = gateway([Behaviour::ends(3, Ending::Cut)]).await;
    let answer = gateway
        .client()
        .messages(&messages("hi", true))
        .header("user-agent", "curl/8.5.0")
        .header("x-trace-id", "my-trace")
        .send()
        .await;
    answer.read().await;
    gateway.stop().await;
    let records = log.of("penstock::failure");
    let [record] = &records[..] else {
        panic!("{records:#?}")
    };
    check(record);
    assert_eq!(
        (&record["http_status_code"], &record["status_code"]),
        (&200.into(), &200.into())
    );
    assert_eq!(record["error_type"], "stream_interrupted");
    assert_eq!(
        (&record["stream_mode"], &record["stream_error_occurred"]),
        (&true.into(), &true.into())
    );
    assert!(
        record["stream_chunks_received"].as_u64().unwrap() >= 1,
        "{record}"
    );
    assert!(
        record["error_message"].as_str().unwrap().contains("after"),
        "{record}"
    );
    assert_eq!(
        (&record["trace_id"], &record["client_sdk_version"]),
        (&"my-trace".into(), &"curl==8.5.0".into())
    );
    assert_eq!(
        (&record["messages_count"], &record["error_category"]),
        (&1.into(), &"network".into())
    );
}

#[tokio::test]
async fn g14_a_call_that_is_refused_here_has_no_provider_and_unknown_stands_for_what_cannot_be_known() {
    let (log, _guard) = Log::at(LevelFilter::INFO);
    let (_fake, gateway) = gateway([]).await;
    let listing = gateway.client().request(Method::GET, "/v1/models/no-such-model");
    listing.header("x-api-key", KEY).send().await.read().await;
    let asking = gateway
        .client()
        .request(Method::POST, "/v1/messages")
        .body("no json");
    asking.header("x-api-key", KEY).send().await.read().await;
    gateway.stop().await;
    let records = log.of("penstock::failure");
    let [model, json] = &records[..] else {
        panic!("{records:#?}")
    };
    for record in [model, json] {
        check(record);
        assert!(record["http_status_code"].is_null() && record["provider_id"].is_null());
        assert_eq!(
            (&record["endpoint"], &record["request_id"]),
            (&"unknown".into(), &"unknown".into())
        );
        assert_eq!(record["status_family"], "4xx");
        assert_eq!(record["error_class"], "NON_RETRYABLE_CLIENT_ERROR");
        let id = record["penstock_request_id"].as_str().unwrap().replace('-', "");
        assert_eq!(record["trace_id"], id.as_str());
    }
    assert_eq!(
        (&model["error_type"], &model["code"]),
        (&"no_such_model".into(), &"INVALID_MODEL".into())
    );
    assert_eq!(
        (&json["error_type"], &json["model"]),
        (&"request_invalid".into(), &"unknown".into())
    );
}

#[tokio::test]
async fn g14_users_can_be_named_by_a_hash() {
    let (log, _guard) = Log::at(LevelFilter::INFO);
    let fake = FakeProvider::builder()
        .script([Behaviour::status(400).error("a_new_error", "messages.0: no", None)])
        .start()
        .await
        .unwrap();
    let setup = Setup {
        settings: vec![Setting::Logging(LoggingPolicy {
            hash_user_ids: true,
            ..LoggingPolicy::default()
        })],
        ..Setup::of([anthropic(&fake)])
    };
    let gateway = setup.start().await;
    gateway
        .client()
        .messages(&messages("hi", false))
        .send()
        .await
        .read()
        .await;
    gateway.stop().await;
    let records = log.of("penstock::failure");
    let record = &records[0];
    assert!(
        record.get("user_id").is_none() && record["user_id_hash"].as_str().unwrap().starts_with("sha256:")
    );
    assert_eq!(record["error_type_mark"], "unknown_error_type");
    assert_eq!(record["error_param"], "messages.0");
    assert!(!log.text().contains(&user_id().to_string()));
}
