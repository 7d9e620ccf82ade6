//! E6 and E7 through the command line: sums, series, top lists, exports, chargeback, trends, forecast; and cleaning, after
//! which single calls are gone and every sum stays. G6: sessions.

use anyhow::{Context, Result};
use penstock_tests::{Redis, Stack, anthropic_body, until};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

const CALLS: u64 = 4;

async fn used(stack: &Stack) -> Result<String> {
    let key = stack.prepare()?;
    stack.synced().await?;
    for _ in 0..CALLS {
        let answer = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
        assert_eq!(answer.status(), 200);
    }
    stack.ledger(CALLS).await?;
    Ok(key)
}

#[tokio::test]
async fn e06_every_question_gives_the_same_sums() -> Result<()> {
    let stack = Stack::builder().start().await?;
    used(&stack).await?;
    let cli = stack.cli(0);
    let cost = cli.json(&["usage"])?["cost_nanousd"].as_i64().context("a cost")?;
    assert!(cost > 0);
    for args in [
        &["usage", "summary", "--by", "user"][..],
        &["usage", "series"],
        &[
            "usage",
            "series",
            "--bucket",
            "hour",
            "--time-zone",
            "Asia/Kolkata",
        ],
        &["usage", "top", "key", "--by", "tokens"],
        &["usage", "top", "session"],
        &["usage", "--outcome", "succeeded"],
        &["usage", "--status", "2xx"],
    ] {
        let answer = cli.json(args)?;
        assert_eq!(answer["totals"]["cost_nanousd"], cost, "{args:?}");
    }
    assert_eq!(cli.json(&["usage", "--status", "5xx"])?["requests"], 0);
    assert_eq!(cli.json(&["usage", "--tag", "nobody-has-it"])?["requests"], 0);
    cli.run(&["user", "update", "alice", "--tag", "team-a"])?;
    until("the tag is known", || async {
        let tagged = cli.json(&["usage", "--tag", "team-a"])?;
        Ok((tagged["cost_nanousd"] == cost).then_some(()))
    })
    .await?;
    exports(&stack, cost)?;

    let month = cli.json(&["usage", "series", "--bucket", "month"])?;
    let month = month["items"].as_array().and_then(|items| items.last().cloned());
    let month = month.context("a month")?;
    let from = month["from"].as_str().context("its beginning")?;
    let month = from.get(..7).context("a month and a year")?.to_owned();
    for by in ["user", "key", "tag", "group"] {
        let charges = cli.json(&["usage", "chargeback", "--month", &month, "--by", by])?;
        assert_eq!(charges["items"][0]["cost_nanousd"], cost, "{by}: {charges}");
    }
    let csv = cli.run(&["usage", "chargeback", "--month", &month, "--by", "tag", "--csv"])?;
    assert!(
        csv.lines()
            .nth(1)
            .is_some_and(|line| line.starts_with(&format!("{month},team-a,,{CALLS},"))),
        "{csv}"
    );

    let trends = cli.json(&["usage", "errors"])?;
    assert_eq!(
        (&trends["totals"]["calls"], &trends["totals"]["failed"]),
        (&json!(CALLS), &json!(0))
    );
    assert_eq!(trends["routes"][0]["duration"]["calls"], CALLS);

    cli.run(&["user", "update", "alice", "--usd-total", "1000"])?;
    let forecast = cli.json(&["limits", "forecast", "--user", "alice", "--hours", "1"])?;
    let items = forecast["items"].as_array().context("budgets")?;
    assert_eq!(items.len(), 1, "{forecast}");
    for item in items {
        assert_eq!(
            (&item["used_nanousd"], &item["nanousd_per_hour"]),
            (&json!(cost), &json!(cost)),
            "{item}"
        );
    }
    Ok(())
}

/// Makes all records so many days older, their ids with them.
async fn age_records(stack: &Stack, days: i64) -> Result<()> {
    let mut connection = PgConnection::connect(&stack.database_url).await?;
    let hex = "replace(id::text, '-', '')";
    let text = format!(
        "UPDATE usage_records SET started_at = started_at - {ms}, id = (lpad(to_hex(('x' || substr({hex}, 1, 12))::bit(48)::bigint - {ms}), \
         12, '0') || substr({hex}, 13))::uuid",
        ms = days * 86_400_000
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

fn exports(stack: &Stack, cost: i64) -> Result<()> {
    let cli = stack.cli(0);
    let path = stack.folder.path().join("calls.csv");
    let file = path.to_string_lossy().into_owned();
    cli.run(&["usage", "export", "--file", &file])?;
    let csv = std::fs::read_to_string(&path)?;
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().context("a header")?.split(',').collect();
    assert_eq!((header[0], header[1], header.len()), ("id", "started_at", 42));
    let column = header
        .iter()
        .position(|name| *name == "cost_nanousd")
        .context("a cost")?;
    let costs = lines.map(|line| Ok(line.split(',').nth(column).context("a cell")?.parse::<i64>()?));
    let costs = costs.collect::<Result<Vec<_>>>()?;
    assert_eq!((costs.len(), costs.iter().sum()), (4, cost));
    let jsonl = cli.run(&["usage", "export", "--format", "jsonl"])?;
    let lines = jsonl
        .lines()
        .map(serde_json::from_str::<Value>)
        .collect::<Result<Vec<_>, _>>()?;
    assert_eq!(lines.len(), 4);
    assert_eq!(
        (&lines[0]["user"], &lines[0]["outcome"]),
        (&json!("alice"), &json!("succeeded"))
    );
    Ok(())
}

#[tokio::test]
async fn e07_cleaning_takes_single_calls_and_leaves_the_sums() -> Result<()> {
    let stack = Stack::builder().start().await?;
    used(&stack).await?;
    let cli = stack.cli(0);
    let before = cli.json(&["usage", "--since", "60d", "--by", "key"])?;
    let trends = cli.json(&["usage", "errors", "--since", "60d"])?;
    let dry = cli.json(&["usage", "clean", "--dry-run"])?;
    assert_eq!(
        (&dry["items"][0]["kind"], &dry["items"][0]["rows"]),
        (&json!("usage_records"), &json!(0))
    );
    // As if forty days had gone by: the ledger's records are that old.
    age_records(&stack, 40).await?;
    assert_eq!(
        cli.json(&["usage", "clean", "--dry-run"])?["items"][0]["rows"],
        CALLS
    );
    cli.run(&["setting", "set", "retention", "--enabled", "false"])?;
    let refused = cli.fails(&["usage", "clean", "--now"])?;
    assert!(refused.stderr.contains("retention is off"), "{refused:?}");
    cli.run(&[
        "setting",
        "set",
        "retention",
        "--enabled",
        "--usage-records-days",
        "35",
    ])?;
    let cleaned = cli.json(&["usage", "clean", "--now"])?;
    assert_eq!(
        (&cleaned["items"][0]["days"], &cleaned["items"][0]["rows"]),
        (&json!(35), &json!(CALLS))
    );
    assert_eq!(
        cli.json(&["usage", "records", "--since", "60d"])?["items"],
        json!([])
    );
    let after = cli.json(&["usage", "--since", "60d", "--by", "key"])?;
    assert_eq!(
        (&after["items"], &after["totals"]),
        (&before["items"], &before["totals"])
    );
    assert_eq!(
        cli.json(&["usage", "errors", "--since", "60d"])?["totals"],
        trends["totals"]
    );
    Ok(())
}

#[tokio::test]
async fn g06_a_session_can_be_listed_and_kicked_and_counters_counted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start(folder.path()).await?;
    let url = redis.url();
    let stack = Stack::builder()
        .data_plane_flags(&["--redis-url", &url, "--redis-timeout", "5s"])
        .start()
        .await?;
    let cli = stack.cli(0);
    let key = stack.prepare()?;
    cli.run(&["user", "update", "alice", "--concurrent-sessions", "5"])?;
    // A second provider: with one there is nothing to stick to.
    stack.provider("second", "anthropic", &stack.fake.base_url(), &[])?;
    stack.synced().await?;
    let answer = stack.messages(0, &key, &anthropic_body("hello", false)).await?;
    assert_eq!(answer.status(), 200);
    stack.ledger(1).await?;
    let sessions = cli.json(&["session", "list", "--user", "alice"])?;
    let session = &sessions["items"][0];
    assert_eq!(
        (&session["calls"], &session["user"]),
        (&json!(1), &json!("alice")),
        "{sessions}"
    );
    let id = session["id"].as_str().context("an id")?.to_owned();
    // The binding is told to Redis behind the caller's back.
    until("Redis holds the session", || async {
        let counters = cli.json(&["counter", "list"])?;
        let kinds = counters["items"].as_array().context("kinds")?;
        let has = |kind: &str| kinds.iter().any(|found| found["kind"] == kind);
        let all = ["account", "binding", "sessions"].into_iter().all(has);
        Ok(all.then_some(()))
    })
    .await?;
    let kicked = cli.json(&["session", "kick", &id])?;
    assert_eq!(
        (&kicked["unbound"], &kicked["freed"]),
        (&json!(true), &json!(true)),
        "{kicked}"
    );
    let again = cli.json(&["session", "kick", &id])?;
    assert_eq!(
        (&again["unbound"], &again["freed"]),
        (&json!(false), &json!(false)),
        "{again}"
    );
    assert_eq!(
        stack
            .messages(0, &key, &anthropic_body("hello", false))
            .await?
            .status(),
        200
    );
    let unknown = cli.fails(&["session", "kick", "00000000000000000000000000000000"])?;
    assert!(unknown.stderr.contains("session list"), "{unknown}");
    Ok(())
}
