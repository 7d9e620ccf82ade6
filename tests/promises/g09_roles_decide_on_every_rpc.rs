//! G9: every RPC, asked by every role, is allowed or denied as the page for operators says.
//!
//! The page is the table. That it has every RPC is shown by a test of the control plane over all descriptors, and here by
//! what the running server says of itself.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use penstock_tests::{ADMIN_TOKEN, NODE_TOKEN, Rpc, Stack};

const PAGE: &str = include_str!("../../docs/operators.md");
const ROLES: [&str; 4] = ["user", "viewer", "operator", "admin"];

const UNIMPLEMENTED: u32 = 12;
const PERMISSION_DENIED: u32 = 7;
const UNAUTHENTICATED: u32 = 16;

/// One line of the page: the RPC, and which roles may call it.
struct Line {
    rpc: String,
    allowed: [bool; 4],
}

fn lines() -> Result<Vec<Line>> {
    let table = PAGE
        .split("<!-- roles -->")
        .nth(1)
        .context("the page has a table")?;
    let table = table.split("<!-- end of roles -->").next().unwrap_or_default();
    let mut lines = Vec::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let rpc = cells.get(1).context("an RPC")?.trim_matches('`');
        let package = match rpc.starts_with("ServerReflection/") {
            true => "grpc.reflection.v1",
            false => "penstock.admin.v1",
        };
        let allows = |at: usize| cells.get(at).is_some_and(|cell| !cell.is_empty());
        lines.push(Line {
            rpc: format!("{package}.{rpc}"),
            allowed: [allows(2), allows(3), allows(4), allows(5)],
        });
    }
    ensure!(lines.len() > 70, "the table is not read");
    Ok(lines)
}

async fn prepared() -> Result<(Stack, BTreeMap<&'static str, String>)> {
    let stack = Stack::builder().data_planes(0).start().await?;
    stack.alice()?;
    stack.cli(0).run(&["setting", "set", "self_service", "true"])?;
    let mut tokens = BTreeMap::new();
    for role in ROLES {
        let more: &[&str] = if role == "user" { &["--user", "alice"] } else { &[] };
        tokens.insert(role, stack.operator(&format!("the-{role}"), role, more)?);
    }
    Ok((stack, tokens))
}

#[tokio::test]
async fn g09_each_rpc_is_open_to_the_roles_that_the_page_says_and_closed_to_all_others() -> Result<()> {
    let (stack, tokens) = prepared().await?;
    let server = Rpc::new(&stack.control[0].url)?;
    let mut wrong = Vec::new();
    for line in lines()? {
        let mut callers: Vec<(&str, Option<&str>, bool)> = vec![
            ("nobody", None, false),
            (
                "a stranger",
                Some("pso_0000000000000000000000000000000000000000000"),
                false,
            ),
            ("a node", Some(NODE_TOKEN), false),
        ];
        for (role, allowed) in ROLES.iter().zip(line.allowed) {
            callers.push((role, tokens.get(role).map(String::as_str), allowed));
        }
        callers.push(("the admin token", Some(ADMIN_TOKEN), true));
        for (who, token, allowed) in callers {
            let answer = server.call(&line.rpc, token, &[]).await?;
            let refused = match answer.refused {
                Some(UNAUTHENTICATED) => !tokens.contains_key(who) && who != "the admin token",
                Some(PERMISSION_DENIED) => tokens.contains_key(who),
                Some(UNIMPLEMENTED) => anyhow::bail!("{} is not there", line.rpc),
                Some(_) | None => false,
            };
            if refused == allowed {
                wrong.push(format!(
                    "{} by {who}: {:?} {}",
                    line.rpc, answer.refused, answer.message
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test]
async fn g09_reflection_is_for_viewers_and_names_no_service_that_the_page_lacks() -> Result<()> {
    let (stack, tokens) = prepared().await?;
    let server = Rpc::new(&stack.control[0].url)?;
    let viewer = tokens.get("viewer").map(String::as_str);
    // list_services = "*"
    let rpc = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer = server.call(rpc, viewer, b"\x3a\x01*").await?;
    let body = answer.body().await?;
    let text = String::from_utf8_lossy(&body);
    let lines = lines()?;
    let mut services = 0;
    for part in text.split("penstock.admin.v1.").skip(1) {
        let name: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
        let prefix = format!("penstock.admin.v1.{name}/");
        assert!(
            lines.iter().any(|line| line.rpc.starts_with(&prefix)),
            "{name} is not on the page"
        );
        services += 1;
    }
    assert!(services > 10, "{text}");
    Ok(())
}

#[tokio::test]
async fn g09_health_is_for_anybody_and_nodes_rpcs_for_no_operator() -> Result<()> {
    let (stack, tokens) = prepared().await?;
    let server = Rpc::new(&stack.control[0].url)?;
    let health = server.call("grpc.health.v1.Health/Check", None, &[]).await?;
    assert_eq!(health.refused, None);
    // status = SERVING
    assert_eq!(&health.body().await?[5..], &[8, 1][..]);
    for rpc in [
        "penstock.sync.v1.ConfigSyncService/Sync",
        "penstock.telemetry.v1.TelemetryService/Report",
        "penstock.telemetry.v1.TelemetryService/Baseline",
    ] {
        for token in tokens.values().map(String::as_str).chain([ADMIN_TOKEN]) {
            let answer = server.call(rpc, Some(token), &[]).await?;
            assert_eq!(answer.refused, Some(UNAUTHENTICATED), "{rpc}");
        }
    }
    let unknown = server
        .call("penstock.admin.v1.KeyService/Steal", Some(ADMIN_TOKEN), &[])
        .await?;
    assert_eq!(unknown.refused, Some(UNIMPLEMENTED));
    Ok(())
}
