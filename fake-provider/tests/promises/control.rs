//! Commanding the fake and looking at what it saw.

use std::time::Duration;

use penstock_fake_provider::{Behaviour, Ending, FakeProvider, Gate};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{chat, client, messages, says, streams, until_broken};

#[tokio::test]
async fn the_script_comes_first_then_the_default() {
    let script = [Behaviour::status(500), Behaviour::default()];
    let builder = FakeProvider::builder()
        .default_behaviour(Behaviour::status(503))
        .script(script);
    let fake = builder.start().await.unwrap();
    fake.script([Behaviour::status(504)]);
    for wanted in [500, 200, 504, 503, 503] {
        assert_eq!(
            messages(&fake, &says("hello")).send().await.unwrap().status(),
            wanted
        );
    }
}

#[tokio::test]
async fn lists_and_counts_use_up_no_script() {
    let fake = FakeProvider::builder()
        .script([Behaviour::status(500)])
        .start()
        .await
        .unwrap();
    let models = client()
        .get(format!("{}/models", fake.openai_base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(models.status(), 200);
    assert_eq!(chat(&fake, &says("hello")).send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn a_header_commands_one_request() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let request = messages(&fake, &says("hello")).header("x-fake", "status=529; retry-after=3");
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (529, &"3".parse().unwrap())
    );
    assert_eq!(
        messages(&fake, &says("hello")).send().await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn a_directive_in_the_message_commands_one_request() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let (events, ended) = until_broken(chat(&fake, &streams("count [[fake cut=2]]"))).await;
    assert_eq!((events.len(), ended), (2, false));
}

#[tokio::test]
async fn an_older_message_commands_nothing() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let mut body = says("and now?");
    body["messages"] = json!([{"role": "user", "content": "[[fake status=500]]"},
        {"role": "assistant", "content": "sorry"}, {"role": "user", "content": "and now?"}]);
    assert_eq!(messages(&fake, &body).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_directive_that_cannot_be_read_is_explained() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let response = messages(&fake, &says("[[fake stauts=500]]"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    let error: Value = response.json().await.unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("fake-provider: unknown word `stauts`; known are: status type"),
        "{message}"
    );
}

#[tokio::test]
async fn a_wrong_credential_is_the_vendors_401() {
    let fake = FakeProvider::builder()
        .require_credential("sk-right")
        .start()
        .await
        .unwrap();
    let wrong = messages(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let error: Value = wrong.json().await.unwrap();
    assert_eq!(
        error["error"],
        json!({"type": "authentication_error", "message": "invalid x-api-key"})
    );
    let wrong = chat(&fake, &says("hello")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(
        wrong.json::<Value>().await.unwrap()["error"]["code"],
        "invalid_api_key"
    );
    let url = format!("{}/v1/messages", fake.base_url());
    let bearer = client()
        .post(url)
        .bearer_auth("sk-right")
        .header("anthropic-version", "2026-10-21");
    assert_eq!(bearer.json(&says("hello")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn requests_are_recorded_as_they_arrived() {
    let fake = FakeProvider::builder().keep_requests(1).start().await.unwrap();
    messages(&fake, &says("one")).send().await.unwrap();
    let url = format!("{}/v1/messages?beta=true", fake.base_url());
    client()
        .post(url)
        .header("x-api-key", "k")
        .body("two")
        .send()
        .await
        .unwrap();
    let requests = fake.requests();
    assert_eq!((requests.len(), fake.request_count()), (1, 2));
    let request = &requests[0];
    assert_eq!(
        (request.path.as_str(), request.query.as_deref()),
        ("/v1/messages", Some("beta=true"))
    );
    assert_eq!(
        (request.header("x-api-key"), &request.body[..]),
        (Some("k"), &b"two"[..])
    );
}

#[tokio::test]
async fn counts_can_be_asked_over_http() {
    let fake = FakeProvider::builder()
        .require_credential("secret")
        .start()
        .await
        .unwrap();
    chat(&fake, &says("hello")).send().await.unwrap();
    let counts = client()
        .get(format!("{}/_fake/counts", fake.base_url()))
        .send()
        .await
        .unwrap();
    let counts: Value = counts.json().await.unwrap();
    assert_eq!(
        (&counts["arrived"], &counts["usage"]["answers"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn a_gate_holds_calls_until_it_opens() {
    let gate = Gate::new();
    let fake = FakeProvider::builder()
        .default_behaviour(Behaviour::held(&gate))
        .start()
        .await
        .unwrap();
    let body = says("hello");
    let calls = async { tokio::join!(messages(&fake, &body).send(), chat(&fake, &body).send()) };
    let opening = async {
        let counts = fake.until(|now| now.in_flight == 2).await;
        gate.open();
        counts
    };
    let ((one, two), counts) = tokio::join!(calls, opening);
    assert_eq!(
        (one.unwrap().status().as_u16(), two.unwrap().status().as_u16()),
        (200, 200)
    );
    assert_eq!((counts.peak_in_flight, fake.counts().in_flight), (2, 0));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let fake = FakeProvider::builder().start().await.unwrap();
    let url = fake.base_url();
    assert_eq!(
        client()
            .post(format!("{url}/v1/v1/messages"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert_eq!(
        client()
            .get(format!("{url}/v1/messages"))
            .send()
            .await
            .unwrap()
            .status(),
        405
    );
}

#[tokio::test]
async fn shutdown_lets_a_running_stream_finish() {
    let gate = Gate::new();
    let builder = FakeProvider::builder().default_behaviour(Behaviour::held_after(1, &gate));
    let fake = builder
        .shutdown_grace(Duration::from_secs(60))
        .start()
        .await
        .unwrap();
    let mut response = messages(&fake, &streams("hello")).send().await.unwrap();
    response.chunk().await.unwrap();
    let reading = async {
        gate.open();
        response.text().await.unwrap()
    };
    let ((), rest) = tokio::join!(fake.shutdown(), reading);
    assert!(rest.contains("message_stop"));
}

#[tokio::test]
async fn shutdown_cuts_what_never_ends_and_frees_the_port() {
    let stall = Behaviour::ends(1, Ending::Stall);
    let builder = FakeProvider::builder()
        .default_behaviour(stall)
        .shutdown_grace(Duration::from_millis(1));
    let fake = builder.start().await.unwrap();
    let response = messages(&fake, &streams("hello")).send().await.unwrap();
    let address = fake.address();
    fake.shutdown().await;
    assert!(response.bytes().await.is_err());
    let again = FakeProvider::builder()
        .start_on(TcpListener::bind(address).await.unwrap())
        .unwrap();
    assert_eq!(
        messages(&again, &says("hello")).send().await.unwrap().status(),
        200
    );
    again.kill().await;
}
