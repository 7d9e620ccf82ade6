//! G12: words that no request may contain, and what is changed in requests; set by the command line, in force everywhere
//! within a second.

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};
use serde_json::{Value, json};

async fn ask(stack: &Stack, data: usize, key: &str, body: &Value) -> Result<(u16, String)> {
    let answer = stack.messages(data, key, body).await?;
    let status = answer.status().as_u16();
    let body: Value = answer.json().await?;
    Ok((
        status,
        body["error"]["message"].as_str().unwrap_or_default().to_owned(),
    ))
}

#[tokio::test]
async fn g12_a_request_with_a_sensitive_word_is_400_and_names_the_place_alone() -> Result<()> {
    let stack = Stack::builder().data_planes(2).start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    cli.run(&[
        "word-rule",
        "create",
        "--name",
        "projects",
        "--contains",
        "bluebird",
        "--contains",
        "x-ray",
    ])?;
    cli.run(&["word-rule", "create", "--name", "keys", "--regex", "sk-[a-z]{8}"])?;
    cli.run(&["word-rule", "create", "--name", "alone", "--exact", "forbidden"])?;
    stack.synced().await?;
    for (text, refused) in [
        ("about Project BlueBird", true),
        ("my key is sk-abcdefgh", true),
        ("Forbidden", true),
        ("forbidden fruit", false),
        ("hello", false),
    ] {
        for data in 0..2 {
            let (status, words) = ask(&stack, data, &key, &anthropic_body(text, false)).await?;
            assert_eq!(status, if refused { 400 } else { 200 }, "{text}: {words}");
            if refused {
                assert!(
                    words.starts_with("Sensitive content detected in messages[0]"),
                    "{words}"
                );
                assert!(
                    !words.to_lowercase().contains("bluebird") && !words.contains("projects"),
                    "{words}"
                );
            }
        }
    }
    // Escapes do not hide it; the record names the rule.
    let body = anthropic_body("bluebird", false)
        .to_string()
        .replace("bluebird", r"blu\u0065bird");
    let answer = stack
        .http
        .post(format!("{}/v1/messages", stack.data[0].url))
        .header("x-api-key", &key)
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await?;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["x-penstock-code"], "SENSITIVE_CONTENT");
    stack.data[0].tells("word rule projects at messages[0]").await?;

    cli.run(&["word-rule", "disable", "projects"])?;
    stack.synced().await?;
    assert_eq!(
        ask(&stack, 0, &key, &anthropic_body("bluebird", false)).await?.0,
        200
    );
    let rules = cli.json(&["word-rule", "list"])?;
    assert_eq!(rules["items"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn g12_filters_change_headers_and_body_in_their_order_for_their_providers() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    let cli = stack.cli(0);
    for filter in [
        &[
            "--name",
            "company",
            "--body",
            "**",
            "--replace",
            "ACME",
            "--with",
            "bluebird",
        ][..],
        &[
            "--name",
            "bird",
            "--priority",
            "200",
            "--body",
            "messages.**",
            "--replace-regex",
            "blue(bird)",
            "--with",
            "$1",
        ],
        &["--name", "user", "--body", "metadata.user_id", "--remove"],
        &[
            "--name",
            "cool",
            "--provider",
            "claude",
            "--body",
            "temperature",
            "--set",
            "0.25",
        ],
        &[
            "--name",
            "elsewhere",
            "--provider",
            "gpt",
            "--body",
            "top_k",
            "--set",
            "1",
        ],
        &[
            "--name",
            "tag",
            "--header",
            "anthropic-beta",
            "--set",
            "from-filter",
        ],
    ] {
        cli.run(&[&["request-filter", "create"], filter].concat())?;
    }
    stack.synced().await?;
    let mut body = anthropic_body("ask ACME", false);
    body["metadata"] = json!({"user_id": "ann", "other": 1});
    let answer = stack.messages(0, &key, &body).await?;
    assert_eq!(answer.status(), 200, "{}", answer.text().await?);
    let seen = stack.fake.requests().pop().unwrap();
    let sent: Value = serde_json::from_slice(&seen.body)?;
    let text = sent["messages"].to_string();
    assert!(text.contains("ask bird") && !text.contains("ACME"), "{sent}");
    assert_eq!(sent["metadata"], json!({"other": 1}));
    assert_eq!(
        (&sent["temperature"], &sent["top_k"]),
        (&json!(0.25), &Value::Null)
    );
    assert_eq!(seen.headers["anthropic-beta"], "from-filter");
    let listed = cli.json(&["request-filter", "list"])?;
    assert_eq!(listed["items"][5]["name"], "bird", "{listed}");

    let refused = cli.run(&[
        "request-filter",
        "create",
        "--name",
        "m",
        "--body",
        "model",
        "--remove",
    ]);
    assert!(refused.unwrap_err().to_string().contains("redirects"));
    cli.run(&["request-filter", "delete", "company"])?;
    stack.synced().await?;
    stack.messages(0, &key, &body).await?;
    let seen = stack.fake.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&seen.body).contains("ACME"));
    Ok(())
}
