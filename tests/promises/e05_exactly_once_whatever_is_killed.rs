//! E5: kill any process at any moment; after recovery the ledger holds each answered request exactly once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use penstock_tests::{Postgres, Stack, anthropic_body, until};
use rand::RngExt;
use serde_json::Value;
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const REQUESTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e05_a_thousand_requests_with_every_process_killed_are_each_in_the_ledger_once() -> Result<()> {
    let mut postgres = Postgres::start().await?;
    let mut stack = Stack::builder()
        .control_planes(2)
        .data_planes(3)
        .database(&postgres.url())
        .start()
        .await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    let mut answered = BTreeSet::new();
    for round in 0..ROUNDS {
        answered.extend(round_of_killing(&mut stack, &mut postgres, &key, round).await?);
    }
    assert!(answered.len() >= ROUNDS * REQUESTS, "{} answers", answered.len());

    // Whatever else is in the ledger was answered to a caller that did not live to read it, or cut by a crash.
    let cli = stack.cli(0);
    let wanted = answered.len();
    until("every answered request is in the ledger", || async {
        let recorded = recorded(&cli)?;
        let unique: BTreeSet<_> = recorded.iter().cloned().collect();
        anyhow::ensure!(unique.len() == recorded.len(), "a request is in the ledger twice");
        let missing = answered.difference(&unique).count();
        anyhow::ensure!(missing == 0, "{missing} of {wanted} are missing");
        Ok(Some(()))
    })
    .await?;
    let usage = cli.json(&["usage"])?;
    let counted = usage["requests"].as_u64().unwrap() + usage["rejected"].as_u64().unwrap();
    assert_eq!(
        counted,
        recorded(&cli)?.len() as u64,
        "the rollups count what the ledger holds"
    );
    Ok(())
}

/// Sends requests until enough were answered, while one process after the other is killed and started again.
async fn round_of_killing(
    stack: &mut Stack,
    postgres: &mut Postgres,
    key: &str,
    round: usize,
) -> Result<Vec<String>> {
    let urls: Vec<String> = stack
        .data
        .iter()
        .map(|node| format!("{}/v1/messages", node.url))
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    let mut callers: JoinSet<_> = (0..8)
        .map(|n| call(urls.clone(), key.to_owned(), n, Arc::clone(&done)))
        .collect();
    let victims = stack.control.len() + stack.data.len() + 1;
    for step in 0..victims {
        pause(50, 300).await;
        match (step + round) % victims {
            0 => {
                postgres.kill()?;
                pause(50, 500).await;
                postgres.resume().await?;
            }
            n if n <= 2 => restart(&mut stack.control[n - 1]).await?,
            n => restart(&mut stack.data[n - 3]).await?,
        }
    }
    done.store(true, Ordering::Relaxed);
    let mut answered = Vec::new();
    while let Some(called) = callers.join_next().await {
        answered.extend(called??);
    }
    for node in stack.control.iter_mut().chain(&mut stack.data) {
        // One that was starting when the database was killed has ended; its supervisor starts it again.
        if node.ready(&stack.http).await.is_err() {
            node.spawn()?;
            node.ready(&stack.http).await?;
        }
    }
    Ok(answered)
}

async fn restart(node: &mut penstock_tests::Node) -> Result<()> {
    node.kill()?;
    pause(20, 200).await;
    node.spawn()
}

/// Calls until its share is answered and the killing is over. Returns the ids of the answers that were read to
/// their end.
async fn call(urls: Vec<String>, key: String, n: usize, done: Arc<AtomicBool>) -> Result<Vec<String>> {
    let http = penstock_tests::client();
    let mut answered = Vec::new();
    let mut turn = n;
    while answered.len() < REQUESTS / 8 || !done.load(Ordering::Relaxed) {
        turn += 1;
        let body = anthropic_body(&format!("call {n}.{turn}"), turn.is_multiple_of(2));
        let Ok(answer) = http
            .post(&urls[turn % urls.len()])
            .header("x-api-key", &key)
            .json(&body)
            .send()
            .await
        else {
            pause(5, 20).await;
            continue;
        };
        let id = answer
            .headers()
            .get("x-penstock-request-id")
            .and_then(|v| Some(v.to_str().ok()?.to_owned()));
        let (status, text) = (answer.status(), answer.text().await);
        let whole = text.is_ok_and(|text| text.contains("message_stop") || text.contains("end_turn"));
        if let (true, true, Some(id)) = (status == 200, whole, id) {
            answered.push(id);
        }
    }
    Ok(answered)
}

/// The ids of all records.
fn recorded(cli: &penstock_tests::Cli) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let mut args = vec!["usage", "records", "--limit", "1000"];
        if let Some(last) = ids.last() {
            args.extend(["--before", last]);
        }
        let page = cli.json(&args)?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(ids);
        }
        ids.extend(
            items
                .iter()
                .filter_map(|item: &Value| item["id"].as_str().map(str::to_owned)),
        );
    }
}

async fn pause(from_ms: u64, to_ms: u64) {
    let ms = rand::rng().random_range(from_ms..to_ms);
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
