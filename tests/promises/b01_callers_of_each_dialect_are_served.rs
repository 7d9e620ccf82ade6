//! B1 from the callers' side: lists of models, Bedrock's frames, Gemini's array, the WebSocket that Codex tries first,
//! and translation.

use anyhow::{Context, Result};
use penstock_tests::{Stack, anthropic_body};
use serde_json::{Value, json};

#[tokio::test]
async fn b01_each_dialect_gets_its_own_list_of_models() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.provider("google", "gemini", &stack.fake.base_url(), &[])?;
    stack.synced().await?;
    let get = |path: &str, header: &'static str, value: &str| {
        let url = format!("{}{path}", stack.data[0].url);
        let request = stack.http.get(url).header(header, value);
        async move { anyhow::Ok(request.send().await?.error_for_status()?.json::<Value>().await?) }
    };
    let claude = get("/v1/models", "x-api-key", &key).await?;
    assert!(
        names(&claude["data"], "id")
            .iter()
            .all(|name| name.contains("claude")),
        "{claude}"
    );
    assert_eq!(claude["data"][0]["type"], "model");
    let gpt = get("/v1/models", "authorization", &format!("Bearer {key}")).await?;
    assert!(names(&gpt["data"], "id").contains(&"gpt-5.5".to_owned()), "{gpt}");
    assert!(!gpt.to_string().contains("claude"));
    for path in ["/v1beta/models", "/v1/models"] {
        let gemini = get(path, "x-goog-api-key", &key).await?;
        let names = names(&gemini["models"], "name");
        assert!(names.contains(&"models/gemini-2.5-flash".to_owned()), "{gemini}");
    }
    let one = get("/v1beta/models/gemini-2.5-flash", "x-goog-api-key", &key).await?;
    assert_eq!(one["name"], "models/gemini-2.5-flash");
    Ok(())
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|entry| entry[field].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn b01_a_websocket_is_refused_with_426_so_that_codex_falls_back_at_once() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let url = format!("{}/v1/responses", stack.data[0].url);
    let asking = stack
        .http
        .get(url)
        .bearer_auth(key)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(asking.send().await?.status(), 426);
    assert_eq!(stack.fake.request_count(), 0);
    Ok(())
}

#[tokio::test]
async fn b01_bedrock_and_gemini_callers_get_their_own_frames() -> Result<()> {
    let stack = Stack::builder().start().await?;
    stack.provider(
        "claude",
        "anthropic",
        &stack.fake.base_url(),
        &["--model", "claude-opus-4-8"],
    )?;
    let model = "us.anthropic.claude-opus-4-8-v1:0";
    stack.provider("aws", "bedrock", &stack.fake.base_url(), &["--model", model])?;
    stack.provider("google", "gemini", &stack.fake.base_url(), &[])?;
    let key = stack.alice()?;
    stack.synced().await?;
    let post = |path: &str, body: &Value| {
        let url = format!("{}{path}", stack.data[0].url);
        let request = stack.http.post(url).bearer_auth(&key).json(body);
        async move { anyhow::Ok(request.send().await?.error_for_status()?) }
    };
    let messages = json!([{"role": "user", "content": "hello [[fake chunks=1]]"}]);
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": messages});
    for name in ["claude-opus-4-8", model] {
        let whole: Value = post(&format!("/bedrock/model/{name}/invoke"), &body)
            .await?
            .json()
            .await?;
        assert_eq!(whole["content"][0]["text"], "You said: hello");
        let path = format!("/bedrock/model/{name}/invoke-with-response-stream");
        let stream = post(&path, &body).await?;
        assert_eq!(
            stream.headers()["content-type"],
            "application/vnd.amazon.eventstream"
        );
        let events = frames(&stream.bytes().await?)?;
        assert_eq!(events.first().context("events")?["type"], "message_start");
        assert_eq!(events.last().context("events")?["type"], "message_stop");
    }
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hello [[fake chunks=3]]"}]}]});
    let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    let array: Value = post(path, &body).await?.json().await?;
    assert_eq!(array.as_array().map(Vec::len), Some(3), "{array}");
    let count = post("/v1beta/models/gemini-2.5-flash:countTokens", &body).await?;
    let count: Value = count.json().await?;
    assert!(count["totalTokens"].as_u64() > Some(0), "{count}");
    let reported = stack.fake.usage_totals();
    let ledger = stack.ledger(5).await?;
    assert_eq!((reported.answers, ledger["requests"].as_u64()), (5, Some(5)));
    assert_eq!(ledger["output_tokens"].as_u64(), Some(reported.complete.output));
    Ok(())
}

/// The events in Bedrock's frames.
fn frames(mut bytes: &[u8]) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    while let Some((prelude, _)) = bytes.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *prelude;
        let total = usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
        let headers = usize::try_from(u32::from_be_bytes([e, f, g, h]))?;
        let payload = bytes.get(12 + headers..total - 4).context("a whole frame")?;
        let payload: Value = serde_json::from_slice(payload)?;
        let event = base64(payload["bytes"].as_str().context("an event")?)?;
        events.push(serde_json::from_slice(&event)?);
        bytes = bytes.get(total..).context("a whole frame")?;
    }
    Ok(events)
}

fn base64(text: &str) -> Result<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS
            .iter()
            .position(|known| *known == digit)
            .context("base64")?;
        bits = bits << 6 | u32::try_from(value)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff)?);
        }
    }
    Ok(bytes)
}

#[tokio::test]
async fn b01_a_translated_call_is_metered_and_what_cannot_be_carried_is_refused_by_name() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let url = stack.fake.openai_base_url();
    stack.provider("relay", "openai-compatible", &url, &["--translate", "anthropic"])?;
    let key = stack.alice()?;
    stack.synced().await?;
    let tools = json!([{"name": "weather", "description": "…", "input_schema": {"type": "object"}}]);
    for (stream, text) in [
        (false, "hello [[fake chunks=1]]"),
        (true, "hello [[fake chunks=1]]"),
        (false, r#"[[fake tool=weather tool-input='{"place":"here"}']]"#),
        (true, r#"[[fake tool=weather tool-input='{"place":"here"}']]"#),
    ] {
        let mut body = anthropic_body(text, stream);
        body["tools"] = tools.clone();
        let answer = stack.messages(0, &key, &body).await?;
        let (status, said) = (answer.status(), answer.text().await?);
        let found = if text.contains("tool=") {
            "\"tool_use\""
        } else {
            "You said: hello"
        };
        assert!(status == 200 && said.contains(found), "{status} {said}");
        assert!(!stream || said.contains("event: message_stop"), "{said}");
    }
    let asked = stack.fake.requests();
    assert!(asked.iter().all(|request| request.path == "/v1/chat/completions"));
    let reported = stack.fake.usage_totals();
    let ledger = stack.ledger(4).await?;
    assert_eq!((reported.answers, ledger["requests"].as_u64()), (4, Some(4)));
    assert_eq!(ledger["input_tokens"].as_u64(), Some(reported.complete.input));
    assert_eq!(ledger["output_tokens"].as_u64(), Some(reported.complete.output));

    let mut body = anthropic_body("hello", false);
    body["top_k"] = 5.into();
    let refused = stack.messages(0, &key, &body).await?;
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await?;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("top_k") && message.contains("openai-chat"),
        "{refused}"
    );
    assert_eq!(stack.fake.requests().len(), asked.len());
    Ok(())
}
