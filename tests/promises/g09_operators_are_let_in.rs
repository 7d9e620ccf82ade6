//! G9: operators' accounts: their tokens, their names in the history, and how they end.

use std::time::Duration;

use anyhow::Result;
use penstock_tests::{Stack, until};
use tokio::time::Instant;

use crate::up_runs_all_on_one_machine::Up;

#[tokio::test]
async fn g09_a_revoked_token_is_refused_at_every_control_plane_within_a_second() -> Result<()> {
    let stack = Stack::builder().control_planes(2).data_planes(0).start().await?;
    let deleted = stack.operator("ann", "viewer", &[])?;
    let disabled = stack.operator("bob", "operator", &[])?;
    // At once also where it was not made.
    for token in [&deleted, &disabled] {
        for control in 0..2 {
            stack.cli_as(control, token).run(&["user", "list"])?;
        }
    }
    stack.cli(0).run(&["operator", "delete", "ann"])?;
    stack.cli(0).run(&["operator", "update", "bob", "--disabled"])?;
    let revoked = Instant::now();
    // Here at once.
    stack.cli_as(0, &deleted).fails(&["user", "list"])?;
    until("it is refused at the other one", || async {
        let refused = |token: &str| stack.cli_as(1, token).run(&["user", "list"]).is_err();
        Ok((refused(&deleted) && refused(&disabled)).then_some(()))
    })
    .await?;
    // Two commands are started for each look.
    assert!(
        revoked.elapsed() < Duration::from_secs(5),
        "{:?}",
        revoked.elapsed()
    );
    let said = stack.cli_as(1, &disabled).fails(&["user", "list"])?.stderr;
    assert!(said.contains("the operator is disabled"), "{said}");
    assert!(!said.contains(&disabled));
    Ok(())
}

#[tokio::test]
async fn g09_an_account_is_the_author_of_what_it_changes_and_its_token_is_shown_once() -> Result<()> {
    let stack = Stack::builder().data_planes(0).start().await?;
    let token = stack.operator("ann", "operator", &[])?;
    let (admin, ann) = (stack.cli(0), stack.cli_as(0, &token));
    ann.run(&["user", "create", "--name", "carol", "--reason", "new here"])?;
    let newest = &admin.json(&["config", "history"])?["items"][0];
    assert_eq!(
        (&newest["actor"], &newest["reason"]),
        (&"ann".into(), &"new here".into())
    );
    let shown = format!(
        "{}{}",
        admin.run(&["operator", "list"])?,
        admin.run(&["operator", "show", "ann", "-o", "json"])?
    );
    assert!(!shown.contains(&token) && shown.contains("pso_"), "{shown}");
    until("it is known when it was used", || async {
        let shown = admin.json(&["operator", "show", "ann"])?;
        Ok(shown["last_used_at"].as_str().map(|_| ()))
    })
    .await?;
    let renewed = admin.run(&["operator", "rotate", "ann", "--overlap", "1h"])?;
    for token in [token.as_str(), renewed.trim()] {
        assert_eq!(stack.cli_as(0, token).json(&["whoami"])?["name"], "ann");
    }
    let last = admin.run(&["operator", "rotate", "ann"])?;
    for old in [token.as_str(), renewed.trim()] {
        stack.cli_as(0, old).fails(&["whoami"])?;
    }
    let said = stack.cli_as(0, last.trim()).fails(&["operator", "list"])?.stderr;
    assert!(
        said.contains("has the role operator, and this needs the role admin"),
        "{said}"
    );
    let stale = [
        "operator",
        "update",
        "ann",
        "--role",
        "viewer",
        "--expected-version",
        "1",
    ];
    assert!(admin.fails(&stale)?.stderr.contains("operator \"ann\""));
    Ok(())
}

#[tokio::test]
async fn g09_g10_up_has_operators_and_an_audit_log_too() -> Result<()> {
    let up = Up::start(&["--demo"]).await?;
    let cli = up.cli();
    let token = cli.run(&["operator", "create", "--name", "ann", "--role", "viewer"])?;
    let token = token.trim();
    assert_eq!(cli.json(&["--token", token, "whoami"])?["role"], "viewer");
    let denied = cli.fails(&["--token", token, "user", "create", "--name", "x"])?;
    assert!(
        denied.stderr.contains("needs the role operator"),
        "{}",
        denied.stderr
    );
    let entries = cli.json(&["audit", "list", "--actor", "ann"])?;
    let entry = &entries["items"][0];
    assert_eq!(
        (&entry["action"], &entry["outcome"]),
        (&"UserService/CreateUser".into(), &"permission_denied".into())
    );
    Ok(())
}
