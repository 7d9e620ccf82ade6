//! G10: who changed what is in the audit log, also what was refused or cut off; secrets are not.

use anyhow::{Context, Result};
use penstock_tests::{Cli, Rpc, Stack, until};
use serde_json::Value;

fn entries(cli: &Cli, filter: &[&str]) -> Result<Vec<Value>> {
    let listed = cli.json(&[&["audit", "list"], filter].concat())?;
    Ok(listed["items"].as_array().cloned().unwrap_or_default())
}

fn newest(cli: &Cli, filter: &[&str]) -> Result<Value> {
    entries(cli, filter)?
        .into_iter()
        .next()
        .context("there is an entry")
}

#[tokio::test]
async fn g10_a_change_has_an_entry_with_all_that_is_known_of_it() -> Result<()> {
    let stack = Stack::builder().data_planes(0).start().await?;
    let token = stack.operator("ann", "operator", &[])?;
    let (admin, ann) = (stack.cli(0), stack.cli_as(0, &token));
    ann.run(&["user", "create", "--name", "carol", "--reason", "new here"])?;
    let entry = newest(&admin, &["--action", "CreateUser"])?;
    for (field, expected) in [
        ("actor", "ann"),
        ("role", "operator"),
        ("action", "UserService/CreateUser"),
        ("target", "user \"carol\""),
        ("outcome", "ok"),
        ("peer", "127.0.0.1"),
        ("reason", "new here"),
    ] {
        assert_eq!(entry[field], expected, "{entry}");
    }
    let head = admin.json(&["status"])?["head"].clone();
    assert_eq!(entry["revision"], head, "{entry}");
    let secret = ann.run(&["key", "create", "--user", "carol", "--name", "laptop"])?;
    assert_eq!(newest(&admin, &["--target", "carol/laptop"])?["outcome"], "ok");
    ann.fails(&["user", "create", "--name", "carol"])?;
    assert_eq!(
        newest(&admin, &["--action", "CreateUser"])?["outcome"],
        "already_exists"
    );
    ann.fails(&["operator", "create", "--name", "me", "--role", "admin"])?;
    assert_eq!(
        newest(&admin, &["--outcome", "permission_denied"])?["action"],
        "OperatorService/CreateOperator"
    );
    let rotated = admin.run(&["operator", "rotate", "ann"])?;
    // The command line sends an id; the entry has the name.
    admin.run(&["operator", "update", "ann", "--role", "viewer"])?;
    assert_eq!(
        newest(&admin, &["--target", "operator \"ann\""])?["action"],
        "OperatorService/UpdateOperator"
    );
    // Reading makes no entry.
    let before = entries(&admin, &["--limit", "1000"])?;
    admin.run(&["user", "list"])?;
    let after = entries(&admin, &["--limit", "1000"])?;
    assert_eq!(before, after);
    let all = Value::from(after).to_string();
    for secret in [token.as_str(), secret.trim(), rotated.trim()] {
        assert!(!all.contains(secret), "a secret is in the audit log");
    }
    let page = entries(&admin, &["--limit", "1"])?;
    let rest = entries(&admin, &["--before", page[0]["id"].as_str().unwrap_or_default()])?;
    assert_eq!(rest.len() + 1, before.len());
    Ok(())
}

#[tokio::test]
async fn g10_sign_ins_are_kept_and_refused_tokens_sampled() -> Result<()> {
    let stack = Stack::builder().data_planes(0).start().await?;
    let token = stack.operator("ann", "viewer", &[])?;
    let (admin, ann) = (stack.cli(0), stack.cli_as(0, &token));
    for _ in 0..3 {
        ann.run(&["user", "list"])?;
    }
    let signed_in = entries(&admin, &["--action", "sign-in", "--actor", "ann"])?;
    assert_eq!(signed_in.len(), 1);
    assert_eq!(
        (&signed_in[0]["outcome"], &signed_in[0]["peer"]),
        (&"ok".into(), &"127.0.0.1".into())
    );
    let server = Rpc::new(&stack.control[0].url)?;
    for n in 0..20 {
        let guessed = format!("pso_guess-{n}");
        let answer = server
            .call("penstock.admin.v1.UserService/ListUsers", Some(&guessed), &[])
            .await?;
        assert_eq!(answer.refused, Some(16));
    }
    let refused = entries(&admin, &["--action", "sign-in", "--outcome", "unauthenticated"])?;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0]["actor"].is_null());
    Ok(())
}

#[tokio::test]
async fn g10_what_a_killed_control_plane_was_doing_is_in_the_log() -> Result<()> {
    let mut stack = Stack::builder().start().await?;
    let admin = stack.cli(0);
    // A provider that never answers keeps the test of it, which is audited, under way.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", silent.local_addr()?);
    stack.provider("silent", "anthropic", &url, &[])?;
    stack.synced().await?;
    let server = Rpc::new(&stack.control[0].url)?;
    let provider = b"\x0a\x06silent";
    let mut hanging = tokio::task::JoinSet::new();
    hanging.spawn(async move {
        let rpc = "penstock.admin.v1.ProviderService/TestProvider";
        server
            .call(rpc, Some(penstock_tests::ADMIN_TOKEN), provider)
            .await
    });
    until("its entry is there", || async {
        Ok(entries(&admin, &["--action", "TestProvider", "--outcome", "unfinished"])?.pop())
    })
    .await?;
    stack.control[0].kill()?;
    drop(hanging);
    let http = stack.http.clone();
    stack.control[0].start(&http).await?;
    let entry = newest(&admin, &["--action", "TestProvider"])?;
    assert_eq!(
        (&entry["actor"], &entry["target"]),
        (&"admin".into(), &Value::Null),
        "{entry}"
    );
    assert!(entry["outcome"].is_null(), "{entry}");
    Ok(())
}
