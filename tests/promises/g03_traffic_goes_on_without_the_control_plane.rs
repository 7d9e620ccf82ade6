//! G3: control plane and Postgres may be down; data planes serve on, also after a restart of their own, and no usage
//! is lost.

use anyhow::Result;
use penstock_tests::{Postgres, Stack, anthropic_body};

#[tokio::test]
async fn g03_a_data_plane_restarted_without_control_plane_and_postgres_serves_from_its_last_known_good()
-> Result<()> {
    let mut postgres = Postgres::start().await?;
    let mut stack = Stack::builder()
        .control_planes(2)
        .data_planes(2)
        .database(&postgres.url())
        .start()
        .await?;
    let key = stack.prepare()?;
    stack.synced().await?;
    stack.messages(0, &key, &anthropic_body("before", false)).await?;

    for control in &mut stack.control {
        control.kill()?;
    }
    postgres.kill()?;
    for _ in 0..5 {
        assert_eq!(
            stack
                .messages(0, &key, &anthropic_body("without", false))
                .await?
                .status(),
            200
        );
    }
    let http = stack.http.clone();
    stack.data[0].kill()?;
    stack.data[0].start(&http).await?;
    for stream in [false, true] {
        let answer = stack
            .messages(0, &key, &anthropic_body("after a restart", stream))
            .await?;
        assert_eq!(answer.status(), 200, "{}", answer.text().await?);
        answer.text().await?;
    }
    let health: serde_json::Value = http
        .get(format!("{}/health", stack.data[0].admin_url))
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(health["status"], "degraded", "{health}");

    postgres.resume().await?;
    for control in &mut stack.control {
        control.start(&http).await?;
    }
    let usage = stack.ledger(8).await?;
    assert_eq!((&usage["requests"], &usage["rejected"]), (&8.into(), &0.into()));
    Ok(())
}

#[tokio::test]
async fn g03_a_new_data_plane_without_a_snapshot_is_live_but_not_ready() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let key = stack.prepare()?;
    stack.control[0].kill()?;
    stack.data[0].kill()?;
    std::fs::remove_dir_all(stack.folder.path().join("data-plane-0"))?;
    stack.data[0].spawn()?;
    let admin = stack.data[0].admin_url.clone();
    penstock_tests::until("it is live", || async {
        Ok(stack
            .http
            .get(format!("{admin}/health/live"))
            .send()
            .await?
            .status()
            .is_success()
            .then_some(()))
    })
    .await?;
    assert_eq!(
        stack
            .http
            .get(format!("{admin}/health/ready"))
            .send()
            .await?
            .status(),
        503
    );
    let early = stack.messages(0, &key, &anthropic_body("too early", false)).await;
    assert!(early.is_err() || early.is_ok_and(|answer| answer.status() == 503));
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    stack.data[0].ready(&http).await?;
    assert_eq!(
        stack
            .messages(0, &key, &anthropic_body("now", false))
            .await?
            .status(),
        200
    );
    Ok(())
}
