//! E4: prices come from files, manual ones survive, and a change can be applied backwards.

use anyhow::Result;
use penstock_tests::{Stack, anthropic_body};
use serde_json::{Value, json};

/// A file in LiteLLM's own shape with these prices for the model that the tests ask for.
fn file(stack: &Stack, name: &str, model: &str, input: &str) -> Result<String> {
    let path = stack.folder.path().join(name);
    let text = format!(
        r#"{{"sample_spec":{{}},
        "{model}":{{"litellm_provider":"anthropic","mode":"chat","input_cost_per_token":{input},"output_cost_per_token":5e-05}},
        "brand-new":{{"litellm_provider":"openai","input_cost_per_token":1e-06,"output_cost_per_token":2e-06}},
        "kept":{{"litellm_provider":"openai","input_cost_per_token":9e-06,"output_cost_per_token":9e-06}},
        "odd":{{"litellm_provider":"groq","input_cost_per_token":1e-06,"output_cost_per_token":2e-06}}}}"#
    );
    std::fs::write(&path, text)?;
    Ok(path.to_string_lossy().into_owned())
}

#[tokio::test]
async fn e04_an_import_shows_its_difference_first_and_keeps_manual_prices() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let cli = stack.cli(0);
    cli.run(&[
        "price", "create", "--name", "kept", "--rate", "input=1", "--rate", "output=1",
    ])?;
    let model = anthropic_body("x", false)["model"].as_str().unwrap().to_owned();
    let path = file(&stack, "prices.json", &model, "1e-05")?;
    let shown = cli.json(&["price", "import", &path])?;
    assert_eq!(
        (&shown["revision"], &shown["kept"]),
        (&Value::Null, &json!(["kept"]))
    );
    assert_eq!(shown["added"][0]["name"], "brand-new");
    let changed = &shown["changed"][0];
    assert_eq!(changed["name"], model.as_str());
    let input = changed["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|field| field["what"] == "input");
    assert_eq!(input.unwrap()["after"], "10", "{changed}");
    assert_eq!(shown["left_out"]["entries of other platforms"], 1);
    assert!(
        cli.run(&["price", "get", "brand-new"]).is_err(),
        "nothing is changed yet"
    );

    let table = cli.run(&["price", "import", &path, "--yes", "--reason", "december"])?;
    assert!(table.contains("1 added, 1 changed, 0 removed"), "{table}");
    assert_eq!(cli.json(&["price", "get", "brand-new"])?["source"], "imported");
    assert_eq!(cli.json(&["price", "get", "kept"])?["source"], "manual");
    assert_eq!(
        cli.json(&["config", "history"])?["items"][0]["reason"],
        "december"
    );
    let again = cli.json(&["price", "import", &path, "--yes"])?;
    assert_eq!(again["revision"], Value::Null, "{again}");

    // A start does not bring the shipped price back over the imported one.
    stack.control[0].terminate().await?;
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    assert_eq!(
        stack.cli(0).json(&["price", "get", &model])?["source"],
        "imported"
    );
    let refused = stack
        .cli(0)
        .run(&["price", "import", "http://127.0.0.1:9/prices.json"]);
    assert!(refused.unwrap_err().to_string().contains("--allow-http"));
    Ok(())
}

#[tokio::test]
async fn e04_a_backfill_changes_records_sums_and_spend_once() -> Result<()> {
    let stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    for _ in 0..3 {
        assert_eq!(
            stack
                .messages(0, &key, &anthropic_body("hello", false))
                .await?
                .status(),
            200
        );
    }
    let before = stack.ledger(3).await?["cost_nanousd"].as_i64().unwrap();
    assert!(before > 0);
    let cli = stack.cli(0);
    let model = anthropic_body("x", false)["model"].as_str().unwrap().to_owned();
    cli.run(&[
        "price",
        "create",
        "--name",
        &format!("claude/{model}"),
        "--rate",
        "input=1000",
        "--rate",
        "output=1000",
    ])?;

    let shown = cli.json(&["price", "backfill", "--from", "1h"])?;
    assert_eq!(
        (&shown["id"], &shown["changed"]),
        (&Value::Null, &json!(3)),
        "{shown}"
    );
    let after = shown["after_nanousd"].as_i64().unwrap();
    assert_ne!(after, before);
    assert_eq!(shown["before_nanousd"], before);
    assert_eq!(
        cli.json(&["usage"])?["cost_nanousd"],
        before,
        "a dry run changes nothing"
    );

    let done = cli.json(&[
        "price",
        "backfill",
        "--from",
        "1h",
        "--yes",
        "--reason",
        "wrong price",
    ])?;
    assert_eq!(
        (&done["changed"], &done["after_nanousd"]),
        (&json!(3), &json!(after))
    );
    let usage = cli.json(&["usage"])?;
    assert_eq!(
        (&usage["cost_nanousd"], &usage["requests"]),
        (&json!(after), &json!(3))
    );
    let records = cli.json(&["usage", "records"])?;
    let items = records["items"].as_array().unwrap();
    let sum: i64 = items
        .iter()
        .map(|item| item["cost_nanousd"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, after);
    assert_eq!(items[0]["price_name"], format!("claude/{model}"));
    let receipt = cli.json(&["explain", items[0]["id"].as_str().unwrap()])?;
    assert_eq!(receipt["cost"]["adds_up"], true, "{receipt}");

    let again = cli.json(&["price", "backfill", "--from", "1h", "--yes"])?;
    assert_eq!(again["changed"], 0, "{again}");
    assert_eq!(cli.json(&["usage"])?["cost_nanousd"], after);
    let listed = cli.json(&["price", "backfills"])?;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&listed["items"][1]["reason"], &listed["items"][1]["changed"]),
        (&json!("wrong price"), &json!(3))
    );
    assert!(listed["items"][1]["finished_at"].is_string());
    Ok(())
}
