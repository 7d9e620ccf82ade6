//! D8: limits can be switched off as a whole, and everything says so.

use anyhow::Result;
use penstock_tests::anthropic_body;

use crate::limited::Limited;

#[tokio::test]
async fn d08_switched_off_nothing_is_refused_everything_is_counted_and_everybody_says_so() -> Result<()> {
    let limited = Limited::start(1, "5s", &["--rpm", "1"]).await?;
    let cli = limited.stack.cli(0);
    cli.run(&["setting", "set", "limits", "--off", "--for", "2h"])?;
    limited.stack.synced().await?;
    limited.enforced(0, "off").await?;
    let body = anthropic_body("on", false);
    for _ in 0..3 {
        let answer = limited.stack.messages(0, &limited.key, &body).await?;
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(limited.shows("rpm")?.used, 3);
    assert_eq!(limited.health(0).await?["status"], "degraded");
    assert_eq!(cli.json(&["status"])?["limits_off"], true);
    limited.stack.data[0].tells("limits are switched OFF").await?;
    let metrics = limited
        .stack
        .http
        .get(format!("{}/metrics", limited.stack.data[0].admin_url));
    let metrics = metrics.send().await?.text().await?;
    assert!(
        metrics.contains(r#"penstock_limits_enforcement{mode="off"} 1"#),
        "{metrics}"
    );
    assert!(
        metrics.contains("penstock_budget_worst_case_overspend_nanousd 0"),
        "{metrics}"
    );
    cli.run(&["setting", "set", "limits", "--enabled", "true"])?;
    limited.stack.synced().await?;
    let answer = limited.stack.messages(0, &limited.key, &body).await?;
    assert_eq!(answer.status(), 429);
    Ok(())
}
