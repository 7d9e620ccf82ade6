//! Prebuilt answers for the bench.

use penstock_fake_provider::{Behaviour, FakeProvider};
use serde_json::{Value, json};

use crate::client::{chat, events, messages, says, streams};

async fn fixed(bytes: usize) -> FakeProvider {
    let builder = FakeProvider::builder().default_behaviour(Behaviour::default().chunks(7));
    builder.fixed_answers(bytes).start().await.unwrap()
}

#[tokio::test]
async fn a_fixed_answer_has_its_size_and_real_usage() {
    let fake = fixed(600).await;
    for request in [messages(&fake, &says("hello")), chat(&fake, &says("hello"))] {
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        assert_eq!(answer.len(), 600);
        assert!(serde_json::from_slice::<Value>(&answer).unwrap()["usage"].is_object());
    }
    assert_eq!((fake.usage_totals().answers, fake.requests().len()), (2, 0));
}

#[tokio::test]
async fn a_fixed_stream_has_the_default_chunks() {
    let fake = fixed(400).await;
    let events = events(messages(&fake, &streams("hello"))).await;
    assert_eq!(
        events
            .iter()
            .filter(|event| event.name == "content_block_delta")
            .count(),
        7
    );
    assert_eq!(fake.usage_totals().answers, 1);
}

#[tokio::test]
async fn fixed_streams_keep_the_rules_of_include_usage() {
    let fake = fixed(400).await;
    let mut body = streams("hello");
    assert!(
        events(chat(&fake, &body))
            .await
            .iter()
            .all(|chunk| chunk.data.get("usage").is_none())
    );
    body["stream_options"] = json!({"include_usage": true});
    assert!(
        events(chat(&fake, &body))
            .await
            .iter()
            .any(|chunk| chunk.data["usage"].is_object())
    );
}

#[tokio::test]
async fn commands_are_obeyed_in_fixed_mode() {
    let fake = fixed(400).await;
    let said = messages(&fake, &says("hello [[fake status=529]]"))
        .send()
        .await
        .unwrap();
    let told = messages(&fake, &says("hello"))
        .header("x-fake", "status=503")
        .send()
        .await
        .unwrap();
    assert_eq!((said.status().as_u16(), told.status().as_u16()), (529, 503));
    fake.set_default(Behaviour::status(500));
    assert_eq!(
        messages(&fake, &says("hello")).send().await.unwrap().status(),
        500
    );
}
